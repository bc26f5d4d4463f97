use std::io::{self, Write};

use clap::Args;
use planet_geo::{CellId, LatLng, Level};

use crate::failure::Failure;

/// `planet cell LAT,LNG|TOKEN [--level N]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// A position in degrees, such as `45.4408,12.3155`, or an S2 token, such as `477eb1`
    #[arg(allow_negative_numbers = true)]
    place: String,
    /// Level of the cell, from 0 (a face of the cube) to 30 (a leaf)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=30))]
    level: Option<u8>,
}

/// Shows one cell: its token, level, centre, area and corners.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let cell = parse(&arguments.place)?;
    let cell = match arguments.level {
        None => cell,
        Some(level) => coarser(cell, Level::new(level).map_err(Failure::usage)?)?,
    };
    let mut out = io::stdout().lock();
    writeln!(out, "cell     {cell}")?;
    writeln!(out, "id       {}", cell.id())?;
    writeln!(out, "level    {}", cell.level())?;
    writeln!(out, "centre   {}", cell.centre())?;
    writeln!(out, "area     {}", area(cell.area_km2()))?;
    for corner in cell.corners() {
        writeln!(out, "corner   {corner}")?;
    }
    Ok(())
}

fn parse(place: &str) -> Result<CellId, Failure> {
    let Some((lat, lng)) = place.split_once(',') else {
        let hint =
            "write a position as LAT,LNG in degrees, or a token of up to 16 hexadecimal digits";
        return place.parse().map_err(|error| Failure::usage(error).hint(hint));
    };
    let degrees = |text: &str| {
        let text = text.trim();
        text.parse::<f64>().map_err(|_| Failure::usage(format!("'{text}' is not a number")))
    };
    let position = LatLng::new(degrees(lat)?, degrees(lng)?).map_err(Failure::usage)?;
    Ok(CellId::leaf(position))
}

fn coarser(cell: CellId, level: Level) -> Result<CellId, Failure> {
    if level > cell.level() {
        let what = format!("cell {cell} has level {}, which is coarser than {level}", cell.level());
        return Err(Failure::usage(what).hint("choose a level that is not finer than the token's"));
    }
    Ok(cell.parent(level))
}

/// With a unit that suits: leaves are under a square centimetre, faces 85 million km².
fn area(km2: f64) -> String {
    match km2 {
        a if a >= 1.0 => format!("{a:.1} km²"),
        a if a >= 1e-6 => format!("{:.1} m²", a * 1e6),
        a => format!("{:.2} cm²", a * 1e10),
    }
}

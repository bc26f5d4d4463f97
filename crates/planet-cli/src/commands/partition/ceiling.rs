use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_geo::{Ceiling, CeilingCounter, Scale};

use super::{files, geotags::GeotagArguments};
use crate::failure::Failure;

/// `planet partition ceiling P GEOTAGS... [--json]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// The partition, in our layout or one of three others
    partition: PathBuf,
    #[command(flatten)]
    geotags: GeotagArguments,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Reports how near the classes' points come to some positions.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let partition = files::read(&arguments.partition)?;
    let mut counter = CeilingCounter::new(&partition);
    arguments.geotags.read(|positions| counter.extend(positions))?;
    let ceiling = counter.finish();
    if ceiling.positions == 0 {
        return Err(Failure::new("there is no photo with a position"));
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", json(&ceiling))?;
        return Ok(());
    }
    let outside = 100.0 * ceiling.outside as f64 / ceiling.positions as f64;
    writeln!(out, "positions  {}", ceiling.positions)?;
    writeln!(out, "outside    {} ({outside:.2} %), missed by their own cell\n", ceiling.outside)?;
    writeln!(out, "{:<22}{:>12}{:>12}", "point near enough of", "own cell", "any class")?;
    let shares = ceiling.own_shares().into_iter().zip(ceiling.any_shares());
    for (scale, (own, any)) in Scale::ALL.into_iter().zip(shares) {
        let name = format!("{} ({} km)", scale.name(), scale.radius().km());
        writeln!(out, "{name:<22}{:>10.2} %{:>10.2} %", own * 100.0, any * 100.0)?;
    }
    writeln!(out, "\nno answer of this partition does better than 'any class'")?;
    Ok(())
}

fn json(ceiling: &Ceiling) -> serde_json::Value {
    let by_scale = |shares: [f64; 5]| -> serde_json::Map<String, serde_json::Value> {
        let names = Scale::ALL.map(|scale| scale.name().to_owned());
        names.into_iter().zip(shares.map(serde_json::Value::from)).collect()
    };
    serde_json::json!({
        "positions": ceiling.positions,
        "outside": ceiling.outside,
        "own_cell": by_scale(ceiling.own_shares()),
        "any_class": by_scale(ceiling.any_shares()),
    })
}

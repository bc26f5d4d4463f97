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
    /// Partition file, in PlaNet's layout or one of three others
    partition: PathBuf,
    #[command(flatten)]
    geotags: GeotagArguments,
    /// Print the result as JSON
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
        return Err(Failure::new("no photo has a position"));
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", json(&ceiling))?;
        return Ok(());
    }
    let outside = 100.0 * ceiling.outside as f64 / ceiling.positions as f64;
    writeln!(out, "positions  {}", ceiling.positions)?;
    writeln!(
        out,
        "outside    {} ({outside:.2} %), in no cell of the partition\n",
        ceiling.outside
    )?;
    writeln!(out, "{:<22}{:>12}{:>12}", "within scale, point of", "own cell", "any class")?;
    let shares = ceiling.own_shares().into_iter().zip(ceiling.any_shares());
    for (scale, (own, any)) in Scale::ALL.into_iter().zip(shares) {
        let name = format!("{} ({} km)", scale.name(), scale.radius().km());
        writeln!(out, "{name:<22}{:>10.2} %{:>10.2} %", own * 100.0, any * 100.0)?;
    }
    writeln!(out, "\n'any class' is the upper bound for every model with this partition")?;
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

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use clap::{Args, ValueEnum};
use planet_data::{Split, SplitBy};

use super::manifest::Change;
use crate::failure::Failure;

/// `planet dataset split M --by author|album|day|place|photo -o M`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    change: Change,
    /// What photos must share to stay on one side
    #[arg(long, value_enum)]
    by: By,
    /// Split by photo although authors or albums are known
    #[arg(long)]
    force: bool,
    /// Share of the groups for validation (the paper's 34 of 125 million photos)
    #[arg(long, value_name = "SHARE", default_value_t = 0.27, value_parser = share)]
    validation: f64,
    /// Share of the groups for testing
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    test: f64,
    /// Another seed, another split
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// Everything of one photographer
    Author,
    /// One author's album
    Album,
    /// One author's day
    Day,
    /// A cell about 10 km across: tests on places never seen
    Place,
    /// Nothing: neighbours stand on both sides, and every score is flattered
    Photo,
}

/// Writes the manifest with its column `split`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.validation + arguments.test > 1.0 {
        return Err(Failure::usage("--validation and --test together are more than 1"));
    }
    let by = match arguments.by {
        By::Author => SplitBy::Author,
        By::Album => SplitBy::Album,
        By::Day => SplitBy::Day,
        By::Place => SplitBy::Place,
        By::Photo => SplitBy::Photo,
    };
    let (validation, test, seed) = (arguments.validation, arguments.test, arguments.seed);
    let split = Split { by, validation, test, seed };
    let mut counts = BTreeMap::new();
    arguments.change.run(|mut record| {
        let grouped = record.author.is_some() || record.album.is_some();
        if by == SplitBy::Photo && grouped && !arguments.force {
            let what = "the photos have authors or albums: split by photo, neighbours would \
                        stand on both sides and every score would be flattered";
            return Err(Failure::usage(what).hint("use --by author or --by album, or --force"));
        }
        let part = split.part(&record);
        *counts.entry(part).or_insert(0_u64) += 1;
        record.split = Some(part.to_owned());
        Ok(Some(record))
    })?;
    for (part, photos) in counts {
        writeln!(io::stderr(), "{part:<10} {photos:>10} photos")?;
    }
    Ok(())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("'{text}' is not a share between 0 and 1"))
}

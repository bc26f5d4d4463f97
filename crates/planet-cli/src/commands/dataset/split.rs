use std::io::{self, Write};

use clap::{Args, ValueEnum};
use planet_data::{PartShare, Split, SplitBy};

use super::manifest::Change;
use crate::failure::Failure;

/// `planet dataset split M --by author|album|day|place|photo -o M`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    change: Change,
    /// Photos that share this property stay in the same part
    #[arg(long, value_enum)]
    by: By,
    /// Allow --by photo although authors or albums are known
    #[arg(long)]
    force: bool,
    /// Share of photos for validation (the default is the paper's, 34 of 125 million)
    #[arg(long, value_name = "SHARE", default_value_t = 0.27, value_parser = share)]
    validation: f64,
    /// Share of photos for testing
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    test: f64,
    /// Seed of the split
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// All photos of one author
    Author,
    /// All photos of one album of an author
    Album,
    /// All photos that one author took on one day
    Day,
    /// All photos in an S2 cell of about 10 km: the test places are not in the training set
    Place,
    /// Each photo separately: similar photos are in several parts, and scores are too high
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
    let mut groups = Split { by, validation, test, seed }.groups();
    arguments.change.read(|record| {
        let grouped = record.author.is_some() || record.album.is_some();
        if by == SplitBy::Photo && grouped && !arguments.force {
            let what = "the photos have authors or albums: with --by photo, similar photos would be \
                        in several parts and scores would be too high";
            return Err(Failure::usage(what).hint("use --by author or --by album, or add --force"));
        }
        groups.add(record);
        Ok(())
    })?;
    let parts = groups.divide();
    arguments.change.run(|mut record| {
        record.split = Some(parts.part(&record).to_owned());
        Ok(Some(record))
    })?;
    say(parts.shares())
}

/// The parts as a table, and a word where a share is not what was asked for.
fn say(shares: &[PartShare]) -> Result<(), Failure> {
    let mut out = io::stderr().lock();
    writeln!(out, "{:<10} {:>8} {:>10} {:>7} {:>7}", "part", "groups", "photos", "share", "asked")?;
    for PartShare { part, groups, photos, share, asked } in shares {
        let (share, asked) = (100.0 * share, 100.0 * asked);
        writeln!(out, "{part:<10} {groups:>8} {photos:>10} {share:>6.1}% {asked:>6.1}%")?;
    }
    for PartShare { part, share, asked, .. } in shares.iter().filter(|it| it.is_off()) {
        writeln!(
            out,
            "warning: {part} has {:.1}% of the photos, not {:.1}%: groups are never divided, and \
             there are too few groups or their sizes differ too much",
            100.0 * share,
            100.0 * asked
        )?;
    }
    Ok(())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("'{text}' is not a share between 0 and 1"))
}

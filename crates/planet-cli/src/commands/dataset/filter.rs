use std::{
    collections::HashSet,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet_data::{PHOTOGRAPH_FROM, table};

use super::manifest::Change;
use crate::failure::Failure;

/// `planet dataset filter M [--non-photos] [--remove PAIRS] -o M`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    change: Change,
    /// Remove images that are probably not photographs (photo_score below 0.5)
    #[arg(long)]
    non_photos: bool,
    /// Remove each photo in column b of this table of pairs (planet dataset duplicates)
    #[arg(long, value_name = "PAIRS")]
    remove: Option<PathBuf>,
    /// Remove photos without a position
    #[arg(long)]
    no_position: bool,
}

/// Writes the manifest without those photos.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.non_photos && arguments.remove.is_none() && !arguments.no_position {
        let hint = "add --non-photos, --no-position or --remove PAIRS";
        return Err(Failure::usage("no filter was selected").hint(hint));
    }
    let redundant = arguments.remove.as_deref().map(second_photos).transpose()?;
    let (mut unscored, mut found) = (0_u64, HashSet::new());
    let (read, kept) = arguments.change.run(|record| {
        unscored += u64::from(record.photo_score.is_none());
        let listed = redundant.as_ref().is_some_and(|names| names.contains(&record.photo));
        if listed {
            found.insert(record.photo.clone());
        }
        let graphic = |score: f32| arguments.non_photos && score < PHOTOGRAPH_FROM;
        let graphic = record.photo_score.is_some_and(graphic);
        let nowhere = arguments.no_position && record.position.is_none();
        Ok((!listed && !graphic && !nowhere).then_some(record))
    })?;
    let mut err = io::stderr().lock();
    writeln!(err, "{kept} of {read} photos kept")?;
    if arguments.non_photos && unscored > 0 {
        let hint = "planet dataset enrich --photo-score computes the scores";
        writeln!(err, "{unscored} photos have no score and were kept; {hint}")?;
    }
    let absent = redundant.map_or(0, |names| names.len() - found.len());
    if absent > 0 {
        writeln!(err, "{absent} photos in the table of pairs are not in this manifest")?;
    }
    Ok(())
}

/// The column `b` of a table of pairs.
fn second_photos(path: &Path) -> Result<HashSet<String>, Failure> {
    let reader = table::open_text(path).map_err(Failure::new)?;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(reader);
    let name = path.display();
    let header = reader.headers().map_err(|error| Failure::new(format!("{name}: {error}")))?;
    let Some(column) = header.iter().position(|column| column == "b") else {
        let what = format!("{name}: the table has no column b");
        return Err(
            Failure::new(what).hint("planet dataset duplicates writes a table with this column")
        );
    };
    let mut photos = HashSet::new();
    for row in reader.records() {
        let row = row.map_err(|error| Failure::new(format!("{name}: {error}")))?;
        photos.extend(row.get(column).map(str::to_owned));
    }
    Ok(photos)
}

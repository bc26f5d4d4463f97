use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, builder::PossibleValuesParser};
use planet_data::{DataError, ImportFormat, ImportOptions, ManifestWriter, Monitor, PhotoRecord};

use super::manifest::absolute;
use crate::{commands::problems::Problems, failure::Failure, progress::Progress};

/// `planet dataset import --format NAME IN -o M`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Dataset to read: a table, a list, a shard or a folder of shards
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Layout of the dataset
    #[arg(long, value_parser = PossibleValuesParser::new(ImportFormat::ALL.map(ImportFormat::name)))]
    format: String,
    /// Manifest to write; the extension selects the format
    #[arg(short, long, value_name = "M")]
    output: PathBuf,
    /// Folder of the photos; by default the dataset's folder
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Table with the positions and authors of photos in shards that state none, by the photos' ids
    /// (msgpack)
    #[arg(long, value_name = "TABLE")]
    positions: Option<PathBuf>,
    /// Keep only photos with this number of textual tags, as the paper's Flickr set (yfcc100m)
    #[arg(long, value_name = "LEAST..MOST", value_parser = tags)]
    tags: Option<(usize, usize)>,
    /// Stop at the first invalid row, instead of counting it
    #[arg(long)]
    strict: bool,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// Reads a dataset and writes its manifest.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = ImportFormat::ALL.into_iter().find(|format| format.name() == arguments.format);
    let format = format.expect("the parser takes names of formats only");
    let options = ImportOptions {
        tags: arguments.tags,
        positions: arguments.positions.clone(),
        root: arguments.root.clone(),
    };
    let records = format.read(&arguments.input, &options).map_err(Failure::new)?;
    let mut problems = Problems::new(arguments.strict, arguments.problems.as_deref())?;
    let progress = Progress::new("photos");
    // Columns that PlaNet does not know are named in a manifest's header: those that the first
    // photos have.
    let mut records = records.peekable();
    let mut first: Vec<PhotoRecord> = Vec::new();
    while first.len() < 1000 && records.peek().is_some() {
        if let Some(record) =
            records.next().map(|record| problems.sift(record)).transpose()?.flatten()
        {
            first.push(record);
        }
    }
    let mut other: Vec<String> =
        first.iter().flat_map(|record| record.other.keys().cloned()).collect();
    other.sort();
    other.dedup();
    let root = absolute(&options.root(&arguments.input));
    let mut writer =
        ManifestWriter::create(&arguments.output, Some(&root), &other).map_err(Failure::new)?;
    let mut count = 0_u64;
    for record in first.into_iter().map(Ok).chain(records) {
        if progress.cancelled() {
            return Err(Failure::new(DataError::Cancelled));
        }
        if let Some(record) = problems.sift(record)? {
            writer.write(&record).map_err(Failure::new)?;
            count += 1;
            progress.advance(1);
        }
    }
    progress.finish();
    problems.report()?;
    if count == 0 {
        return Err(Failure::new(format!("{}: no photo could be read", arguments.input.display())));
    }
    writer.finish().map_err(Failure::new)?;
    writeln!(io::stderr(), "{count} photos")?;
    Ok(())
}

/// `1..5`, both ends counting.
fn tags(text: &str) -> Result<(usize, usize), String> {
    let bad = || format!("'{text}' is not a range of numbers, such as 1..5");
    let (least, most) = text.split_once("..").ok_or_else(bad)?;
    let (least, most) = (least.parse().map_err(|_| bad())?, most.parse().map_err(|_| bad())?);
    if least <= most { Ok((least, most)) } else { Err(bad()) }
}

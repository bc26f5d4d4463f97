use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_data::{DataError, DiskStore, Enrich, Gazetteer, ManifestWriter, Monitor, PhotoRecord};

use super::manifest::{absolute, open};
use crate::{commands::problems::Problems, failure::Failure, progress::Progress};

/// `planet dataset enrich M -o M [--hash] [--photo-score] [--country]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Manifest: CSV, TSV or Parquet; FILE:SPLIT selects the rows of one split
    #[arg(value_name = "M")]
    manifest: String,
    /// Manifest to write; the extension selects the format
    #[arg(short, long, value_name = "M")]
    output: PathBuf,
    /// Add a hash of the file's bytes and a perceptual hash of the photo
    #[arg(long)]
    hash: bool,
    /// Add a score for being a photograph, not a chart, screenshot or scanned text
    #[arg(long)]
    photo_score: bool,
    /// Add the country of each position
    #[arg(long)]
    country: bool,
    /// Folder of the photos, if the manifest does not state it
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Stop at the first photo that cannot be read, instead of counting it
    #[arg(long)]
    strict: bool,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// Photos that are worked on at once; their order is kept.
const BATCH: usize = 256;

/// Writes the manifest with what was asked for. Values that are there already stay, so that a
/// second call costs little.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let enrich = Enrich {
        hashes: arguments.hash,
        photo_score: arguments.photo_score,
        country: arguments.country,
    };
    if enrich == Enrich::default() {
        let hint = "add --hash, --photo-score or --country";
        return Err(Failure::usage("no column to add was selected").hint(hint));
    }
    let mut reader = open(&arguments.manifest, arguments.root.as_deref())?;
    let root = absolute(reader.root());
    let mut writer =
        ManifestWriter::create(&arguments.output, Some(&root), &reader.other_columns())
            .map_err(Failure::new)?;
    let (store, gazetteer) = (DiskStore::new(&root), Gazetteer::new());
    let mut problems = Problems::new(arguments.strict, arguments.problems.as_deref())?;
    let progress = Progress::new("photos");
    let mut unread = 0_u64;
    loop {
        let batch = next_batch(&mut reader, &mut problems)?;
        if batch.is_empty() {
            break;
        }
        let added = enrich.add(batch, &store, &gazetteer, &progress).map_err(Failure::new)?;
        for (record, problem) in added {
            if let Some(problem) = problem {
                problems.add(&problem)?;
                unread += 1;
            }
            writer.write(&record).map_err(Failure::new)?;
        }
        if progress.cancelled() {
            return Err(Failure::new(DataError::Cancelled));
        }
    }
    progress.finish();
    problems.report()?;
    writer.finish().map_err(Failure::new)?;
    if unread > 0 {
        writeln!(io::stderr(), "{unread} photos cannot be read; their rows are kept")?;
    }
    Ok(())
}

fn next_batch(
    reader: &mut impl Iterator<Item = Result<PhotoRecord, DataError>>,
    problems: &mut Problems,
) -> Result<Vec<PhotoRecord>, Failure> {
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH {
        let Some(record) = reader.next() else { break };
        batch.extend(problems.sift(record)?);
    }
    Ok(batch)
}

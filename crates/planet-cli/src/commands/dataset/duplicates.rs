use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_data::{
    DEFAULT_DISTANCE, GREATEST_DISTANCE, NearPair, PerceptualHash, PhotoRecord, near_pairs,
    redundant, table::OutputFile,
};

use super::manifest::open;
use crate::{commands::problems::Problems, failure::Failure, progress::Progress};

/// `planet dataset duplicates A [B] [--distance N] -o PAIRS`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Manifest with perceptual hashes (planet dataset enrich --hash)
    a: String,
    /// Second manifest: finds photos of B that look like a photo of A. Without it, finds duplicates
    /// within A
    b: Option<String>,
    /// Maximum number of differing bits (of 256) between duplicates
    #[arg(long, value_name = "N", default_value_t = DEFAULT_DISTANCE, value_parser = distance)]
    distance: u32,
    /// Table of pairs to write (CSV); - is standard output
    #[arg(short, long, value_name = "PAIRS")]
    output: PathBuf,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// Finds the pairs and writes them; `planet dataset filter --remove` takes off each `b`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut problems = Problems::new(false, arguments.problems.as_deref())?;
    let (a_photos, a_hashes) = hashes(&arguments.a, &mut problems)?;
    let progress = Progress::new("photos");
    let (pairs, b_photos) = match &arguments.b {
        None => (redundant(&a_photos, &a_hashes, arguments.distance, &progress), None),
        Some(b) => {
            let (b_photos, b_hashes) = hashes(b, &mut problems)?;
            let pairs = near_pairs(&a_hashes, &b_hashes, arguments.distance, &progress);
            (pairs, Some(b_photos))
        }
    };
    progress.finish();
    problems.report()?;
    let pairs = pairs.map_err(Failure::new)?;
    write(arguments, &pairs, &a_photos, b_photos.as_ref().unwrap_or(&a_photos))?;
    let mut redundant: Vec<usize> = pairs.iter().map(|pair| pair.b).collect();
    redundant.sort_unstable();
    redundant.dedup();
    writeln!(io::stderr(), "{} pairs, {} photos to remove", pairs.len(), redundant.len())?;
    Ok(())
}

/// The photos that have a hash, and their hashes; the others are counted.
fn hashes(
    manifest: &str,
    problems: &mut Problems,
) -> Result<(Vec<PhotoRecord>, Vec<PerceptualHash>), Failure> {
    let (mut photos, mut hashes, mut without) = (Vec::new(), Vec::new(), 0_u64);
    for record in open(manifest, None)? {
        let Some(record) = problems.sift(record)? else { continue };
        match record.perceptual_hash.as_ref().map(|text| text.parse::<PerceptualHash>()) {
            Some(Ok(hash)) => {
                photos.push(record);
                hashes.push(hash);
            }
            Some(Err(error)) => {
                let cure = "compute it again with planet dataset enrich --hash";
                problems.skip(&record.photo, &error.to_string(), cure)?;
            }
            None => without += 1,
        }
    }
    let hint = "compute the hashes with planet dataset enrich --hash";
    if hashes.is_empty() {
        return Err(Failure::new(format!("{manifest}: no photo has a hash")).hint(hint));
    }
    if without > 0 {
        writeln!(io::stderr(), "{manifest}: {without} photos have no hash; {hint}")?;
    }
    Ok((photos, hashes))
}

fn write(
    arguments: &Arguments,
    pairs: &[NearPair],
    a: &[PhotoRecord],
    b: &[PhotoRecord],
) -> Result<(), Failure> {
    let file = OutputFile::create(&arguments.output).map_err(Failure::file(&arguments.output))?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(["a", "b", "distance"]).map_err(io::Error::from)?;
    for pair in pairs {
        let distance = pair.distance.to_string();
        let row = [a[pair.a].photo.as_str(), b[pair.b].photo.as_str(), distance.as_str()];
        writer.write_record(row).map_err(io::Error::from)?;
    }
    let file = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(file.finish()?)
}

fn distance(text: &str) -> Result<u32, String> {
    let distance = text.parse().ok().filter(|distance| *distance <= GREATEST_DISTANCE);
    distance
        .ok_or_else(|| format!("'{text}' is not a number of bits from 0 to {GREATEST_DISTANCE}"))
}

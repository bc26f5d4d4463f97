use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::near_duplicates::Coder;
use planet_data::{
    Code, DEFAULT_DISTANCE, GREATEST_DISTANCE, NearPair, PhotoRecord, near_pairs, redundant,
    table::OutputFile,
};

use super::manifest::{absolute, open};
use crate::{
    commands::{
        codes::{self, Coded},
        problems::Problems,
    },
    engine_choice::EngineChoice,
    failure::Failure,
    progress::Progress,
};

/// `planet dataset duplicates A [B] [--model CODES] [--distance N] -o PAIRS`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Manifest; without --model, with perceptual hashes (planet dataset enrich --hash)
    a: String,
    /// Second manifest: finds photos of B that look like a photo of A. Without it, finds duplicates
    /// within A
    b: Option<String>,
    /// Model for near-duplicates (planet train --task near-duplicates): compares the codes that it
    /// computes from the photos, instead of perceptual hashes
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Maximum number of differing bits (of 256) between duplicates; by default 47, or the distance
    /// that the model states
    #[arg(long, value_name = "N", value_parser = distance)]
    distance: Option<u32>,
    /// Folder of the photos, if the manifests do not state it
    #[arg(long, value_name = "DIR", requires = "model")]
    root: Option<PathBuf>,
    /// Table of pairs to write (CSV); - is standard output
    #[arg(short, long, value_name = "PAIRS")]
    output: PathBuf,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

/// Finds the pairs and writes them; `planet dataset filter --remove` takes off each `b`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut problems = Problems::new(false, arguments.problems.as_deref())?;
    let mut coder = match &arguments.model {
        Some(model) => Some(codes::open(model, &arguments.engine)?),
        None => None,
    };
    let mut read = |manifest: &str| match &mut coder {
        Some(coder) => arguments.learned(manifest, coder, &mut problems),
        None => hashes(manifest, &mut problems),
    };
    let (a_photos, a_codes) = read(&arguments.a)?;
    let b = arguments.b.as_deref().map(read).transpose()?;
    let stated = coder.as_ref().map(|it| it.model().description().distance);
    let distance = arguments.distance.or(stated).unwrap_or(DEFAULT_DISTANCE);
    if let Some(coder) = &coder {
        let description = coder.model().description();
        let statement = codes::statement(description, distance, a_photos.len());
        writeln!(io::stderr(), "{statement}")?;
    }
    let progress = Progress::new("photos");
    let (pairs, b_photos) = match b {
        None => (redundant(&a_photos, &a_codes, distance, &progress), None),
        Some((photos, codes)) => (near_pairs(&a_codes, &codes, distance, &progress), Some(photos)),
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

impl Arguments {
    /// The photos that can be decoded, and their learned codes; the others are counted.
    fn learned(
        &self,
        manifest: &str,
        coder: &mut Coder,
        problems: &mut Problems,
    ) -> Result<(Vec<PhotoRecord>, Vec<Code>), Failure> {
        let reader = open(manifest, self.root.as_deref())?;
        let root = absolute(reader.root());
        let mut photos = Vec::new();
        for record in reader {
            photos.extend(problems.sift(record)?);
        }
        let ids = photos.iter().map(|record| record.photo.clone()).collect();
        let Coded { codes, failed } = codes::of(coder, &root, ids)?;
        for (photo, what) in failed {
            problems.skip(&photo, &what, "restore the file from a backup, or remove it")?;
        }
        let found = photos.into_iter().zip(codes).filter_map(|(photo, code)| Some((photo, code?)));
        let (photos, codes): (Vec<_>, Vec<_>) = found.unzip();
        if photos.is_empty() {
            return Err(Failure::new(format!("{manifest}: no photo can be decoded")));
        }
        Ok((photos, codes))
    }
}

/// The photos that have a hash, and their hashes; the others are counted.
fn hashes(
    manifest: &str,
    problems: &mut Problems,
) -> Result<(Vec<PhotoRecord>, Vec<Code>), Failure> {
    let (mut photos, mut hashes, mut without) = (Vec::new(), Vec::new(), 0_u64);
    for record in open(manifest, None)? {
        let Some(record) = problems.sift(record)? else { continue };
        match record.perceptual_hash.as_ref().map(|text| text.parse::<Code>()) {
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

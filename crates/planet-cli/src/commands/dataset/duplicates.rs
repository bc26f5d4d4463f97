use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::near_duplicates::Coder;
use planet_data::{
    Code, DEFAULT_DISTANCE, GREATEST_DISTANCE, Manifest, NearPair, NearPhotos, PhotoRecord,
    near_pairs, redundant, table::OutputFile,
};

use super::manifest::{absolute, open};
use crate::{
    commands::{
        codes::{self, Coded},
        local_features,
        problems::Problems,
    },
    engine_choice::EngineChoice,
    failure::Failure,
    progress::Progress,
};

/// `planet dataset duplicates A [B] [--local-features | --model CODES] [--distance N] -o PAIRS`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Manifest; without --model and --local-features, with perceptual hashes (planet dataset enrich
    /// --hash)
    a: String,
    /// Second manifest: finds photos of B that look like a photo of A. Without it, finds duplicates
    /// within A
    b: Option<String>,
    /// Compare the photos themselves, by local features and by perceptual hashes: also finds crops to
    /// a half, borders, screenshots, mirrored and turned copies, and needs no model
    #[arg(long, group = "photos", conflicts_with = "model")]
    local_features: bool,
    /// Model for near-duplicates (planet train --task near-duplicates): compares the codes that it
    /// computes from the photos, instead of perceptual hashes
    #[arg(long, value_name = "MODEL", group = "photos")]
    model: Option<PathBuf>,
    /// Maximum number of differing bits (of 256) between duplicates; by default 47, or the distance
    /// that the model states
    #[arg(long, value_name = "N", value_parser = distance)]
    distance: Option<u32>,
    /// Folder of the photos, if the manifests do not state it
    #[arg(long, value_name = "DIR", requires = "photos")]
    root: Option<PathBuf>,
    /// Table of pairs to write (CSV: a, b, distance in bits; with --local-features also share, of what
    /// both photos show); - is standard output
    #[arg(short, long, value_name = "PAIRS")]
    output: PathBuf,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

/// How a photo that cannot be decoded is restored.
const RESTORE: &str = "restore the file from a backup, or remove it";

/// Finds the pairs and writes them; `planet dataset filter --remove` takes off each `b`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut problems = Problems::new(false, arguments.problems.as_deref())?;
    let compared = if arguments.local_features {
        arguments.by_local_features(&mut problems)?
    } else {
        arguments.by_codes(&mut problems)?
    };
    problems.report()?;
    let compared = if compared.b.is_none() { compared.into_groups() } else { compared };
    arguments.write(&compared)?;
    let redundant: HashSet<usize> = compared.pairs.iter().map(|pair| pair.b).collect();
    let count = compared.pairs.len();
    writeln!(io::stderr(), "{count} pairs, {} photos to remove", redundant.len())?;
    Ok(())
}

/// A row of the table: places in the two manifests.
#[derive(Clone, Copy)]
struct Pair {
    a: usize,
    b: usize,
    /// Bits in which their codes differ; `None` where they are near-duplicates through others only.
    distance: Option<u32>,
    /// Share of what both photos show, by local features.
    share: Option<f32>,
}

/// Pairs, and the photos of both manifests that they are places of.
struct Compared {
    pairs: Vec<Pair>,
    a: Vec<PhotoRecord>,
    b: Option<Vec<PhotoRecord>>,
}

impl Compared {
    /// Within one manifest, one pair for each photo that is redundant, with the one to keep: the
    /// largest of its group.
    fn into_groups(self) -> Self {
        let kept = redundant(&self.a, self.pairs.iter().map(|pair| [pair.a, pair.b]));
        let key = |a: usize, b: usize| [a.min(b), a.max(b)];
        let direct: HashMap<[usize; 2], Pair> =
            self.pairs.iter().map(|pair| (key(pair.a, pair.b), *pair)).collect();
        let pair = |[a, b]: [usize; 2]| {
            let direct = direct.get(&key(a, b));
            let distance = direct.and_then(|pair| pair.distance);
            Pair { a, b, distance, share: direct.and_then(|pair| pair.share) }
        };
        Self { pairs: kept.into_iter().map(pair).collect(), ..self }
    }
}

impl Arguments {
    /// Compares the photos themselves.
    fn by_local_features(&self, problems: &mut Problems) -> Result<Compared, Failure> {
        let mut read = |manifest: &str| {
            let (photos, root) = self.photos(manifest, problems)?;
            Ok::<_, Failure>(Manifest { records: photos, root })
        };
        let a = read(&self.a)?;
        let b = self.b.as_deref().map(read).transpose()?;
        let distance = self.distance.unwrap_or(DEFAULT_DISTANCE);
        let near = local_features::near(&a, b.as_ref(), distance)?;
        for (photo, what) in near.failed {
            problems.skip(&photo, &what, RESTORE)?;
        }
        let pair = |it: NearPhotos| Pair {
            a: it.a,
            b: it.b,
            distance: Some(it.distance),
            share: it.share,
        };
        let pairs = near.pairs.into_iter().map(pair).collect();
        Ok(Compared { pairs, a: a.records, b: b.map(|b| b.records) })
    }

    /// Compares perceptual hashes, or codes that a model computes.
    fn by_codes(&self, problems: &mut Problems) -> Result<Compared, Failure> {
        let mut coder = match &self.model {
            Some(model) => Some(codes::open(model, &self.engine)?),
            None => None,
        };
        let mut read = |manifest: &str| match &mut coder {
            Some(coder) => self.learned(manifest, coder, problems),
            None => hashes(manifest, problems),
        };
        let (a, codes) = read(&self.a)?;
        let b = self.b.as_deref().map(read).transpose()?;
        let stated = coder.as_ref().map(|it| it.model().description().distance);
        let distance = self.distance.or(stated).unwrap_or(DEFAULT_DISTANCE);
        if let Some(coder) = &coder {
            let description = coder.model().description();
            let statement = codes::statement(description, distance, a.len());
            writeln!(io::stderr(), "{statement}")?;
        }
        let progress = Progress::new("photos");
        let others = b.as_ref().map_or(&codes, |(_, codes)| codes);
        let pairs = near_pairs(&codes, others, distance, &progress);
        progress.finish();
        let pair =
            |it: NearPair| Pair { a: it.a, b: it.b, distance: Some(it.distance), share: None };
        let pairs = pairs.map_err(Failure::new)?.into_iter().map(pair).collect();
        Ok(Compared { pairs, a, b: b.map(|(photos, _)| photos) })
    }

    /// The photos of a manifest and their folder; rows that are wrong are counted.
    fn photos(
        &self,
        manifest: &str,
        problems: &mut Problems,
    ) -> Result<(Vec<PhotoRecord>, PathBuf), Failure> {
        let reader = open(manifest, self.root.as_deref())?;
        let root = absolute(reader.root());
        let mut photos = Vec::new();
        for record in reader {
            photos.extend(problems.sift(record)?);
        }
        Ok((photos, root))
    }

    /// The photos that can be decoded, and their learned codes; the others are counted.
    fn learned(
        &self,
        manifest: &str,
        coder: &mut Coder,
        problems: &mut Problems,
    ) -> Result<(Vec<PhotoRecord>, Vec<Code>), Failure> {
        let (photos, root) = self.photos(manifest, problems)?;
        let ids = photos.iter().map(|record| record.photo.clone()).collect();
        let Coded { codes, failed } = codes::of(coder, &root, ids)?;
        for (photo, what) in failed {
            problems.skip(&photo, &what, RESTORE)?;
        }
        let found = photos.into_iter().zip(codes).filter_map(|(photo, code)| Some((photo, code?)));
        let (photos, codes): (Vec<_>, Vec<_>) = found.unzip();
        if photos.is_empty() {
            return Err(Failure::new(format!("{manifest}: no photo can be decoded")));
        }
        Ok((photos, codes))
    }

    fn write(&self, compared: &Compared) -> Result<(), Failure> {
        let (a, b) = (&compared.a, compared.b.as_ref().unwrap_or(&compared.a));
        let file = OutputFile::create(&self.output).map_err(Failure::file(&self.output))?;
        let mut writer = csv::Writer::from_writer(file);
        let columns = ["a", "b", "distance", "share"];
        let columns = if self.local_features { &columns[..] } else { &columns[..3] };
        writer.write_record(columns).map_err(io::Error::from)?;
        for pair in &compared.pairs {
            let distance = pair.distance.map_or(String::new(), |it| it.to_string());
            let share = pair.share.map_or(String::new(), |it| format!("{it:.3}"));
            let row = [&a[pair.a].photo, &b[pair.b].photo, &distance, &share];
            writer.write_record(&row[..columns.len()]).map_err(io::Error::from)?;
        }
        let file = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(file.finish()?)
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

fn distance(text: &str) -> Result<u32, String> {
    let distance = text.parse().ok().filter(|distance| *distance <= GREATEST_DISTANCE);
    distance
        .ok_or_else(|| format!("'{text}' is not a number of bits from 0 to {GREATEST_DISTANCE}"))
}

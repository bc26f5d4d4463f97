//! Measures how well near-duplicates are found: makes edited copies of photos, and reports which
//! share of them a model's codes and the perceptual hash find, as Markdown tables.
//!
//! `cargo run --release --example near_duplicates -- MANIFEST --model CODES [--different MANIFEST]
//! [--leave-out FILE] [--queries N] [--hard-within KM]`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its results")]

use std::{collections::HashSet, error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use planet::{
    CodeModel,
    near_duplicates::{Coder, FalseMatches},
};
use planet_data::{
    Code, DiskStore, Edit, GREATEST_DISTANCE, Manifest, NoMonitor, Photo, PhotoRecord, PhotoStore,
    PixelBatch, perceptual_hash, table::TableSource,
};
use planet_engine::EngineOptions;
use planet_geo::Distance;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Edited copies: a name, and what is done one after the other.
const CASES: [(&str, &[(Edit, f64)]); 32] = [
    ("crop by 4 % of the area", &[(Edit::Crop, 0.04)]),
    ("crop by 10 %", &[(Edit::Crop, 0.1)]),
    ("crop by 20 %", &[(Edit::Crop, 0.2)]),
    ("crop by 50 %", &[(Edit::Crop, 0.5)]),
    ("one side cut by 4 %", &[(Edit::CropSide, 0.04)]),
    ("one side cut by 8 %", &[(Edit::CropSide, 0.08)]),
    ("one side cut by 20 %", &[(Edit::CropSide, 0.2)]),
    ("mirrored", &[(Edit::Flip, 0.0)]),
    ("a half of the size", &[(Edit::Resize, 2.0)]),
    ("a quarter of the size", &[(Edit::Resize, 4.0)]),
    ("JPEG quality 50", &[(Edit::Jpeg, 50.0)]),
    ("JPEG quality 20", &[(Edit::Jpeg, 80.0)]),
    ("JPEG quality 5", &[(Edit::Jpeg, 95.0)]),
    ("grey", &[(Edit::Grey, 0.0)]),
    ("tone by 20 %", &[(Edit::Tone, 0.2)]),
    ("tone by 40 %", &[(Edit::Tone, 0.4)]),
    ("blur of 0.3 % of the side", &[(Edit::Blur, 0.003)]),
    ("blur of 1 %", &[(Edit::Blur, 0.01)]),
    ("text, letters of 5 % of the height", &[(Edit::Text, 0.05)]),
    ("text, 10 %", &[(Edit::Text, 0.1)]),
    ("stickers over 5 % of the area", &[(Edit::Stickers, 0.05)]),
    ("stickers over 20 %", &[(Edit::Stickers, 0.2)]),
    ("border of 5 % of the side", &[(Edit::Border, 0.05)]),
    ("border of 15 %", &[(Edit::Border, 0.15)]),
    ("rotation by 2°", &[(Edit::Rotation, 2.0)]),
    ("rotation by 5°", &[(Edit::Rotation, 5.0)]),
    ("rotation by 10°", &[(Edit::Rotation, 10.0)]),
    ("screenshot, 20 % of the page free", &[(Edit::Screenshot, 0.2)]),
    ("screenshot, 50 % free", &[(Edit::Screenshot, 0.5)]),
    ("crop by 10 %, text, JPEG 50", &[(Edit::Crop, 0.1), (Edit::Text, 0.08), (Edit::Jpeg, 50.0)]),
    (
        "crop by 20 %, tone, border, JPEG 30",
        &[(Edit::Crop, 0.2), (Edit::Tone, 0.3), (Edit::Border, 0.08), (Edit::Jpeg, 70.0)],
    ),
    (
        "crop by 40 %, tone, stickers, text, JPEG 20",
        &[
            (Edit::Crop, 0.4),
            (Edit::Tone, 0.3),
            (Edit::Stickers, 0.1),
            (Edit::Text, 0.08),
            (Edit::Jpeg, 80.0),
        ],
    ),
];

/// Sizes of training sets for which thresholds are chosen, and the share that may be removed.
const AGAINST: [u64; 2] = [10_000, 1_000_000];
const REMOVED: f64 = 0.01;
/// Precision at which recall is also stated.
const PRECISION: f64 = 0.9;
/// Test sets that are drawn for an interval.
const DRAWN: usize = 1000;

#[derive(Parser)]
struct Arguments {
    /// Photos of which copies are made (FILE or FILE:SPLIT)
    manifest: String,
    /// Model for near-duplicates
    #[arg(long)]
    model: PathBuf,
    /// Photos of which none is a copy of another: thresholds are chosen by them; by default the same
    #[arg(long)]
    different: Option<String>,
    /// List of photos, one a line, that are copies of others and are left out
    #[arg(long)]
    leave_out: Option<PathBuf>,
    /// Photos of which copies are made, evenly over the manifest
    #[arg(long, default_value_t = 400)]
    queries: usize,
    /// Photos at most so far apart are other shots of one place
    #[arg(long, default_value_t = 0.05)]
    hard_within: f64,
    /// Library of ONNX Runtime; by default rten is used
    #[arg(long)]
    onnxruntime: Option<PathBuf>,
}

/// Photos with both kinds of codes: the model's, then the perceptual hash.
struct Set {
    store: Arc<DiskStore>,
    records: Vec<PhotoRecord>,
    codes: [Vec<Code>; 2],
}

/// Thresholds of one kind of code: at the two sizes of training sets.
struct Thresholds {
    matches: FalseMatches,
    distances: [Option<u32>; 2],
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let left_out: HashSet<String> = match &arguments.leave_out {
        Some(path) => std::fs::read_to_string(path)?.lines().map(str::to_owned).collect(),
        None => HashSet::new(),
    };
    let model = CodeModel::open(&arguments.model)?;
    let options =
        EngineOptions { onnxruntime: arguments.onnxruntime.clone(), ..Default::default() };
    let engine = Box::new(options.open_codes(&model)?);
    let mut coder = Coder::new(model, engine);

    let set = Set::read(&arguments.manifest, &left_out, &mut coder)?;
    let different = match &arguments.different {
        Some(manifest) => Some(Set::read(manifest, &left_out, &mut coder)?),
        None => None,
    };
    let of = different.as_ref().unwrap_or(&set);
    let shots = other_shots(of, arguments.hard_within);
    let thresholds = [0, 1].map(|kind| Thresholds::of(&of.codes[kind], &shots));
    println!("{} photos without the copies among them.\n", set.records.len());
    print_thresholds(&thresholds);
    print_other_shots(&set, &thresholds, arguments.hard_within);
    print_cases(&set, &thresholds, &mut coder, arguments.queries)
}

impl Set {
    fn read(
        manifest: &str,
        left_out: &HashSet<String>,
        coder: &mut Coder,
    ) -> Result<Self, Box<dyn Error>> {
        let Manifest { root, mut records } = Manifest::load(&TableSource::parse(manifest), None)?;
        records.retain(|record| !left_out.contains(&record.photo));
        let store = Arc::new(DiskStore::new(root));
        let ids: Vec<String> = records.iter().map(|it| it.photo.clone()).collect();
        let learned = coder.codes(store.clone(), ids.clone(), &NoMonitor, |failed| {
            eprintln!("{}: {}", failed.photo, failed.error);
        })?;
        let hash = |id: &String| store.photo(id).ok().map(|photo| perceptual_hash(&photo));
        let hashes: Vec<Option<Code>> = ids.par_iter().map(hash).collect();
        let found = records.into_iter().zip(learned.into_iter().zip(hashes));
        let found = found.filter_map(|(record, (a, b))| Some((record, (a?, b?))));
        let (records, (learned, hashes)): (Vec<_>, (Vec<_>, Vec<_>)) = found.unzip();
        Ok(Self { store, records, codes: [learned, hashes] })
    }

    /// What photos of one source have in common: the album, else the author, else the folder.
    fn source(&self, at: usize) -> String {
        let record = &self.records[at];
        let folder = record.photo.rsplit_once('/').map_or("", |(folder, _)| folder);
        record.album.clone().or(record.author.clone()).unwrap_or_else(|| folder.to_owned())
    }
}

impl Thresholds {
    /// Other shots of one place are no false matches here: they are reported by themselves.
    fn of(codes: &[Code], other_shots: &[(usize, usize)]) -> Self {
        let mut matches = FalseMatches::of(codes);
        for (a, b) in other_shots {
            let distance = codes[*a].distance(codes[*b]) as usize;
            matches.pairs_within.iter_mut().skip(distance).for_each(|count| *count -= 1);
        }
        let distances = AGAINST.map(|against| matches.distance(REMOVED, against));
        Self { matches, distances }
    }
}

const KINDS: [&str; 2] = ["learned code", "perceptual hash"];

fn print_thresholds(thresholds: &[Thresholds; 2]) {
    println!(
        "| code | pairs | distance for 10,000 | pairs within | for 1,000,000 | pairs within |"
    );
    println!("|---|---|---|---|---|---|");
    for (kind, Thresholds { matches, distances }) in KINDS.iter().zip(thresholds) {
        let cells = distances.map(|distance| match distance {
            Some(distance) => format!("{distance} | {}", matches.within(distance)),
            None => "none | ".to_owned(),
        });
        println!("| {kind} | {} | {} |", matches.pairs(), cells.join(" | "));
    }
    println!();
}

/// Pairs of photos that were taken at most so far apart.
fn other_shots(set: &Set, within_km: f64) -> Vec<(usize, usize)> {
    let within = Distance::from_km(within_km);
    let position = |at: usize| set.records[at].position;
    let is_near = |a: usize, b: usize| {
        position(a).zip(position(b)).is_some_and(|(a, b)| a.distance_to(b) <= within)
    };
    let near = |b: usize| (0..b).filter(move |a| is_near(*a, b)).map(move |a| (a, b));
    (0..set.records.len()).into_par_iter().flat_map_iter(near).collect()
}

/// Photos of one place that are taken for copies of one another.
fn print_other_shots(set: &Set, thresholds: &[Thresholds; 2], within_km: f64) {
    let pairs = other_shots(set, within_km);
    let photos: HashSet<usize> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    println!("| other shots within {within_km} km | for 10,000 | for 1,000,000 |\n|---|---|---|");
    for ((kind, Thresholds { distances, .. }), codes) in
        KINDS.iter().zip(thresholds).zip(&set.codes)
    {
        let cells = distances.map(|distance| {
            let is_wrong = |(a, b): &&(usize, usize)| {
                distance.is_some_and(|it| codes[*a].distance(codes[*b]) <= it)
            };
            let wrong: HashSet<usize> =
                pairs.iter().filter(is_wrong).flat_map(|(a, b)| [*a, *b]).collect();
            let share = 100.0 * wrong.len() as f64 / photos.len().max(1) as f64;
            format!("{} of {} photos, {share:.2} %", wrong.len(), photos.len())
        });
        println!("| {kind} | {} |", cells.join(" | "));
    }
    println!("\n{} pairs of such photos.\n", pairs.len());
}

/// Distances of the copies of one case: to their photos, and how many other photos are within each.
struct Copies {
    own: Vec<u32>,
    others_within: Vec<u64>,
}

fn print_cases(
    set: &Set,
    thresholds: &[Thresholds; 2],
    coder: &mut Coder,
    queries: usize,
) -> Result<(), Box<dyn Error>> {
    let step = set.records.len().div_ceil(queries).max(1);
    let queries: Vec<usize> = (0..set.records.len()).step_by(step).collect();
    let sources: Vec<String> = queries.iter().map(|at| set.source(*at)).collect();
    let head = "for 10,000 | for 1,000,000 | at 90 % precision";
    println!("{} copies of each kind; percent found, 95 % interval.\n", queries.len());
    println!("| copies | learned: {head} | hash: {head} |\n|---|---|---|---|---|---|---|");
    for (case, (name, edits)) in CASES.iter().enumerate() {
        let codes = copies(set, &queries, edits, case as u64, coder)?;
        let mut cells = Vec::new();
        for kind in 0..2 {
            let copies = Copies::of(&codes[kind], &queries, &set.codes[kind]);
            for distance in thresholds[kind].distances {
                cells.push(copies.found(distance, &sources));
            }
            cells.push(copies.found(copies.precise(), &sources));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

/// Both kinds of codes of the edited copies.
fn copies(
    set: &Set,
    queries: &[usize],
    edits: &[(Edit, f64)],
    seed: u64,
    coder: &mut Coder,
) -> Result<[Vec<Code>; 2], Box<dyn Error>> {
    let preprocess = coder.model().description().preprocess.clone();
    let [height, width] = preprocess.size;
    let edited = |at: &usize| -> Option<(Vec<f32>, Code)> {
        let photo = set.store.photo(&set.records[*at].photo).ok()?;
        let seed = seed << 32 | *at as u64;
        let change =
            |photo: Photo, (edit, strength): &(Edit, f64)| edit.apply(&photo, *strength, seed);
        let photo = edits.iter().fold(photo, change);
        Some((preprocess.apply(&photo), perceptual_hash(&photo)))
    };
    let mut codes = [Vec::new(), Vec::new()];
    for queries in queries.chunks(16) {
        let copies: Vec<(Vec<f32>, Code)> =
            queries.par_iter().map(edited).collect::<Option<_>>().ok_or("a photo has gone")?;
        let mut batch = PixelBatch::with_capacity(copies.len(), height, width);
        copies.iter().for_each(|(pixels, _)| batch.push(pixels));
        codes[0].extend(coder.run(&batch)?);
        codes[1].extend(copies.iter().map(|(_, hash)| *hash));
    }
    Ok(codes)
}

impl Copies {
    fn of(copies: &[Code], queries: &[usize], codes: &[Code]) -> Self {
        let own = copies.iter().zip(queries).map(|(copy, at)| copy.distance(codes[*at]));
        let mut others_within = vec![0; GREATEST_DISTANCE as usize + 1];
        for (copy, own) in copies.iter().zip(queries) {
            for (_, code) in codes.iter().enumerate().filter(|(at, _)| at != own) {
                if let Some(count) = others_within.get_mut(copy.distance(*code) as usize) {
                    *count += 1;
                }
            }
        }
        for distance in 1..others_within.len() {
            others_within[distance] += others_within[distance - 1];
        }
        Self { own: own.collect(), others_within }
    }

    /// The greatest distance at which nine of ten photos that are found are the copies' own.
    fn precise(&self) -> Option<u32> {
        (0..=GREATEST_DISTANCE).rev().find(|distance| {
            let own = self.own.iter().filter(|it| **it <= *distance).count() as f64;
            let others = self.others_within[*distance as usize] as f64;
            own > 0.0 && own / (own + others) >= PRECISION
        })
    }

    /// Share that is found, with an interval from drawing sources anew.
    fn found(&self, distance: Option<u32>, sources: &[String]) -> String {
        let Some(distance) = distance else { return "none".to_owned() };
        let mut of_source: std::collections::BTreeMap<&str, [u32; 2]> = Default::default();
        for (own, source) in self.own.iter().zip(sources) {
            let counts = of_source.entry(source).or_default();
            counts[0] += u32::from(*own <= distance);
            counts[1] += 1;
        }
        let groups: Vec<[u32; 2]> = of_source.into_values().collect();
        let share = |groups: &mut dyn Iterator<Item = [u32; 2]>| {
            let [found, all] = groups.fold([0, 0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]);
            100.0 * f64::from(found) / f64::from(all.max(1))
        };
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut drawn: Vec<f64> = (0..DRAWN)
            .map(|_| {
                share(&mut groups.iter().map(|_| groups[random.random_range(0..groups.len())]))
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        let [low, high] = [DRAWN / 40, DRAWN - DRAWN / 40 - 1].map(|at| drawn[at]);
        let all = share(&mut groups.iter().copied());
        format!("{all:.1} ({low:.0}–{high:.0}) ≤ {distance}")
    }
}

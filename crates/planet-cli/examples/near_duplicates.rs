//! Measures how well near-duplicates are found: makes edited copies of photos, and reports which
//! share of them a model's codes, the perceptual hash and local features find, as Markdown tables.
//!
//! `cargo run --release --example near_duplicates -- MANIFEST... [--model CODES]
//! [--different MANIFEST] [--leave-out FILE] [--queries N] [--hard-within KM]`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its results")]

use std::{collections::HashSet, error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use planet::{
    CodeModel,
    near_duplicates::{Coder, FalseMatches},
};
use planet_data::{
    Code, DEFAULT_DISTANCE, Edit, GREATEST_DISTANCE, LocalFeatureIndex, LocalFeatures, Manifest,
    NoMonitor, PathStore, Photo, PhotoRecord, PhotoStore, PixelBatch, perceptual_hash,
    table::TableSource,
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
    #[arg(required = true)]
    manifests: Vec<String>,
    /// Model for near-duplicates
    #[arg(long)]
    model: Option<PathBuf>,
    /// Photos of which none is a copy of another: thresholds are chosen by them; by default the same
    #[arg(long)]
    different: Option<String>,
    /// List of photos, one a line, that are copies of others and are left out
    #[arg(long)]
    leave_out: Option<PathBuf>,
    /// Photos of which copies are made, evenly over the manifests
    #[arg(long, default_value_t = 400)]
    queries: usize,
    /// Photos at most so far apart are other shots of one place
    #[arg(long, default_value_t = 0.05)]
    hard_within: f64,
    /// Library of ONNX Runtime; by default rten is used
    #[arg(long)]
    onnxruntime: Option<PathBuf>,
}

/// Photos with their codes, the perceptual hash first, then the model's; and their local features.
struct Set {
    records: Vec<PhotoRecord>,
    codes: Vec<Vec<Code>>,
    index: LocalFeatureIndex,
    /// Pairs of photos that local features find, the earlier one first.
    local_pairs: HashSet<(usize, usize)>,
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
    let mut coder = match &arguments.model {
        Some(model) => {
            let model = CodeModel::open(model)?;
            let options =
                EngineOptions { onnxruntime: arguments.onnxruntime.clone(), ..Default::default() };
            let engine = Box::new(options.open_codes(&model)?);
            Some(Coder::new(model, engine))
        }
        None => None,
    };
    let set = Set::read(&arguments.manifests, &left_out, coder.as_mut())?;
    let different = match &arguments.different {
        Some(manifest) => {
            Some(Set::read(std::slice::from_ref(manifest), &left_out, coder.as_mut())?)
        }
        None => None,
    };
    let of = different.as_ref().unwrap_or(&set);
    let shots = other_shots(of, arguments.hard_within);
    let thresholds: Vec<Thresholds> =
        of.codes.iter().map(|codes| Thresholds::of(codes, &shots)).collect();
    println!("{} photos without the copies among them.\n", set.records.len());
    print_thresholds(&thresholds);
    print_local(of, &shots);
    print_other_shots(&set, &thresholds, arguments.hard_within);
    print_cases(&set, &thresholds, coder.as_mut(), arguments.queries)
}

impl Set {
    fn read(
        manifests: &[String],
        left_out: &HashSet<String>,
        coder: Option<&mut Coder>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut records = Vec::new();
        for manifest in manifests {
            let of = Manifest::load(&TableSource::parse(manifest), None)?;
            let kept = of.records.into_iter().filter(|it| !left_out.contains(&it.photo));
            records.extend(kept.map(|record| {
                let photo = of.root.join(&record.photo).to_string_lossy().into_owned();
                PhotoRecord { photo, ..record }
            }));
        }
        let ids: Vec<String> = records.iter().map(|it| it.photo.clone()).collect();
        let known = |id: &String| {
            let photo = PathStore.photo(id);
            let photo = photo.inspect_err(|error| eprintln!("{id}: {error}")).ok()?;
            Some((perceptual_hash(&photo), LocalFeatures::of(&photo)))
        };
        let known: Vec<Option<(Code, LocalFeatures)>> = ids.par_iter().map(known).collect();
        let found = records.into_iter().zip(known);
        let found = found.filter_map(|(record, known)| Some((record, known?)));
        let (records, (hashes, features)): (Vec<_>, (Vec<_>, Vec<_>)) = found.unzip();
        let mut codes = vec![hashes];
        if let Some(coder) = coder {
            let ids = records.iter().map(|it: &PhotoRecord| it.photo.clone()).collect();
            let learned = coder.codes(Arc::new(PathStore), ids, &NoMonitor, |failed| {
                eprintln!("{}: {}", failed.photo, failed.error);
            })?;
            codes.push(learned.into_iter().collect::<Option<_>>().ok_or("a photo has no code")?);
        }
        let index = LocalFeatureIndex::new(features.clone());
        let before = |(at, features): (usize, &LocalFeatures)| {
            let found = index.search(features).into_iter().map(|it| it.photo);
            found.filter(move |other| *other < at).map(move |other| (other, at)).collect::<Vec<_>>()
        };
        let local_pairs = features.par_iter().enumerate().flat_map_iter(before).collect();
        Ok(Self { records, codes, index, local_pairs })
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

const KINDS: [&str; 2] = ["perceptual hash", "learned code"];

fn print_thresholds(thresholds: &[Thresholds]) {
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

/// Pairs of different photos that local features take for copies.
fn print_local(set: &Set, other_shots: &[(usize, usize)]) {
    let other_shots: HashSet<(usize, usize)> = other_shots.iter().copied().collect();
    let wrong: Vec<&(usize, usize)> = set.local_pairs.difference(&other_shots).collect();
    println!("Pairs of photos of other places that local features find: {}.", wrong.len());
    for (a, b) in wrong.iter().take(20) {
        println!("- {} {}", set.records[*a].photo, set.records[*b].photo);
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
fn print_other_shots(set: &Set, thresholds: &[Thresholds], within_km: f64) {
    let pairs = other_shots(set, within_km);
    let photos: HashSet<usize> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let share = |wrong: &HashSet<usize>| {
        let share = 100.0 * wrong.len() as f64 / photos.len().max(1) as f64;
        format!("{} of {} photos, {share:.2} %", wrong.len(), photos.len())
    };
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
            share(&wrong)
        });
        println!("| {kind} | {} |", cells.join(" | "));
    }
    let near: HashSet<(usize, usize)> = pairs.iter().copied().collect();
    let wrong: HashSet<usize> =
        set.local_pairs.intersection(&near).flat_map(|(a, b)| [*a, *b]).collect();
    println!("| local features | {0} | {0} |", share(&wrong));
    println!("\n{} pairs of such photos.\n", pairs.len());
}

/// Distances of the copies of one case: to their photos, and how many other photos are within each.
struct Copies {
    own: Vec<u32>,
    others_within: Vec<u64>,
}

fn print_cases(
    set: &Set,
    thresholds: &[Thresholds],
    mut coder: Option<&mut Coder>,
    queries: usize,
) -> Result<(), Box<dyn Error>> {
    let step = set.records.len().div_ceil(queries).max(1);
    let queries: Vec<usize> = (0..set.records.len()).step_by(step).collect();
    let sources: Vec<String> = queries.iter().map(|at| set.source(*at)).collect();
    println!("{} copies of each kind; percent found, 95 % interval.\n", queries.len());
    let heads = KINDS
        .iter()
        .zip(thresholds)
        .map(|(kind, _)| format!("{kind}: for 10,000 | for 1,000,000 | at 90 % precision"));
    let heads: Vec<String> = heads.collect();
    println!("| copies | {} | local features | or hash |", heads.join(" | "));
    println!("|---|{}---|---|", "---|---|---|".repeat(heads.len()));
    for (case, (name, edits)) in CASES.iter().enumerate() {
        let made = copies(set, &queries, edits, case as u64, coder.as_deref_mut())?;
        let mut cells = Vec::new();
        for (kind, codes) in made.codes.iter().enumerate() {
            let copies = Copies::of(codes, &queries, &set.codes[kind]);
            let within = |distance: Option<u32>| {
                distance.map_or("none".to_owned(), |distance| {
                    let found: Vec<bool> = copies.own.iter().map(|it| *it <= distance).collect();
                    share_found(&found, &sources)
                })
            };
            cells.extend(thresholds[kind].distances.map(within));
            cells.push(within(copies.precise()));
        }
        cells.push(share_found(&made.local, &sources));
        let hashed = made.codes[0].iter().zip(&queries);
        let either: Vec<bool> = hashed
            .zip(&made.local)
            .map(|((copy, at), local)| {
                *local || copy.distance(set.codes[0][*at]) <= DEFAULT_DISTANCE
            })
            .collect();
        cells.push(share_found(&either, &sources));
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

/// What the edited copies are found by.
struct Made {
    /// Their codes, of each kind.
    codes: Vec<Vec<Code>>,
    /// Whether local features find the photo.
    local: Vec<bool>,
}

fn copies(
    set: &Set,
    queries: &[usize],
    edits: &[(Edit, f64)],
    seed: u64,
    coder: Option<&mut Coder>,
) -> Result<Made, Box<dyn Error>> {
    let edited = |at: &usize| -> Option<Photo> {
        let photo = PathStore.photo(&set.records[*at].photo).ok()?;
        let seed = seed << 32 | *at as u64;
        let change =
            |photo: Photo, (edit, strength): &(Edit, f64)| edit.apply(&photo, *strength, seed);
        Some(edits.iter().fold(photo, change))
    };
    let copies: Vec<Photo> =
        queries.par_iter().map(edited).collect::<Option<_>>().ok_or("a photo has gone")?;
    let mut codes = vec![copies.par_iter().map(perceptual_hash).collect()];
    if let Some(coder) = coder {
        let preprocess = coder.model().description().preprocess.clone();
        let [height, width] = preprocess.size;
        let mut learned = Vec::new();
        for copies in copies.chunks(16) {
            let mut batch = PixelBatch::with_capacity(copies.len(), height, width);
            copies.iter().for_each(|copy| batch.push(&preprocess.apply(copy)));
            learned.extend(coder.run(&batch)?);
        }
        codes.push(learned);
    }
    let is_found = |(copy, at): (&Photo, &usize)| {
        set.index.search(&LocalFeatures::of(copy)).iter().any(|it| it.photo == *at)
    };
    let local = copies.par_iter().zip(queries).map(is_found).collect();
    Ok(Made { codes, local })
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
}

/// Share that is found, with an interval from drawing sources anew.
fn share_found(found: &[bool], sources: &[String]) -> String {
    let mut of_source: std::collections::BTreeMap<&str, [u32; 2]> = Default::default();
    for (found, source) in found.iter().zip(sources) {
        let counts = of_source.entry(source).or_default();
        counts[0] += u32::from(*found);
        counts[1] += 1;
    }
    let groups: Vec<[u32; 2]> = of_source.into_values().collect();
    let share = |groups: &mut dyn Iterator<Item = [u32; 2]>| {
        let [found, all] = groups.fold([0, 0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]);
        100.0 * f64::from(found) / f64::from(all.max(1))
    };
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut drawn: Vec<f64> = (0..DRAWN)
        .map(|_| share(&mut groups.iter().map(|_| groups[random.random_range(0..groups.len())])))
        .collect();
    drawn.sort_by(f64::total_cmp);
    let [low, high] = [DRAWN / 40, DRAWN - DRAWN / 40 - 1].map(|at| drawn[at]);
    let all = share(&mut groups.iter().copied());
    format!("{all:.1} ({low:.0}–{high:.0})")
}

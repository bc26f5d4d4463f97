//! Do occlusion maps point at what the answer really rests on? On drawn streets it is known: the
//! painter says which pixels show a cue, and the exact posterior what the cue is worth.
//!
//! For every cue of 200 photos that no model has seen: the map's mean drop over the cue's pixels,
//! and by how much the exact probability of the true cell falls when the cue is taken away, both
//! also in log-odds. The rank correlation of the two, beside that of a box in the photo's middle and
//! of boxes of the same area anywhere.
//!
//! ```console
//! planet demo
//! PLANET_MODEL=$PWD/demo/model cargo nextest run --workspace --locked --test explain_cues \
//!     --run-ignored only --no-capture
//! ```

#![allow(clippy::print_stdout, reason = "whoever runs this wants to know the figures")]

use std::{collections::BTreeMap, env, path::PathBuf, sync::Arc};

use planet::{
    Locator, LocatorOptions, ModelPackage,
    occlusion::{Measure, Occlusion, OcclusionOptions, PixelBox, Search, Target, explain},
};
use planet_data::{Gazetteer, NoMonitor};
use planet_engine::{Rten, Signature};
use planet_geo::Partition;
use planet_world::{
    Coverage, CueKind, LayerMap, LibrarySize, PictureSize, SyntheticPhoto, SyntheticStore, World,
    WorldParameters, cue::Scene,
};

/// Photos that are explained.
const PHOTOS: usize = 200;
/// Of a seed that no example of this project trains with.
const SEED: u64 = 9001;
/// Longer side of the photos: those of `planet demo`.
const SIDE: u32 = 64;
/// A model says little of why it is right about photos of which it knows next to nothing.
const SURE: f64 = 0.05;
/// Resamples of whole photos for the intervals.
const RESAMPLES: usize = 1000;
/// Boxes anywhere, for each photo.
const ANYWHERE: usize = 20;

/// What a map says of a cue, beside what the cue is worth.
#[derive(Clone, Copy)]
struct Pair {
    said: f64,
    worth: f64,
}

#[test]
#[ignore = "needs a trained model, and minutes"]
fn the_drop_over_a_cue_goes_with_what_the_cue_is_worth() {
    let model = env::var_os("PLANET_MODEL").map_or_else(|| "demo/model".into(), PathBuf::from);
    let package = ModelPackage::open(&model).expect("a model that planet demo has made");
    let world = World::draw(WorldParameters::new(0)).expect("the usual world");
    let coverage = Coverage::new(&world, package.partition(), &NoMonitor).expect("no Ctrl-C");
    let streets = streets(&world, package.partition());
    println!("{PHOTOS} streets of seed {SEED} at {SIDE} px, {}", model.display());
    for (name, search) in [("every box", Search::Every), ("coarse to fine", Search::CoarseToFine)] {
        let maps = maps(&package, &world, &streets, search);
        let passes: usize = maps.iter().map(|map| map.passes).sum();
        println!("\n{name}: {:.0} passes a photo", passes as f64 / maps.len() as f64);
        let sure = |(_, map): &(&SyntheticPhoto, &Occlusion)| map.probability() >= SURE;
        let all: Vec<_> = streets.iter().zip(&maps).collect();
        let sure: Vec<_> = all.iter().copied().filter(sure).collect();
        report(&world, &coverage, package.partition(), &all);
        println!("\nof these, {} whose true cell the model gives {SURE} or more:", sure.len());
        report(&world, &coverage, package.partition(), &sure);
    }
}

/// The first streets whose true place is in a cell.
fn streets(world: &World, partition: &Partition) -> Vec<SyntheticPhoto> {
    (0..)
        .map(|number| world.photo(SEED, number))
        .filter(|photo| photo.cues.scene == Scene::Street)
        .filter(|photo| partition.class_of(photo.position).is_some())
        .take(PHOTOS)
        .collect()
}

fn size() -> PictureSize {
    PictureSize::new(SIDE).expect("a size")
}

fn maps(
    package: &ModelPackage,
    world: &World,
    streets: &[SyntheticPhoto],
    search: Search,
) -> Vec<Occlusion> {
    let description = package.description();
    let engine = Rten::default().open(&package.model(), &Signature::of(description));
    let options = LocatorOptions { names: false, ..LocatorOptions::default() };
    let partition = Arc::new(package.partition().clone());
    let locator =
        Locator::new(partition, description.temperature, options, Arc::new(Gazetteer::new()));
    let photos: Vec<_> =
        streets.iter().map(|photo| (photo.id.clone(), Some(photo.position))).collect();
    let options = OcclusionOptions { target: Target::Truth, search, ..Default::default() };
    let store = SyntheticStore::new(world, LibrarySize::Photos(u64::MAX), SEED, size());
    let mut maps: Vec<Option<Occlusion>> = photos.iter().map(|_| None).collect();
    explain(
        &mut engine.expect("an engine"),
        &locator.expect("no ground"),
        &description.preprocess,
        &store,
        &photos,
        &options,
        &NoMonitor,
        |row, map| maps[row] = Some(map.expect("a map")),
    )
    .expect("maps");
    maps.into_iter().flatten().collect()
}

fn report(
    world: &World,
    coverage: &Coverage,
    partition: &Partition,
    photos: &[(&SyntheticPhoto, &Occlusion)],
) {
    let mut by_way: BTreeMap<&str, Vec<Vec<Pair>>> = BTreeMap::new();
    let mut by_cue: BTreeMap<CueKind, Vec<Pair>> = BTreeMap::new();
    let mut random = 1u64;
    for (photo, map) in photos {
        let layers = photo.layers(size());
        let class = partition.class_of(photo.position).expect("only such photos").index();
        let of = |posterior: Vec<f64>| coverage.cells(&posterior)[class];
        let whole = of(world.posterior(&photo.cues));
        let raster =
            |measure| map.map(measure).raster([map.size[0] as usize, map.size[1] as usize]);
        let (drop, odds) = (raster(Measure::Drop), raster(Measure::LogOdds));
        let middle = boxed(&layers, map, [0.5; 2]);
        let anywhere: Vec<Vec<f64>> = (0..ANYWHERE)
            .map(|_| boxed(&layers, map, [share(&mut random), share(&mut random)]))
            .collect();
        let mut pairs: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
        for (kind, _) in photo.cues.visible() {
            let mask = layers.mask(kind);
            if !mask.contains(&true) {
                continue;
            }
            let without = of(world.posterior_without(&photo.cues, kind));
            let mut add = |name, values: &[f64], measure: Measure| {
                let worth = measure.of(whole, without);
                pairs.entry(name).or_default().push(Pair { said: mean(values, &mask), worth });
            };
            add("drop: map", &drop, Measure::Drop);
            add("drop: box in the middle", &middle, Measure::Drop);
            add("log-odds: map", &odds, Measure::LogOdds);
            add("log-odds: box in the middle", &middle, Measure::LogOdds);
            for values in &anywhere {
                add("drop: boxes anywhere", values, Measure::Drop);
                add("log-odds: boxes anywhere", values, Measure::LogOdds);
            }
            let worth = whole - without;
            by_cue.entry(kind).or_default().push(Pair { said: mean(&drop, &mask), worth });
        }
        pairs.into_iter().for_each(|(name, pairs)| by_way.entry(name).or_default().push(pairs));
    }
    println!("{:<30} {:>8} {:>18} {:>16}", "", "Spearman", "95 % interval", "within a photo");
    for (name, photos) in &by_way {
        let all = |rows: &[usize]| spearman(rows.iter().flat_map(|row| photos[*row].clone()));
        let (found, [low, high]) = (all(&(0..photos.len()).collect::<Vec<_>>()), interval(photos));
        let own: Vec<f64> = photos.iter().map(|pairs| spearman(pairs.iter().copied())).collect();
        let own = own.iter().sum::<f64>() / own.len() as f64;
        println!("{name:<30} {found:>8.3}     {low:>6.3} … {high:>6.3} {own:>16.3}");
    }
    println!("\n{:<12} {:>14} {:>14}", "cue", "mean drop, %", "mean worth, %");
    for (kind, pairs) in by_cue {
        let mean = |of: &dyn Fn(&Pair) -> f64| {
            100.0 * pairs.iter().map(of).sum::<f64>() / pairs.len() as f64
        };
        println!(
            "{:<12} {:>14.2} {:>14.2}",
            kind.name(),
            mean(&|it| it.said),
            mean(&|it| it.worth)
        );
    }
}

/// One for the pixels of a box as large as those that are hidden, zero for the others; its middle
/// lies at a share of the room that it has.
fn boxed(layers: &LayerMap, map: &Occlusion, [down, across]: [f64; 2]) -> Vec<f64> {
    let PixelBox { width, height, .. } = map.boxes[0].hidden;
    let from = |share: f64, room: u32| (share * f64::from(room)).round() as u32;
    let (top, left) = (from(down, layers.height - height), from(across, layers.width - width));
    let inside = |at: u32| {
        let (row, column) = (at / layers.width, at % layers.width);
        (top..top + height).contains(&row) && (left..left + width).contains(&column)
    };
    (0..layers.width * layers.height).map(|at| f64::from(u8::from(inside(at)))).collect()
}

fn mean(values: &[f64], mask: &[bool]) -> f64 {
    let inside = values.iter().zip(mask).filter(|(_, inside)| **inside);
    let (sum, count) =
        inside.fold((0.0, 0.0), |(sum, count), (value, _)| (sum + value, count + 1.0));
    sum / count
}

/// The next number from 0 to 1 of a generator by Marsaglia (xorshift).
fn share(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

fn interval(photos: &[Vec<Pair>]) -> [f64; 2] {
    let mut random = 7u64;
    let mut found: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let rows =
                (0..photos.len()).map(|_| (share(&mut random) * photos.len() as f64) as usize);
            let rows: Vec<usize> = rows.collect();
            // Boxes anywhere are twenty times as many; every tenth pair tells as much.
            let step = if photos[0].len() > 50 { 10 } else { 1 };
            spearman(rows.iter().flat_map(|row| photos[*row].iter().copied().step_by(step)))
        })
        .collect();
    found.sort_by(f64::total_cmp);
    [found[RESAMPLES / 40], found[RESAMPLES - 1 - RESAMPLES / 40]]
}

/// The correlation of the ranks; of equal values each has their mean rank.
fn spearman(pairs: impl Iterator<Item = Pair>) -> f64 {
    let pairs: Vec<Pair> = pairs.collect();
    let said = ranks(&pairs.iter().map(|pair| pair.said).collect::<Vec<_>>());
    let worth = ranks(&pairs.iter().map(|pair| pair.worth).collect::<Vec<_>>());
    let middle = (pairs.len() as f64 - 1.0) / 2.0;
    let sum = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum()
    };
    let spread = (sum(&said, &said) * sum(&worth, &worth)).sqrt();
    if spread == 0.0 { 0.0 } else { sum(&said, &worth) / spread }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut begin = 0;
    while begin < order.len() {
        let same = |at: &&usize| values[**at] == values[order[begin]];
        let end = begin + order[begin..].iter().take_while(same).count();
        let rank = (begin + end - 1) as f64 / 2.0;
        order[begin..end].iter().for_each(|at| ranks[*at] = rank);
        begin = end;
    }
    ranks
}

#[test]
fn ranks_of_equal_values_are_their_mean_and_the_order_alone_counts() {
    assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
    let pairs = |worth: [f64; 4]| {
        let said = [0.1, 0.2, 0.4, 10.0];
        said.into_iter().zip(worth).map(|(said, worth)| Pair { said, worth })
    };
    assert!((spearman(pairs([1.0, 2.0, 3.0, 4.0])) - 1.0).abs() < 1e-12);
    assert!((spearman(pairs([9.0, 5.0, 3.0, 1.0])) + 1.0).abs() < 1e-12);
    assert_eq!(spearman(pairs([1.0; 4])), 0.0);
}

//! Cameras whose clocks differ, found by what their photos show.

use std::{collections::BTreeMap, fmt};

use planet_data::{CaptureTime, PhotoRecord};
use rayon::prelude::*;

use crate::{ClockOffset, LookAlikes, look_alikes::cosine};

/// Photos of each camera that are compared: of more, every n-th of the other cameras, and of the
/// reference those of every n-th day.
const COMPARED: usize = 400;
const REFERENCES: usize = 3000;
/// Photos of which a clock is never told.
const FEWEST: usize = 8;
/// Photos of one camera within so many seconds show the same moment, and farther apart than the
/// second they do not.
const MOMENT: i64 = 1800;
const OTHER: i64 = 86_400;
/// Pairs of the same moment that are needed to know how alike such photos are.
const PAIRS: usize = 20;
/// Groups of pairs by their likeness.
const BINS: usize = 12;
/// Most similar photos of the reference that propose offsets, in steps of so many seconds.
const PROPOSING: usize = 5;
const STEP: i64 = 600;
/// Probability that a photo whose moment the reference photographed too shows what it shows.
const SHOWS: f64 = 0.7;
/// Photos of one moment tell the same: each counts half.
const TEMPER: f64 = 0.5;
/// Offsets so near to the best one, in seconds, are the same to a person.
const SAME: i64 = 3600;
/// Offsets of about this size, in seconds, are usual: zones, and a wrong day.
const USUAL: f64 = 86_400.0;

/// The offset of a camera's clock against another camera's, according to look-alikes.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelClock {
    /// What has to be added to the camera's times to reach those of the reference.
    pub offset: ClockOffset,
    /// The camera that it was compared with.
    pub reference: String,
    /// Probability that the offset is right within an hour, 0 to 1.
    pub confidence: f64,
    /// Photos of the camera that were compared.
    pub photos: usize,
}

impl fmt::Display for PixelClock {
    /// `Canon EOS 70D=+1:00:00 against Pixel 8, confidence 98 %, from 120 photos`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, reference, confidence, photos } = self;
        let percent = 100.0 * confidence;
        write!(f, "{offset} against {reference}, confidence {percent:.0} %, from {photos} photos")
    }
}

/// Finds by how much the clock of each camera differs from that of the reference: the camera with
/// the most photos whose times have a zone, or else with the most photos. Photos that look alike
/// were taken at the same time; how alike photos of one moment are, and how often others are as
/// alike, is learned from the reference's own. Cameras with fewer than eight photos are left out,
/// and so are all where the reference has too few photos of one moment. Never changes a time.
pub fn clocks_by_pixels(records: &[PhotoRecord], look_alikes: &LookAlikes) -> Vec<PixelClock> {
    let mut cameras: BTreeMap<&str, Camera<'_>> = BTreeMap::new();
    for (row, record) in records.iter().enumerate() {
        let time = record.time.as_deref().and_then(CaptureTime::parse);
        let (Some(name), Some(time), Some(vector)) =
            (record.camera.as_deref(), time, look_alikes.vector(row))
        else {
            continue;
        };
        let camera = cameras.entry(name).or_default();
        camera.zoned += usize::from(time.instant.is_some());
        camera.photos.push((time.instant.unwrap_or(time.clock), vector));
    }
    cameras.values_mut().for_each(|camera| camera.photos.sort_by_key(|photo| photo.0));
    let by_trust = |it: &(&&str, &Camera<'_>)| (it.1.zoned, it.1.photos.len());
    let Some((name, reference)) = cameras.iter().max_by_key(by_trust) else { return Vec::new() };
    let reference_photos = reference.some_days();
    let Some(likeness) = Likeness::learn(&reference_photos) else { return Vec::new() };
    let others = cameras.iter().filter(|(other, _)| *other != name);
    let found = others.filter_map(|(other, camera)| {
        let step = camera.photos.len().div_ceil(COMPARED).max(1);
        let photos: Vec<Shot<'_>> = camera.photos.iter().step_by(step).copied().collect();
        let (seconds, confidence) = offset(&photos, &reference_photos, &likeness)?;
        let offset = ClockOffset { camera: (*other).to_owned(), seconds };
        Some(PixelClock { offset, reference: (*name).to_owned(), confidence, photos: photos.len() })
    });
    found.collect()
}

/// A photo's time and vector.
type Shot<'a> = (i64, &'a [f32]);

/// The photos of a camera in order of its clock.
#[derive(Default)]
struct Camera<'a> {
    photos: Vec<Shot<'a>>,
    /// Photos whose times have a zone.
    zoned: usize,
}

impl<'a> Camera<'a> {
    /// All photos, or those of days at regular distances.
    fn some_days(&self) -> Vec<Shot<'a>> {
        let step = self.photos.len().div_ceil(REFERENCES).max(1);
        let days = self.photos.chunk_by(|a, b| a.0.div_euclid(OTHER) == b.0.div_euclid(OTHER));
        days.step_by(step).flatten().copied().collect()
    }
}

/// How much more frequent a likeness is among photos of one moment than among others.
struct Likeness {
    /// Upper bounds of the bins but the last, ascending.
    bounds: Vec<f32>,
    ratios: Vec<f64>,
}

impl Likeness {
    fn learn(photos: &[Shot<'_>]) -> Option<Self> {
        let pairs = |at: usize| {
            let (time, vector) = photos[at];
            let (mut same, mut other) = (Vec::new(), Vec::new());
            for (later, its) in &photos[at + 1..] {
                match later - time {
                    ..=MOMENT => same.push(cosine(vector, its)),
                    OTHER.. => other.push(cosine(vector, its)),
                    _ => {}
                }
            }
            (same, other)
        };
        let all: Vec<(Vec<f32>, Vec<f32>)> = (0..photos.len()).into_par_iter().map(pairs).collect();
        let (same, other): (Vec<Vec<f32>>, Vec<Vec<f32>>) = all.into_iter().unzip();
        let mut same = same.concat();
        if same.len() < PAIRS || other.iter().all(Vec::is_empty) {
            return None;
        }
        same.sort_by(f32::total_cmp);
        let bounds: Vec<f32> = (1..BINS).map(|bin| same[bin * same.len() / BINS]).collect();
        let bin = |value: f32| bounds.partition_point(|bound| *bound <= value);
        let shares = |values: &mut dyn Iterator<Item = f32>| -> Vec<f64> {
            let mut counts = vec![0.5; BINS];
            values.for_each(|value| counts[bin(value)] += 1.0);
            let sum: f64 = counts.iter().sum();
            counts.into_iter().map(|count| count / sum).collect()
        };
        let of_same = shares(&mut same.iter().copied());
        let of_others = shares(&mut other.into_iter().flatten());
        let mut most = 0.0f64;
        // The more alike, the more likely of one moment.
        let ratios = of_same.iter().zip(of_others).map(|(same, other)| {
            most = most.max(same / other);
            most
        });
        let ratios = ratios.collect();
        Some(Self { bounds, ratios })
    }

    fn ratio(&self, similarity: f32) -> f64 {
        self.ratios[self.bounds.partition_point(|bound| *bound <= similarity)]
    }
}

/// The most probable offset in seconds and its probability; `None` for too few photos.
fn offset(photos: &[Shot<'_>], reference: &[Shot<'_>], likeness: &Likeness) -> Option<(i64, f64)> {
    if photos.len() < FEWEST {
        return None;
    }
    let compared: Vec<Compared> =
        photos.par_iter().map(|photo| Compared::of(*photo, reference, likeness)).collect();
    let mut proposed: Vec<i64> =
        compared.iter().flat_map(|it| it.proposed.iter().copied()).collect();
    proposed.sort_unstable();
    proposed.dedup();
    let times: Vec<i64> = reference.iter().map(|photo| photo.0).collect();
    let score = |offset: &i64| {
        let sum: f64 = compared.iter().map(|it| it.score(*offset, &times)).sum();
        TEMPER * (sum - (offset.abs() as f64 / USUAL).ln_1p())
    };
    let scores: Vec<f64> = proposed.par_iter().map(score).collect();
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))?;
    let weight = |score: f64| (score - scores[best]).exp();
    // With the possibility that the two never photographed the same.
    let all: f64 = scores.iter().map(|it| weight(*it)).sum::<f64>() + weight(0.0);
    let near = (0..scores.len()).filter(|at| (proposed[*at] - proposed[best]).abs() <= SAME);
    Some((proposed[best], near.map(|at| weight(scores[at])).sum::<f64>() / all))
}

/// A photo compared with those of the reference.
struct Compared {
    time: i64,
    /// Sums of the ratios of the reference's first so many photos, beginning with none.
    sums: Vec<f64>,
    /// Offsets by which it would be of one moment with the most similar photos.
    proposed: Vec<i64>,
}

impl Compared {
    fn of((time, vector): Shot<'_>, reference: &[Shot<'_>], likeness: &Likeness) -> Self {
        let alike: Vec<f32> = reference.iter().map(|(_, its)| cosine(vector, its)).collect();
        let mut sum = 0.0;
        let sums = alike.iter().map(|it| {
            sum += likeness.ratio(*it);
            sum
        });
        let sums = std::iter::once(0.0).chain(sums).collect();
        let mut order: Vec<usize> = (0..alike.len()).collect();
        order.sort_by(|a, b| alike[*b].total_cmp(&alike[*a]).then(a.cmp(b)));
        let offset = |at: &usize| {
            let seconds = reference[*at].0 - time;
            (seconds + STEP / 2).div_euclid(STEP) * STEP
        };
        Self { time, sums, proposed: order.iter().take(PROPOSING).map(offset).collect() }
    }

    /// How much more likely the photo is if the reference's photos at its time, with this offset,
    /// are of the same moment, than if they are any; 0 where the reference has none then.
    fn score(&self, offset: i64, times: &[i64]) -> f64 {
        let time = self.time + offset;
        let from = times.partition_point(|it| *it < time - MOMENT);
        let to = times.partition_point(|it| *it <= time + MOMENT);
        if from == to {
            return 0.0;
        }
        let mean = (self.sums[to] - self.sums[from]) / (to - from) as f64;
        (1.0 - SHOWS + SHOWS * mean).ln()
    }
}

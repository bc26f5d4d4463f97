//! Cameras whose clocks are wrong: how far, and photos with corrected times.

use std::{collections::BTreeMap, fmt, str::FromStr};

use planet_data::{CaptureTime, PhotoRecord};
use planet_geo::LatLng;

use crate::{TrackLimits, TrackPosition, Tracks, tracked::by_local_time};

/// Offsets that are tried: up to so many seconds, which holds every zone and a wrong day, in steps.
const FARTHEST: i64 = 26 * 3600;
const STEP: i64 = 60;
/// Photos of a camera that are compared with tracks.
const COMPARED: usize = 400;
/// Photos of which a clock is never told.
const FEWEST: usize = 4;
/// Offsets so near to the best one, in seconds, are the same to a person.
const SAME: i64 = 300;
/// A photo may be wrong for another reason with this probability.
const ELSEWHERE: f64 = 0.05;
/// Density of such a photo's distance, per metre, and the least accuracy that is expected of a
/// photo's own position, in metres.
const ANYWHERE: f64 = 1e-6;
const OWN_ACCURACY: f64 = 50.0;
/// A person is at the place of a fix, and not on a way, with this probability; also still or already
/// when the track has a gap of up to so many seconds.
const STAYED: f64 = 0.5;
const LONGEST_STAY: i64 = 86_400;
/// An offset is a whole number of quarters of an hour, as between zones, with this probability.
const ZONE: f64 = 0.5;
const QUARTER: i64 = 900;
/// How much more likely two offsets must be than one, in nats, before a clock is taken to have
/// jumped: each is chosen among thousands.
const JUMPED: f64 = 20.0;

/// What has to be added to a camera's times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// The camera as the photos name it: make and model.
    pub camera: String,
    /// Seconds to add.
    pub seconds: i64,
}

impl FromStr for ClockOffset {
    type Err = String;

    /// Reads `Canon EOS 70D=+1:00:00`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not CAMERA=+H:MM:SS, such as 'Canon EOS 70D=-1:30:00'");
        let (camera, offset) = text.rsplit_once('=').ok_or_else(wrong)?;
        let (sign, digits) = match offset.trim().split_at_checked(1).ok_or_else(wrong)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return Err(wrong()),
        };
        let parts: Vec<i64> = digits
            .split(':')
            .map(|part| part.parse().ok().filter(|_| part.bytes().all(|it| it.is_ascii_digit())))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        let seconds = match parts[..] {
            [hours, minutes] if minutes < 60 && hours < 1_000_000 => 3600 * hours + 60 * minutes,
            [hours, minutes, seconds] if minutes < 60 && seconds < 60 && hours < 1_000_000 => {
                3600 * hours + 60 * minutes + seconds
            }
            _ => return Err(wrong()),
        };
        match camera.trim() {
            "" => Err(wrong()),
            camera => Ok(Self { camera: camera.to_owned(), seconds: sign * seconds }),
        }
    }
}

impl fmt::Display for ClockOffset {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.camera, Signed(self.seconds))
    }
}

/// Seconds as `+1:00:00`.
struct Signed(i64);

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, all) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)
    }
}

/// Photos with the times of these cameras corrected; the files keep theirs. `in_utc`: the corrected
/// times of photos without a zone are UTC, because what they are compared with has zones.
pub fn with_offsets(
    records: &[PhotoRecord],
    offsets: &[ClockOffset],
    in_utc: bool,
) -> Vec<PhotoRecord> {
    let corrected = |record: &PhotoRecord| {
        let of_camera = |it: &&ClockOffset| Some(&it.camera) == record.camera.as_ref();
        let offset = offsets.iter().find(of_camera)?;
        let mut time = CaptureTime::parse(record.time.as_deref()?)?;
        if in_utc {
            time.instant = time.instant.or(Some(time.clock));
        }
        Some(PhotoRecord { time: time.later(offset.seconds), ..record.clone() })
    };
    records.iter().map(|record| corrected(record).unwrap_or_else(|| record.clone())).collect()
}

/// The offset of a camera's clock according to tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockEstimate {
    /// What has to be added to the camera's times; of photos without a zone, to reach UTC.
    pub offset: ClockOffset,
    /// Probability that the offset is right within five minutes, 0 to 1.
    pub confidence: f64,
    /// Photos with a position that were compared with the tracks.
    pub photos: usize,
    /// The offsets before and from the photo of this time on, where two explain the photos much
    /// better than one: the clock was set in between, and the first offset is not right for all.
    pub jump: Option<(i64, i64, String)>,
    /// Offsets that together are right with 95 %, in seconds.
    likely: Vec<i64>,
    /// Whether local time of the place, whose zone changes on the way, explains the photos much better
    /// than any offset.
    is_local_time: bool,
}

/// Probability of which offsets count as likely.
const LIKELY: f64 = 0.95;
/// Likely offsets at which a photo is looked up: of more, every n-th.
const LOOKED_UP: usize = 30;
/// How much more likely local time must be than an offset, in nats.
const BETTER: f64 = 3.0;

impl ClockEstimate {
    /// Where the camera's clock may be, beside what its photos say: with times that are corrected by
    /// this estimate (`is_applied`) or as they are. `None` where that is unknown: the clock was set on
    /// the way, or shows the local time of the place.
    pub fn uncertainty(&self, is_applied: bool) -> Option<ClockUncertainty> {
        if self.jump.is_some() || (self.is_local_time && !is_applied) {
            return None;
        }
        let base = if is_applied { self.offset.seconds } else { 0 };
        let mut likely = self.likely.clone();
        likely.sort_unstable();
        let every = likely.len().div_ceil(LOOKED_UP);
        // The right offset lies up to half a step from one that is tried.
        let around = |offset: &i64| [-STEP / 2, 0, STEP / 2].map(|it| offset - base + it);
        let offsets = likely.iter().step_by(every).flat_map(around).collect();
        Some(ClockUncertainty { camera: self.offset.camera.clone(), offsets })
    }
}

/// How far a camera's times may be wrong: photos are located by tracks as far as all of these agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockUncertainty {
    pub(crate) camera: String,
    /// What may have to be added, in seconds; of photos without a zone, to reach UTC.
    pub(crate) offsets: Vec<i64>,
}

impl fmt::Display for ClockEstimate {
    /// `Canon EOS 70D=+1:00:00, confidence 98 %, from 120 photos`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((before, after, time)) = &self.jump {
            return write!(
                f,
                "{}: inconsistent, {} before {time} and {} from then on, from {} photos",
                self.offset.camera,
                Signed(*before),
                Signed(*after),
                self.photos
            );
        }
        let percent = 100.0 * self.confidence;
        write!(f, "{}, confidence {percent:.0} %, from {} photos", self.offset, self.photos)
    }
}

/// A photo that is compared.
#[derive(Clone, Copy)]
struct Moment<'a> {
    /// Seconds, and as the record has it.
    time: i64,
    text: &'a str,
    position: LatLng,
    /// Metres.
    accuracy: f64,
}

impl Moment<'_> {
    /// Density of this photo's distance from a place, per metre, if it was taken there.
    fn density(&self, place: LatLng) -> f64 {
        kernel(place.distance_to(self.position).m(), self.accuracy)
    }

    /// The same, if it was taken at or near the place of a track, which may be so many metres off.
    fn density_near(&self, found: &TrackPosition, moved: f64) -> f64 {
        let width = self.accuracy.hypot(found.accuracy.m()).hypot(moved);
        let on_the_way = kernel(found.position.distance_to(self.position).m(), width);
        STAYED * self.density(found.position) + (1.0 - STAYED) * on_the_way
    }
}

fn kernel(distance: f64, width: f64) -> f64 {
    (-distance / width).exp() / width
}

/// Compares the known positions of each camera with the tracks, at every offset of up to 26 hours
/// in steps of a minute. Cameras with fewer than four positions, or none near a track at any
/// offset, are left out. Never changes a time.
pub fn clocks_by_tracks(
    records: &[PhotoRecord],
    tracks: &Tracks,
    limits: TrackLimits,
) -> Vec<ClockEstimate> {
    let mut cameras: BTreeMap<(&str, bool), Vec<Moment<'_>>> = BTreeMap::new();
    for record in records {
        let Some(text) = record.time.as_deref() else { continue };
        let (Some(camera), Some(time), Some(position)) =
            (record.camera.as_deref(), CaptureTime::parse(text), record.known_position())
        else {
            continue;
        };
        let accuracy = record.accuracy_m.unwrap_or(0.0).max(OWN_ACCURACY);
        let time = (time.instant.unwrap_or(time.clock), time.instant.is_some());
        let moment = Moment { time: time.0, text, position, accuracy };
        cameras.entry((camera, time.1)).or_default().push(moment);
    }
    let estimates = cameras.into_iter().filter_map(|((camera, has_zone), mut moments)| {
        moments.sort_by_key(|moment| moment.time);
        let step = moments.len().div_ceil(COMPARED).max(1);
        let moments: Vec<Moment<'_>> = moments.into_iter().step_by(step).collect();
        estimate(camera, has_zone, &moments, tracks, limits)
    });
    estimates.collect()
}

fn estimate(
    camera: &str,
    has_zone: bool,
    moments: &[Moment<'_>],
    tracks: &Tracks,
    limits: TrackLimits,
) -> Option<ClockEstimate> {
    let offsets: Vec<i64> = (-FARTHEST / STEP..=FARTHEST / STEP).map(|it| it * STEP).collect();
    if moments.len() < FEWEST {
        return None;
    }
    let usual = usual(moments);
    // Of each offset the log-probability, and with it that of the first so many photos, beginning
    // with none.
    let sums: Vec<Vec<f64>> = offsets
        .iter()
        .map(|offset| {
            let mut sum = prior(*offset);
            let of_moment = moments.iter().zip(&usual).map(|(moment, usual)| {
                sum += log_likelihood(moment, *usual, *offset, tracks, limits);
                sum
            });
            std::iter::once(prior(*offset)).chain(of_moment.collect::<Vec<_>>()).collect()
        })
        .collect();
    let whole = |at: usize| sums[at][moments.len()];
    let best = (0..offsets.len()).max_by(|a, b| {
        // Of equally likely ones the smaller correction.
        whole(*a).total_cmp(&whole(*b)).then(offsets[*b].abs().cmp(&offsets[*a].abs()))
    })?;
    // As likely as without tracks: none was near.
    let without: f64 = usual.iter().map(|usual| log_mixture(*usual)).sum();
    let of_best = whole(best) - prior(offsets[best]);
    if of_best <= without + 1.0 {
        return None;
    }
    let weight = |at: usize| (whole(at) - whole(best)).exp();
    let all: f64 = (0..offsets.len()).map(weight).sum();
    let near = (0..offsets.len()).filter(|at| (offsets[*at] - offsets[best]).abs() <= SAME);
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by(|a, b| whole(*b).total_cmp(&whole(*a)));
    let mut held = 0.0;
    let likely = order.into_iter().take_while(|at| {
        let is_needed = held < LIKELY * all;
        held += weight(*at);
        is_needed
    });
    let by_local_time = || -> f64 {
        let of_moments = moments.iter().zip(&usual).map(|(moment, usual)| {
            let found = by_local_time(moment.time, tracks, limits);
            log_mixture(found.map_or(*usual, |it| moment.density_near(&it, 0.0)))
        });
        of_moments.sum()
    };
    Some(ClockEstimate {
        offset: ClockOffset { camera: camera.to_owned(), seconds: offsets[best] },
        confidence: near.map(weight).sum::<f64>() / all,
        photos: moments.len(),
        jump: jump(&offsets, &sums, moments, whole(best)),
        likely: likely.map(|at| offsets[at]).collect(),
        is_local_time: !has_zone && by_local_time() > of_best + BETTER,
    })
}

/// Where two offsets, one after the other, explain the photos much better than the best one.
fn jump(
    offsets: &[i64],
    sums: &[Vec<f64>],
    moments: &[Moment<'_>],
    best: f64,
) -> Option<(i64, i64, String)> {
    let photos = moments.len();
    let most = |of: &dyn Fn(usize) -> f64| {
        let values = (0..offsets.len()).map(|at| (of(at), offsets[at]));
        values.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.abs().cmp(&a.1.abs())))
    };
    let cuts = FEWEST..(photos + 1).saturating_sub(FEWEST);
    let (sum, before, after, cut) = cuts
        .filter_map(|cut| {
            let before = most(&|at| sums[at][cut])?;
            let after = most(&|at| sums[at][photos] - sums[at][cut] + prior(offsets[at]))?;
            Some((before.0 + after.0, before.1, after.1, cut))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    let has_jumped = sum > best + JUMPED && (after - before).abs() > SAME;
    has_jumped.then(|| (before, after, moments[cut].text.to_owned()))
}

/// Logarithm of the probability of an offset before anything is seen.
fn prior(offset: i64) -> f64 {
    let offsets = 2 * (FARTHEST / STEP) + 1;
    let zones = 2 * (FARTHEST / QUARTER) + 1;
    match offset % QUARTER {
        0 => (ZONE / zones as f64).ln(),
        _ => ((1.0 - ZONE) / (offsets - zones) as f64).ln(),
    }
}

/// Of each photo the density of its position according to where the others were taken: what is
/// known of it where no track is near.
fn usual(moments: &[Moment<'_>]) -> Vec<f64> {
    let of_others = |at: usize| -> f64 {
        let others = moments.iter().enumerate().filter(|(other, _)| *other != at);
        others.map(|(_, other)| moments[at].density(other.position)).sum()
    };
    (0..moments.len()).map(|at| of_others(at) / moments.len() as f64 + ANYWHERE).collect()
}

/// Logarithm of the density of a photo's position, given where the track was: at or near that place;
/// in a gap at its ends or where the person's photos usually are. Being without a track is no
/// evidence for or against an offset.
fn log_likelihood(
    moment: &Moment<'_>,
    usual: f64,
    offset: i64,
    tracks: &Tracks,
    limits: TrackLimits,
) -> f64 {
    let time = moment.time + offset;
    let at = |seconds: i64| tracks.at(time + seconds, limits);
    if let Some(found) = at(0) {
        // The right offset lies up to half a step from one that is tried.
        let sides = [at(-STEP / 2), at(STEP / 2)].into_iter().flatten();
        let moved = sides.map(|it| it.position.distance_to(found.position).m());
        return log_mixture(moment.density_near(&found, moved.fold(0.0, f64::max)));
    }
    let ends = tracks.around(time, LONGEST_STAY);
    let of_ends =
        ends.iter().map(|end| moment.density(*end)).sum::<f64>() / ends.len().max(1) as f64;
    let stayed = if ends.is_empty() { 0.0 } else { STAYED };
    log_mixture(stayed * of_ends + (1.0 - stayed) * usual)
}

/// Logarithm of a density, if a photo may also be anywhere.
fn log_mixture(density: f64) -> f64 {
    ((1.0 - ELSEWHERE) * density + ELSEWHERE * ANYWHERE).ln()
}

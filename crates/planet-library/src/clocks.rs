//! Cameras whose clocks are wrong: how far, and photos with corrected times.

use std::{collections::BTreeMap, fmt, str::FromStr};

use planet_data::{CaptureTime, PhotoRecord};
use planet_geo::LatLng;

use crate::{TrackLimits, Tracks};

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

/// A photo that is compared: its time in seconds and its text, and its position.
type Moment<'a> = (i64, &'a str, LatLng, f64);

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
        let moment = (time.instant.unwrap_or(time.clock), text, position, accuracy);
        cameras.entry((camera, time.instant.is_some())).or_default().push(moment);
    }
    let estimates = cameras.into_iter().filter_map(|((camera, _), mut moments)| {
        moments.sort_by_key(|moment| moment.0);
        let step = moments.len().div_ceil(COMPARED).max(1);
        let moments: Vec<Moment<'_>> = moments.into_iter().step_by(step).collect();
        estimate(camera, &moments, tracks, limits)
    });
    estimates.collect()
}

fn estimate(
    camera: &str,
    moments: &[Moment<'_>],
    tracks: &Tracks,
    limits: TrackLimits,
) -> Option<ClockEstimate> {
    let offsets: Vec<i64> = (-FARTHEST / STEP..=FARTHEST / STEP).map(|it| it * STEP).collect();
    if moments.len() < FEWEST {
        return None;
    }
    // Of each offset the log-likelihood of the first so many photos, beginning with none.
    let sums: Vec<Vec<f64>> = offsets
        .iter()
        .map(|offset| {
            let mut sum = 0.0;
            let of_moment = moments.iter().map(|moment| {
                sum += log_likelihood(moment, *offset, tracks, limits);
                sum
            });
            std::iter::once(0.0).chain(of_moment.collect::<Vec<_>>()).collect()
        })
        .collect();
    let whole = |at: usize| sums[at][moments.len()];
    let best = (0..offsets.len()).max_by(|a, b| {
        // Of equally likely ones the smaller correction.
        whole(*a).total_cmp(&whole(*b)).then(offsets[*b].abs().cmp(&offsets[*a].abs()))
    })?;
    // As likely as if every photo were anywhere: no track was near.
    if whole(best) <= moments.len() as f64 * ANYWHERE.ln() + 1.0 {
        return None;
    }
    let weight = |at: usize| (whole(at) - whole(best)).exp();
    let all: f64 = (0..offsets.len()).map(weight).sum();
    let near = (0..offsets.len()).filter(|at| (offsets[*at] - offsets[best]).abs() <= SAME);
    Some(ClockEstimate {
        offset: ClockOffset { camera: camera.to_owned(), seconds: offsets[best] },
        confidence: near.map(weight).sum::<f64>() / all,
        photos: moments.len(),
        jump: jump(&offsets, &sums, moments, whole(best)),
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
            let after = most(&|at| sums[at][photos] - sums[at][cut])?;
            Some((before.0 + after.0, before.1, after.1, cut))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    let has_jumped = sum > best + JUMPED && (after - before).abs() > SAME;
    has_jumped.then(|| (before, after, moments[cut].1.to_owned()))
}

/// Logarithm of the density of a photo's distance from where the track was.
fn log_likelihood(
    (time, _, position, accuracy): &Moment<'_>,
    offset: i64,
    tracks: &Tracks,
    limits: TrackLimits,
) -> f64 {
    let near = tracks.at(time + offset, limits).map_or(0.0, |found| {
        let width = accuracy.hypot(found.accuracy.m());
        (-found.position.distance_to(*position).m() / width).exp() / width
    });
    ((1.0 - ELSEWHERE) * near + ELSEWHERE * ANYWHERE).max(ELSEWHERE * ANYWHERE).ln()
}

use std::fmt;

use planet_data::PhotoRecord;
use planet_geo::LatLng;

/// What the seconds of a timeline count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Seconds since 1970-01-01T00:00:00Z: some photos have a zone.
    Instant,
    /// What clocks showed, in seconds since they would have shown 1970-01-01T00:00:00: no photo
    /// has a zone.
    WallClock,
}

/// How the times of a group of photos were brought onto the timeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Alignment {
    /// The times have a zone.
    Zoned,
    /// The other clocks are compared with this one.
    Reference,
    /// The clock shows the local time, as photos with a zone say it or as the reference does.
    LocalTime {
        /// How probable that is.
        probability: f64,
    },
    /// The clock stays at this offset from UTC wherever it is.
    UtcOffset {
        /// East of Greenwich is positive.
        seconds: i64,
        /// How probable that is.
        probability: f64,
    },
    /// The clock is ahead of the reference by so much.
    Shift {
        /// A clock that shows more is ahead.
        seconds: i64,
        /// How probable that is.
        probability: f64,
    },
    /// No other clock took a photo within days: it does not matter.
    FarApart,
    /// Nothing tells: these photos are not compared in time with those of other clocks.
    Unknown,
}

impl Alignment {
    /// How probable it is.
    pub fn probability(self) -> f64 {
        match self {
            Self::Zoned | Self::Reference | Self::FarApart => 1.0,
            Self::LocalTime { probability }
            | Self::UtcOffset { probability, .. }
            | Self::Shift { probability, .. } => probability,
            Self::Unknown => 0.0,
        }
    }
}

/// The clock of a group of photos: those with a zone, or those of an author's camera or album.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// Camera or, where that is unknown, album; with the author, where one is named.
    pub name: String,
    /// Number of photos with a time.
    pub photos: usize,
    /// What the timeline counts.
    pub basis: Basis,
    /// How it was aligned with the others.
    pub alignment: Alignment,
}

impl Clock {
    pub(super) fn new(
        record: &PhotoRecord,
        zoned: bool,
        photos: usize,
        basis: Basis,
        alignment: Alignment,
    ) -> Self {
        let name = if zoned {
            "photos with a time zone".to_owned()
        } else {
            let source = record.camera.as_deref().or(record.album.as_deref());
            let author = record.author.as_deref().map(|it| format!(" of {it}"));
            format!("{}{}", source.unwrap_or("unknown camera"), author.unwrap_or_default())
        };
        Self { name, photos, basis, alignment }
    }

    /// Whether its times were compared with others by an assumption or not at all.
    pub fn is_uncertain(&self) -> bool {
        self.alignment.probability() < 1.0
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} photos): ", self.name, self.photos)?;
        let hours = |seconds: i64| {
            let sign = if seconds < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
        };
        match self.alignment {
            Alignment::Zoned => write!(f, "times have a zone"),
            Alignment::Reference => write!(f, "reference for the other clocks"),
            Alignment::LocalTime { probability } => {
                write!(f, "no time zone; assumed to be local time ({:.0} %)", 100.0 * probability)
            }
            Alignment::UtcOffset { seconds, probability } => write!(
                f,
                "no time zone; assumed to be UTC{} throughout ({:.0} %)",
                hours(seconds),
                100.0 * probability
            ),
            Alignment::Shift { seconds, probability } => {
                write!(f, "clock error of {} ({:.0} %)", hours(seconds), 100.0 * probability)
            }
            Alignment::FarApart => write!(f, "no time zone; far in time from all others"),
            Alignment::Unknown => write!(
                f,
                "no time zone, and the offset cannot be estimated; not compared in time with the others"
            ),
        }
    }
}

/// A photo with a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub row: usize,
    /// The time on the timeline's basis once it is known; before, where it has a zone.
    pub instant: Option<i64>,
    /// What the clock showed.
    pub clock: i64,
    /// Where it was taken, if that is known and evidence.
    pub position: Option<LatLng>,
}

impl Event {
    fn time(&self) -> i64 {
        self.instant.unwrap_or(self.clock)
    }
}

const HOUR: i64 = 3600;
/// Photos of a clock within so many seconds are one moment: they tell no more than one.
const MOMENT: i64 = 900;
/// Moments of a clock that are looked at.
const MOMENTS: usize = 500;
/// Beyond so many seconds from all others an offset of hours does not matter.
const FAR: i64 = 36 * HOUR;
/// Prior probability that a clock shows local time: of any camera, of one that also wrote zones,
/// and of two clocks without zones.
const LOCAL: [f64; 3] = [0.75, 0.97, 0.95];
/// Prior probability that it stays at the offset that the zoned photos have most often: home.
const HOME: f64 = 0.15;
/// Evidence from when photos are taken counts half, since moments depend on each other, and
/// that from coincidence at most so many nats: two cameras may be used at different hours.
const DEPENDENCE: f64 = 0.5;
const COINCIDENCE: f64 = 5.0;
/// Of photos, the share that is taken from midnight to six.
const NIGHT: f64 = 0.1;
/// An alignment less probable than this is unknown.
const BELIEVED: f64 = 0.5;

/// A hypothesis on a clock.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hypothesis {
    Local,
    Offset(i64),
}

/// Aligns the photos of one clock with a reference in order of time: writes their instants, and
/// says how. Each hypothesis is weighed by its prior, by how often photos coincide with those of
/// the reference, by the hours of the day at which they would have been taken, and by how known
/// positions agree with those of the reference at the time.
pub(super) fn align(
    events: &mut [Event],
    reference: &[Event],
    basis: Basis,
    same_camera: bool,
) -> Alignment {
    let reference = Reference::new(reference);
    let hypotheses = reference.hypotheses(basis, same_camera);
    let moments = moments(events);
    let overlaps = moments.iter().any(|moment| {
        let near = |(hypothesis, _): &(Hypothesis, f64)| {
            reference.nearest(reference.time(moment.clock, *hypothesis)) <= FAR
        };
        hypotheses.iter().any(near)
    });
    let (hypothesis, alignment) = if overlaps {
        let (best, probability) = reference.best(&moments, &hypotheses);
        let alignment = match (best, basis) {
            _ if probability < BELIEVED => Alignment::Unknown,
            (Hypothesis::Local, _) => Alignment::LocalTime { probability },
            (Hypothesis::Offset(seconds), Basis::Instant) => {
                Alignment::UtcOffset { seconds, probability }
            }
            (Hypothesis::Offset(seconds), Basis::WallClock) => {
                Alignment::Shift { seconds, probability }
            }
        };
        (best, alignment)
    } else {
        (Hypothesis::Local, Alignment::FarApart)
    };
    for event in events {
        event.instant = Some(reference.time(event.clock, hypothesis));
    }
    alignment
}

/// One photo of each quarter of an hour, one with a known position before others.
fn moments(events: &[Event]) -> Vec<Event> {
    let mut moments: Vec<Event> = Vec::new();
    for event in events {
        match moments.last_mut() {
            Some(last) if event.clock - last.clock < MOMENT => {
                if last.position.is_none() && event.position.is_some() {
                    *last = Event { clock: last.clock, ..*event };
                }
            }
            _ => moments.push(*event),
        }
    }
    let step = moments.len().div_ceil(MOMENTS).max(1);
    moments.into_iter().step_by(step).collect()
}

/// Photos whose times are on the timeline.
struct Reference {
    /// In order of time.
    times: Vec<i64>,
    /// Clock and offset from UTC at the place, in order of the clock.
    offsets: Vec<(i64, i64)>,
    /// Time and position, in order of time.
    fixes: Vec<(i64, LatLng)>,
}

impl Reference {
    fn new(events: &[Event]) -> Self {
        let mut offsets: Vec<(i64, i64)> =
            events.iter().map(|event| (event.clock, event.clock - event.time())).collect();
        offsets.sort_unstable();
        let fixes =
            events.iter().filter_map(|event| Some((event.time(), event.position?))).collect();
        Self { times: events.iter().map(Event::time).collect(), offsets, fixes }
    }

    /// Hypotheses with their prior probabilities.
    fn hypotheses(&self, basis: Basis, same_camera: bool) -> Vec<(Hypothesis, f64)> {
        if basis == Basis::WallClock {
            let others = (-14..=14).filter(|hours| *hours != 0);
            let others = others.map(|it| (Hypothesis::Offset(it * HOUR), (1.0 - LOCAL[2]) / 28.0));
            return [(Hypothesis::Local, LOCAL[2])].into_iter().chain(others).collect();
        }
        let local = LOCAL[usize::from(same_camera)];
        let mut seen: Vec<i64> = self.offsets.iter().map(|(_, offset)| *offset).collect();
        seen.sort_unstable();
        let home = seen.chunk_by(|a, b| a == b).max_by_key(|chunk| chunk.len()).map(|it| it[0]);
        seen.dedup();
        // Where all zoned photos have one offset, that one is the local time.
        let is_local = |offset: &i64| seen == [*offset];
        let mut offsets: Vec<i64> = (-12..=14).map(|hours| hours * HOUR).collect();
        offsets.extend(&seen);
        offsets.sort_unstable();
        offsets.dedup();
        offsets.retain(|offset| !is_local(offset));
        let rest = (1.0 - local) * (1.0 - HOME / (1.0 - LOCAL[0])) / offsets.len() as f64;
        let prior = |offset: i64| match home {
            Some(home) if offset == home => (1.0 - local) * HOME / (1.0 - LOCAL[0]) + rest,
            _ => rest,
        };
        let others = offsets.into_iter().map(|offset| (Hypothesis::Offset(offset), prior(offset)));
        [(Hypothesis::Local, local)].into_iter().chain(others).collect()
    }

    /// The offset from UTC that the reference had when clocks at its place showed this.
    fn offset_at(&self, clock: i64) -> i64 {
        let after = self.offsets.partition_point(|(known, _)| *known < clock);
        let sides = [after.checked_sub(1), Some(after)];
        let near = sides.iter().flatten().filter_map(|at| self.offsets.get(*at));
        near.min_by_key(|(known, _)| (known - clock).abs()).map_or(0, |(_, offset)| *offset)
    }

    /// The time on the timeline when a clock showed this.
    fn time(&self, clock: i64, hypothesis: Hypothesis) -> i64 {
        match hypothesis {
            Hypothesis::Local => clock - self.offset_at(clock),
            Hypothesis::Offset(offset) => clock - offset,
        }
    }

    /// Seconds to the nearest photo of the reference.
    fn nearest(&self, time: i64) -> i64 {
        let after = self.times.partition_point(|known| *known < time);
        let sides = [after.checked_sub(1), Some(after)];
        let away = sides.iter().flatten().filter_map(|at| self.times.get(*at));
        away.map(|known| (known - time).abs()).min().unwrap_or(i64::MAX)
    }

    /// The most probable hypothesis and its probability.
    fn best(&self, moments: &[Event], hypotheses: &[(Hypothesis, f64)]) -> (Hypothesis, f64) {
        let sum = |of: &dyn Fn(&Event, Hypothesis) -> f64| -> Vec<f64> {
            let of_all = |(hypothesis, _): &(Hypothesis, f64)| {
                moments.iter().map(|moment| of(moment, *hypothesis)).sum()
            };
            hypotheses.iter().map(of_all).collect()
        };
        let coincidence = sum(&|moment, it| self.coincidence(moment, it));
        let most = coincidence.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let hours = sum(&|moment, it| self.hour(moment, it));
        let positions = sum(&|moment, it| self.agreement(moment, it));
        let logs: Vec<f64> = (0..hypotheses.len())
            .map(|at| {
                let less = (DEPENDENCE * (coincidence[at] - most)).max(-COINCIDENCE);
                hypotheses[at].1.ln() + less + DEPENDENCE * hours[at] + positions[at]
            })
            .collect();
        let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let all: f64 = logs.iter().map(|log| (log - greatest).exp()).sum();
        // How well the best one does must be told from one under which nothing agrees.
        let nothing = self.disagreement(moments);
        let at = logs.iter().position(|log| *log == greatest).unwrap_or(0);
        let agreement = positions[at] - nothing;
        let credible = 1.0 / (1.0 + (-agreement - 3.0).exp());
        (hypotheses[at].0, credible / all)
    }

    /// Logarithm of how likely a photo is taken so near in time to one of the reference, rather
    /// than at any time of a day.
    fn coincidence(&self, moment: &Event, hypothesis: Hypothesis) -> f64 {
        let away = self.nearest(self.time(moment.clock, hypothesis)) as f64;
        let near = (-away / 1800.0).exp() / 3600.0;
        (0.5 * near + 0.5 / 86_400.0).ln()
    }

    /// Logarithm of how likely a photo is taken at this hour of the day, by local time.
    fn hour(&self, moment: &Event, hypothesis: Hypothesis) -> f64 {
        let time = self.time(moment.clock, hypothesis);
        // The offset is that of the reference's photos about then.
        let local = time + self.offset_at(time + self.offset_at(time));
        match local.rem_euclid(86_400) < 6 * HOUR {
            true => (NIGHT / 6.0).ln(),
            false => ((1.0 - NIGHT) / 18.0).ln(),
        }
    }

    /// Logarithm of how likely a known position is beside the reference's nearest in time.
    fn agreement(&self, moment: &Event, hypothesis: Hypothesis) -> f64 {
        let Some(position) = moment.position else { return 0.0 };
        let time = self.time(moment.clock, hypothesis);
        let after = self.fixes.partition_point(|(known, _)| *known < time);
        let sides = [after.checked_sub(1), Some(after)];
        let near = sides.iter().flatten().filter_map(|at| self.fixes.get(*at));
        let Some((known, at)) = near.min_by_key(|(known, _)| (known - time).abs()) else {
            return 0.0;
        };
        let hours = (known - time).abs() as f64 / 3600.0;
        if hours > 6.0 {
            return ANYWHERE_DENSITY.ln();
        }
        let width = 10.0 + 60.0 * hours;
        let near = (-at.distance_to(position).km() / width).exp() / width;
        (0.9 * near + 0.1 * ANYWHERE_DENSITY).ln()
    }

    /// What [`Reference::agreement`] comes to where nothing is known of the alignment.
    fn disagreement(&self, moments: &[Event]) -> f64 {
        let known = moments.iter().filter(|moment| moment.position.is_some()).count();
        if self.fixes.is_empty() { 0.0 } else { known as f64 * ANYWHERE_DENSITY.ln() }
    }
}

/// Density of a position's distance where the other position says nothing, per km.
const ANYWHERE_DENSITY: f64 = 1.0 / 2000.0;

use std::collections::BTreeMap;

use planet_data::{CaptureTime, PhotoRecord};
use planet_geo::LatLng;

use super::{
    Observation,
    alignment::{Alignment, Basis, Clock, Event, align},
    hmm::Emission,
};

/// Whose photos a library holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum People {
    /// One person's, whatever their cameras write as author.
    #[default]
    One,
    /// Those of each author by themselves; photos without an author are one person's.
    ByAuthor,
}

/// Photos in order of time, each time on one clock: those of a person, or those of a camera whose
/// clock cannot be aligned with the person's others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// Rows of the photos in the list of records.
    pub rows: Vec<usize>,
    /// Each photo's time in seconds, on the timeline's basis.
    pub times: Vec<Option<i64>>,
    /// Whether a photo has no time and is attached to the last one before it that has one.
    attached: Vec<bool>,
    /// Each photo's clock, and the probability that it is aligned as supposed.
    clocks: Vec<(usize, f64)>,
}

/// The photos of a library in order of time.
///
/// Times with a zone are instants, times without one are what a camera's clock showed. The two are
/// never compared as they stand: each group of photos without a zone (of an author, and a camera
/// or else an album) is aligned with the others by what is known of both, and its [`Clock`] says
/// how, with what probability, or that it is unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    sequences: Vec<Sequence>,
    clocks: Vec<Clock>,
}

impl Timeline {
    /// Puts photos in order. `known` are the positions that are evidence, one per record: they
    /// help to align clocks.
    pub fn new(records: &[PhotoRecord], known: &[Option<LatLng>], people: People) -> Self {
        let mut persons: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
        for (row, record) in records.iter().enumerate() {
            let person = record.author.as_deref().filter(|_| people == People::ByAuthor);
            persons.entry(person).or_default().push(row);
        }
        let mut timeline = Self::default();
        for rows in persons.into_values() {
            timeline.add_person(records, known, &rows);
        }
        timeline
    }

    /// One sequence per person, and one for each clock whose alignment is unknown.
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences
    }

    /// How the times of each group of photos were brought onto one timeline.
    pub fn clocks(&self) -> &[Clock] {
        &self.clocks
    }

    fn add_person(&mut self, records: &[PhotoRecord], known: &[Option<LatLng>], rows: &[usize]) {
        let first = self.clocks.len();
        let parse = |row: usize| {
            let time = CaptureTime::parse(records[row].time.as_deref()?)?;
            let position = known.get(row).copied().flatten();
            Some(Event { row, instant: time.instant, clock: time.clock, position })
        };
        let mut groups: BTreeMap<GroupKey<'_>, Vec<Event>> = BTreeMap::new();
        for event in rows.iter().filter_map(|row| parse(*row)) {
            groups.entry(GroupKey::of(&records[event.row], &event)).or_default().push(event);
        }
        let basis = match groups.contains_key(&GroupKey::Zoned) {
            true => Basis::Instant,
            false => Basis::WallClock,
        };
        // The zoned photos, or else those of the clock with most photos, are what others are
        // aligned with, the larger groups first.
        let mut groups: Vec<(GroupKey<'_>, Vec<Event>)> = groups.into_iter().collect();
        groups.sort_by_key(|(key, events)| {
            (*key != GroupKey::Zoned, std::cmp::Reverse(events.len()))
        });
        let zoned_cameras: Vec<&str> = groups
            .iter()
            .filter(|(key, _)| *key == GroupKey::Zoned)
            .flat_map(|(_, events)| events)
            .filter_map(|event| records[event.row].camera.as_deref())
            .collect();
        let mut reference: Vec<Event> = Vec::new();
        let mut placed: BTreeMap<usize, Placed> = BTreeMap::new();
        for (key, mut events) in groups {
            events.sort_by_key(|event| (event.instant.unwrap_or(event.clock), event.row));
            let record = &records[events[0].row];
            let same_camera =
                record.camera.as_deref().is_some_and(|it| zoned_cameras.contains(&it));
            let alignment = match (&key, reference.is_empty()) {
                (GroupKey::Zoned, _) => Alignment::Zoned,
                (_, true) => Alignment::Reference,
                _ => align(&mut events, &reference, basis, same_camera),
            };
            let clock = self.clocks.len();
            for event in &events {
                let time = event.instant.unwrap_or(event.clock);
                let at = Placed { time, clock, probability: alignment.probability() };
                placed.insert(event.row, at);
            }
            if alignment.probability() >= 0.9 {
                reference.extend(events.iter().copied());
                reference.sort_by_key(|event| event.instant.unwrap_or(event.clock));
            }
            let photos = events.len();
            self.clocks.push(Clock::new(record, key == GroupKey::Zoned, photos, basis, alignment));
        }
        self.add_sequences(records, rows, &placed, first);
    }

    /// The sequences of one person, whose first clock is this one.
    fn add_sequences(
        &mut self,
        records: &[PhotoRecord],
        rows: &[usize],
        placed: &BTreeMap<usize, Placed>,
        first: usize,
    ) {
        let unknown: Vec<usize> = (first..self.clocks.len())
            .filter(|clock| self.clocks[*clock].alignment == Alignment::Unknown)
            .collect();
        let mut photos = ordered(records, rows, placed);
        for clock in unknown {
            let of_clock = |photo: &Ordered| photo.clock == Some(clock);
            let apart: Vec<Ordered> = photos.iter().filter(|it| of_clock(it)).cloned().collect();
            photos.retain(|photo| !of_clock(photo));
            self.sequences.push(Sequence::of(&apart, placed));
        }
        if !photos.is_empty() {
            self.sequences.push(Sequence::of(&photos, placed));
        }
    }
}

/// Photos whose times are alike: all that have a zone, or those of one clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum GroupKey<'a> {
    Zoned,
    Clock { author: Option<&'a str>, camera: Option<&'a str>, album: Option<&'a str> },
}

impl<'a> GroupKey<'a> {
    fn of(record: &'a PhotoRecord, event: &Event) -> Self {
        if event.instant.is_some() {
            return Self::Zoned;
        }
        let (author, camera) = (record.author.as_deref(), record.camera.as_deref());
        // Where cameras have no names, a folder is likely to hold one camera's photos.
        let album = record.album.as_deref().filter(|_| camera.is_none());
        Self::Clock { author, camera, album }
    }
}

/// A photo's time on the timeline.
#[derive(Clone, Copy, Debug)]
struct Placed {
    time: i64,
    clock: usize,
    probability: f64,
}

/// A photo in a person's order.
#[derive(Clone, Debug)]
struct Ordered {
    row: usize,
    /// Its own time, or that of the photo before it in its album.
    key: Option<i64>,
    /// The clock of the photo that gives the key.
    clock: Option<usize>,
}

/// A person's photos in order. A photo without a time comes behind the one before it in its
/// album; albums without any time come last, one after the other.
fn ordered(
    records: &[PhotoRecord],
    rows: &[usize],
    placed: &BTreeMap<usize, Placed>,
) -> Vec<Ordered> {
    type AlbumKey<'a> = (Option<&'a str>, Option<&'a str>);
    let mut albums: BTreeMap<AlbumKey<'_>, Vec<usize>> = BTreeMap::new();
    for row in rows {
        let record = &records[*row];
        let key = (record.author.as_deref(), record.album.as_deref());
        albums.entry(key).or_default().push(*row);
    }
    let mut photos: Vec<(usize, Ordered)> = Vec::new();
    for album in albums.into_values() {
        let mut last = album.iter().find_map(|row| placed.get(row));
        for row in &album {
            last = placed.get(row).or(last);
            let (key, clock) = (last.map(|it| it.time), last.map(|it| it.clock));
            photos.push((album[0], Ordered { row: *row, key, clock }));
        }
    }
    photos.sort_by_key(|(album, photo)| {
        let untimed = !placed.contains_key(&photo.row);
        let album = if photo.key.is_none() { *album } else { 0 };
        (photo.key.is_none(), photo.key, untimed, album, photo.row)
    });
    photos.into_iter().map(|(_, photo)| photo).collect()
}

impl Sequence {
    fn of(photos: &[Ordered], placed: &BTreeMap<usize, Placed>) -> Self {
        let mut sequence = Self::default();
        for photo in photos {
            let own = placed.get(&photo.row);
            sequence.rows.push(photo.row);
            sequence.times.push(own.map(|it| it.time));
            sequence.attached.push(own.is_none() && photo.key.is_some());
            sequence.clocks.push(own.map_or((usize::MAX, 1.0), |it| (it.clock, it.probability)));
        }
        sequence
    }

    /// The photos as the hidden Markov model sees them, from what is known of each row's
    /// position.
    pub fn observations(&self, position: impl Fn(usize) -> Option<Emission>) -> Vec<Observation> {
        let observation = |at: usize| {
            let (clock, alignment) = self.clocks[at];
            let position = position(self.rows[at]);
            let (time, attached) = (self.times[at], self.attached[at]);
            Observation { position, time, clock, alignment, attached }
        };
        (0..self.rows.len()).map(observation).collect()
    }

    /// Some of the photos, one after the other.
    pub fn window(&self, start: usize, end: usize) -> Self {
        Self {
            rows: self.rows[start..end].to_vec(),
            times: self.times[start..end].to_vec(),
            attached: self.attached[start..end].to_vec(),
            clocks: self.clocks[start..end].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(photo: &str, camera: &str, album: &str, time: &str) -> PhotoRecord {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        PhotoRecord {
            photo: photo.to_owned(),
            camera: some(camera),
            album: some(album),
            time: some(time),
            ..PhotoRecord::default()
        }
    }

    fn timeline(records: &[PhotoRecord]) -> Timeline {
        Timeline::new(records, &vec![None; records.len()], People::One)
    }

    #[test]
    fn a_persons_photos_are_one_sequence_whatever_their_albums() {
        let records = [
            record("a", "", "x", "2020-05-01T10:00:00"),
            record("b", "", "x", "2020-05-01T10:05:00"),
            record("c", "", "x", ""),
            record("d", "", "y", "2020-05-01T10:07:00"),
            record("e", "", "y", "2020-05-09T10:00:00"),
            record("f", "", "z", ""),
            record("g", "", "y", "2049-01-01T00:00:00"),
        ];
        let timeline = timeline(&records);
        let [sequence] = timeline.sequences() else { panic!("one person") };
        assert_eq!(sequence.rows, [0, 1, 2, 3, 4, 6, 5]);
        let observations = sequence.observations(|_| None);
        // The photo without a time does not cut the two beside it apart.
        assert!(observations[2].attached && observations[2].time.is_none());
        assert_eq!(observations[3].since(&observations[1]).0, Some(120));
        assert!(!observations[6].attached);
    }

    #[test]
    fn authors_divide_a_library_only_where_that_is_asked_for() {
        let of = |author: &str| PhotoRecord {
            author: Some(author.to_owned()),
            ..record(author, "phone", "", "2020-05-01T10:00:00")
        };
        let records = [of("Jane"), of("Tom"), of("Jane")];
        let known = [None; 3];
        let sequences = |people| Timeline::new(&records, &known, people).sequences().len();
        assert_eq!(sequences(People::One), 1);
        assert_eq!(sequences(People::ByAuthor), 2);
    }

    #[test]
    fn a_camera_without_a_zone_is_placed_among_photos_with_zones_by_its_local_time() {
        let mut records = Vec::new();
        for hour in 9..19 {
            records.push(record("p", "phone", "", &format!("2023-05-01T{hour:02}:00:00+09:00")));
            records.push(record("c", "camera", "", &format!("2023-05-01T{hour:02}:10:00")));
        }
        let timeline = timeline(&records);
        let [sequence] = timeline.sequences() else { panic!("one person") };
        assert_eq!(sequence.rows, (0..20).collect::<Vec<_>>());
        let [zoned, camera] = timeline.clocks() else { panic!("two clocks") };
        assert_eq!(zoned.alignment, Alignment::Zoned);
        assert!(matches!(camera.alignment, Alignment::LocalTime { .. }), "{camera:?}");
        assert!(camera.to_string().contains("camera"), "{camera}");
        let observations = sequence.observations(|_| None);
        let between = observations[1].since(&observations[0]).1;
        assert!(between > 0.5 && between < 1.0, "an inference is no certainty: {between}");
    }

    #[test]
    fn a_camera_that_stays_on_another_zone_is_found_out() {
        let mut records = Vec::new();
        for day in 1..15 {
            for hour in 9..20 {
                let time = format!("2023-05-{day:02}T{hour:02}:00:00+09:00");
                records.push(record("p", "phone", "", &time));
                let (day, hour) = if hour < 8 { (day - 1, hour + 16) } else { (day, hour - 8) };
                let minute = day % 4 * 5;
                let time = format!("2023-05-{day:02}T{hour:02}:{minute:02}:00");
                records.push(record("c", "camera", "", &time));
            }
        }
        let timeline = timeline(&records);
        let camera = &timeline.clocks()[1];
        let Alignment::UtcOffset { seconds, .. } = camera.alignment else { panic!("{camera:?}") };
        assert_eq!(seconds, 3600);
    }

    #[test]
    fn a_camera_whose_offset_nothing_tells_is_a_sequence_of_its_own() {
        // Known positions contradict each other at every offset.
        let mut records = Vec::new();
        let mut known = Vec::new();
        for day in 1..8 {
            for hour in 8..20 {
                let at = |lat| LatLng::new(lat, 10.0).ok();
                let time = format!("2023-05-{day:02}T{hour:02}:00:00+09:00");
                records.push(record("p", "phone", "", &time));
                known.push(at(35.0));
                records.push(record(
                    "c",
                    "camera",
                    "",
                    &format!("2023-05-{day:02}T{hour:02}:10:00"),
                ));
                known.push(at(-35.0));
            }
        }
        let timeline = Timeline::new(&records, &known, People::One);
        assert_eq!(timeline.clocks()[1].alignment, Alignment::Unknown);
        assert_eq!(timeline.sequences().len(), 2);
    }
}

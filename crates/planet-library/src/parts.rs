//! Large libraries are located part by part.

use std::ops::Range;

use planet::album::{Clock, Fix, Sequence, Timeline};
use planet_geo::LatLng;

use crate::Library;

/// Photos of a library that is located as a whole. The work for a photo grows with the number of
/// places, so that the work for a library would grow with its square.
const WHOLE: usize = 10_000;
/// Photos of a part of a larger one.
const PART: usize = 2_000;
/// A part reaches to this many known photos before and behind it, within so many photos. What lies
/// beyond a photo whose place is known tells nothing of those before it.
const KNOWN_BESIDE: usize = 2;
const BESIDE: usize = 1_000;
/// Known positions of the whole library, at regular distances, whose places each part knows.
const USUAL: usize = 500;

/// The parts of a library, and how its clocks were aligned.
pub(crate) struct Parts {
    pub(crate) parts: Vec<Part>,
    pub(crate) clocks: Vec<Clock>,
}

/// Photos that are located together.
pub(crate) struct Part {
    pub(crate) pieces: Vec<Piece>,
    /// Positions of other parts, whose places photos of this one may lie at.
    pub(crate) usual: Vec<Fix>,
}

/// Photos of a sequence that follow one another.
pub(crate) struct Piece {
    pub(crate) sequence: Sequence,
    /// Those of them that this part locates; the others are evidence.
    pub(crate) located: Range<usize>,
}

impl Part {
    /// Photos that are looked at.
    pub(crate) fn photos(&self) -> usize {
        self.pieces.iter().map(|piece| piece.sequence.rows.len()).sum()
    }
}

impl Library<'_> {
    /// The parts in which this library is located, given the positions that are known: one, where
    /// it is not large, or has a model's output or look-alikes.
    pub(crate) fn parts(&self, known: &[Option<LatLng>]) -> Parts {
        let timeline = Timeline::new(self.records, known, self.people);
        let clocks = timeline.clocks().to_vec();
        let fix = |row: usize| self.fix(row, known);
        let is_whole = self.records.len() <= WHOLE || self.output.is_some();
        if is_whole || self.look_alikes.is_some() {
            let whole = |sequence: &Sequence| Piece {
                located: 0..sequence.rows.len(),
                sequence: sequence.clone(),
            };
            let pieces = timeline.sequences().iter().map(whole).collect();
            return Parts { parts: vec![Part { pieces, usual: Vec::new() }], clocks };
        }
        let all: Vec<Fix> = (0..known.len()).filter_map(fix).collect();
        let usual = || all.iter().step_by(all.len().div_ceil(USUAL).max(1)).copied().collect();
        let mut parts: Vec<Part> = Vec::new();
        let mut room = 0;
        for sequence in timeline.sequences() {
            for start in (0..sequence.rows.len()).step_by(PART) {
                let located = start..(start + PART).min(sequence.rows.len());
                let photos = located.len();
                if photos > room {
                    parts.push(Part { pieces: Vec::new(), usual: usual() });
                    room = PART;
                }
                room -= photos;
                let part = parts.last_mut().expect("the first is there");
                part.pieces.push(Piece::of(sequence, located, fix));
            }
        }
        Parts { parts, clocks }
    }
}

impl Piece {
    /// These photos of a sequence, with the known ones beside them.
    fn of(sequence: &Sequence, located: Range<usize>, fix: impl Fn(usize) -> Option<Fix>) -> Self {
        let is_known =
            |at: &usize| sequence.times[*at].is_some() && fix(sequence.rows[*at]).is_some();
        let before = (located.start.saturating_sub(BESIDE)..located.start).rev().filter(is_known);
        let start = before.take(KNOWN_BESIDE).last().unwrap_or(located.start);
        let behind = located.end..(located.end + BESIDE).min(sequence.rows.len());
        let end = behind.filter(is_known).take(KNOWN_BESIDE).last();
        let end = end.map_or(located.end, |last| last + 1);
        let located = located.start - start..located.end - start;
        Self { sequence: sequence.window(start, end), located }
    }
}

#[cfg(test)]
mod tests {
    use planet_data::PhotoRecord;

    use super::*;

    #[test]
    fn a_large_library_is_located_in_parts_that_each_reach_to_known_photos() {
        let photos = 3 * WHOLE;
        let record = |photo: usize| PhotoRecord {
            photo: photo.to_string(),
            time: Some(format!(
                "20{:02}-{:02}-{:02}T10:{:02}:00",
                10 + photo / 17_000,
                1 + photo / 1_400 % 12,
                1 + photo / 50 % 28,
                photo % 50
            )),
            ..PhotoRecord::default()
        };
        let records: Vec<PhotoRecord> = (0..photos).map(record).collect();
        let known: Vec<Option<LatLng>> = (0..photos)
            .map(|photo| {
                LatLng::new((photo / 100 % 90) as f64, 0.0).ok().filter(|_| photo % 7 == 0)
            })
            .collect();
        let library = Library::new(&records, None);
        let Parts { parts, .. } = library.parts(&known);
        assert!(parts.len() >= photos / PART, "{}", parts.len());
        let mut located = vec![0; photos];
        for part in &parts {
            assert!((1..=2 * USUAL).contains(&part.usual.len()));
            assert!(part.photos() <= PART + 2 * BESIDE);
            for Piece { sequence, located: rows } in &part.pieces {
                sequence.rows[rows.clone()].iter().for_each(|row| located[*row] += 1);
                // Before and behind them lie known photos, but at the ends of time.
                let beside = |mut at: Range<usize>| at.any(|at| known[sequence.rows[at]].is_some());
                let is_first = sequence.rows[0] == 0;
                assert!(is_first || beside(0..rows.start), "{:?}", sequence.rows[0]);
                let is_last = sequence.rows.last() == Some(&(photos - 1));
                assert!(is_last || beside(rows.end..sequence.rows.len()));
            }
        }
        assert!(located.iter().all(|times| *times == 1), "each photo is located once");
        // A smaller library, and one with more evidence than times, is one part.
        let whole = Library::new(&records[..WHOLE], None).parts(&known[..WHOLE]);
        assert_eq!((whole.parts.len(), whole.parts[0].photos()), (1, WHOLE));
    }
}

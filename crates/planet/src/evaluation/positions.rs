use planet_geo::Distance;
use serde::Serialize;

use super::Rules;

/// Last positions of the groups that are told apart, counted from 1; one more group has no end.
const ENDS: [usize; 8] = [1, 2, 3, 5, 10, 15, 25, 50];

/// How near answers are by the photo's position in its album: the paper's LSTM is bad at albums'
/// beginnings (section 5).
#[derive(Clone, Debug)]
pub struct Positions {
    rules: Rules,
    groups: [(u64, [u64; 5]); ENDS.len() + 1],
}

/// Photos at some positions of their albums.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PositionScore {
    /// First position, counted from 1.
    pub from: usize,
    /// Last one; `None` where there is no end.
    pub to: Option<usize>,
    /// How many photos there are.
    pub photos: u64,
    /// Share of them within the five scales.
    pub within: [f64; 5],
}

impl Positions {
    /// Nothing counted yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, groups: Default::default() }
    }

    /// Counts a photo at a position from 0 on; `None` is a photo without an answer.
    pub fn add(&mut self, position: usize, error: Option<Distance>) {
        let (photos, within) = &mut self.groups[ENDS.partition_point(|end| *end <= position)];
        *photos += 1;
        let hits = error.map_or([false; 5], |error| self.rules.scales(error));
        within.iter_mut().zip(hits).for_each(|(count, hit)| *count += u64::from(hit));
    }

    /// The groups that have photos.
    pub fn finish(&self) -> Vec<PositionScore> {
        let groups = self.groups.iter().enumerate().filter(|(_, (photos, _))| *photos > 0);
        let score = |(at, (photos, within)): (usize, &(u64, [u64; 5]))| PositionScore {
            from: at.checked_sub(1).map_or(1, |before| ENDS[before] + 1),
            to: ENDS.get(at).copied(),
            photos: *photos,
            within: within.map(|count| count as f64 / *photos as f64),
        };
        groups.map(score).collect()
    }
}

impl PositionScore {
    /// `3`, `4–5`, `51 on`.
    pub fn label(&self) -> String {
        match self.to {
            Some(to) if to == self.from => to.to_string(),
            Some(to) => format!("{}–{to}", self.from),
            None => format!("{} on", self.from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_counted_by_their_position() {
        let mut positions = Positions::new(Rules::default());
        for position in 0..60 {
            let error = (position % 2 == 0).then(|| Distance::from_km(10.0));
            positions.add(position, error);
        }
        let scores = positions.finish();
        let labels: Vec<String> = scores.iter().map(PositionScore::label).collect();
        assert_eq!(labels, ["1", "2", "3", "4–5", "6–10", "11–15", "16–25", "26–50", "51 on"]);
        let photos: Vec<u64> = scores.iter().map(|score| score.photos).collect();
        assert_eq!(photos, [1, 1, 1, 2, 5, 5, 10, 25, 10]);
        assert_eq!(scores[0].within, [0.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(scores[1].within, [0.0; 5]);
        assert_eq!(scores[5].within[2], 0.6);
    }
}

use planet_data::PixelBox;

use super::{HiddenBox, Measure, Occlusion};
use crate::Candidate;

/// A part of a photo that an answer rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The part, in pixels of the upright photo.
    pub hidden: PixelBox,
    /// The target's probability without it.
    pub probability: f64,
    /// By how much it falls, above zero.
    pub drop: f64,
    /// By how much its log-odds fall.
    pub log_odds: f64,
    /// The answer without it, with its probability.
    pub answer: Option<(Candidate, f32)>,
    /// Whether that is another answer than for the whole photo.
    pub changes: bool,
}

impl Occlusion {
    /// The `most` boxes whose hiding costs the target most, the costliest first, none over
    /// another. Only boxes that the network saw, and that cost something.
    pub fn regions(&self, most: usize) -> Vec<Region> {
        let whole = self.probability();
        let drop = |it: &HiddenBox| whole - it.reading.value(self.scale);
        let mut boxes: Vec<&HiddenBox> =
            self.boxes.iter().filter(|it| it.measured && drop(it) > 0.0).collect();
        // A stable sort: of equal ones the first in the grid.
        boxes.sort_by(|a, b| drop(b).total_cmp(&drop(a)));
        let mut chosen: Vec<&HiddenBox> = Vec::new();
        for it in boxes {
            if chosen.len() == most {
                break;
            }
            if !chosen.iter().any(|other| overlap(it.hidden, other.hidden)) {
                chosen.push(it);
            }
        }
        let region = |it: &HiddenBox| {
            let probability = it.reading.value(self.scale);
            let answer = self.answer(&it.reading).map(|(place, share)| (place.clone(), share));
            Region {
                hidden: it.hidden,
                probability,
                drop: drop(it),
                log_odds: Measure::LogOdds.of(whole, probability),
                answer,
                changes: self.changes(&it.reading),
            }
        };
        chosen.into_iter().map(region).collect()
    }
}

impl Region {
    /// `without it 12 % instead of 64 %; the answer would be Vienna, Austria (40 %)`.
    pub fn sentence(&self) -> String {
        let whole = percent(self.probability + self.drop);
        let mut text = format!("without it {} instead of {whole}", percent(self.probability));
        if let Some((place, share)) = self.answer.as_ref().filter(|_| self.changes) {
            let (place, share) = (name(place), percent(f64::from(*share)));
            text.push_str(&format!("; the answer would be {place} ({share})"));
        }
        text
    }
}

/// What people call an answer.
pub(super) fn name(candidate: &Candidate) -> String {
    let position = candidate.position;
    candidate
        .place
        .as_ref()
        .map_or_else(|| format!("{:.4},{:.4}", position.lat(), position.lng()), ToString::to_string)
}

/// A probability for people.
pub(super) fn percent(probability: f64) -> String {
    let share = 100.0 * probability;
    match share {
        _ if share >= 10.0 || share == 0.0 => format!("{share:.0} %"),
        _ if share >= 0.1 => format!("{share:.1} %"),
        // Two digits that count, so that the ends of a legend can be told apart.
        _ if share >= 0.0001 => {
            let digits = (1.0 - share.log10().floor()) as usize;
            format!("{share:.digits$} %")
        }
        _ => "under 0.0001 %".to_owned(),
    }
}

fn overlap(a: PixelBox, b: PixelBox) -> bool {
    let meet = |a: u32, a_length: u32, b: u32, b_length: u32| a < b + b_length && b < a + a_length;
    meet(a.left, a.width, b.left, b.width) && meet(a.top, a.height, b.top, b.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_probabilities_can_be_told_apart() {
        let texts = [0.64, 0.047, 0.0012, 0.00043, 0.000_021, 1e-9, 0.0].map(percent);
        let wanted = ["64 %", "4.7 %", "0.1 %", "0.043 %", "0.0021 %", "under 0.0001 %", "0 %"];
        assert_eq!(texts, wanted);
    }
}

use planet_geo::{LatLng, Scale};
use serde::Serialize;

use super::Rules;

/// Photos farther apart than this are two places.
const APART: Scale = Scale::Region;
/// Photos at the beginning of an album.
const EARLY: usize = 5;

/// How answers move from photo to photo of albums, beside how the photos do: the paper sees the
/// model for single photos jump, and photos at the beginning of an album end up at its last place
/// when an LSTM reads the album twice (section 5).
#[derive(Clone, Debug, Default)]
pub struct Moves {
    rules: Rules,
    /// Pairs of photos that follow each other: by whether the photos, then whether the answers, are
    /// apart.
    pairs: [[u64; 2]; 2],
    /// Early photos at another place than the last one, and those whose answer is that of the last.
    early: [u64; 2],
}

/// Shares of [`Moves`]; `None` of nothing. Apart is more than 200 km.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MoveScore {
    /// Pairs of photos that follow each other in an album.
    pub pairs: u64,
    /// Share of the pairs whose photos are apart.
    pub moves: Option<f64>,
    /// Share of the pairs whose answers are apart.
    pub jumps: Option<f64>,
    /// Share of the pairs with photos at one place whose answers are apart.
    pub false_jumps: Option<f64>,
    /// Share of the pairs with photos apart whose answers are not.
    pub missed_moves: Option<f64>,
    /// Photos among the first five of an album that are apart from its last one.
    pub early: u64,
    /// Share of those whose answer is not apart from the last photo's answer.
    pub early_at_last: Option<f64>,
}

impl Moves {
    /// Nothing counted yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Counts an album: where each photo was taken and what was answered, in their order.
    pub fn add(&mut self, album: &[(LatLng, LatLng)]) {
        let rules = self.rules;
        let apart = |a, b| !rules.within(rules.distance(a, b), APART.radius());
        for pair in album.windows(2) {
            let [(truth, answer), (next_truth, next_answer)] = pair else { continue };
            let [moved, jumped] = [(truth, next_truth), (answer, next_answer)]
                .map(|(a, b)| usize::from(apart(*a, *b)));
            self.pairs[moved][jumped] += 1;
        }
        let Some((last_truth, last_answer)) = album.last() else { return };
        for (truth, answer) in album.iter().take(EARLY) {
            if apart(*truth, *last_truth) {
                self.early[0] += 1;
                self.early[1] += u64::from(!apart(*answer, *last_answer));
            }
        }
    }

    /// The shares.
    pub fn finish(&self) -> MoveScore {
        let [[still, false_jumps], [missed, found]] = self.pairs;
        let pairs = still + false_jumps + missed + found;
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        MoveScore {
            pairs,
            moves: share(missed + found, pairs),
            jumps: share(false_jumps + found, pairs),
            false_jumps: share(false_jumps, still + false_jumps),
            missed_moves: share(missed, missed + found),
            early: self.early[0],
            early_at_last: share(self.early[1], self.early[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_of_photos_and_of_answers_are_told_apart() {
        let at = |lng: f64| LatLng::new(0.0, lng).expect("a position");
        let mut moves = Moves::new(Rules::default());
        // Two places 1,112 km apart. The first photo is put at the last place, the move is missed, and
        // the last answer but one jumps.
        let album = [(0.0, 10.0), (0.5, 0.0), (10.0, 0.5), (10.0, 30.0), (10.0, 10.5)];
        moves.add(&album.map(|(truth, answer)| (at(truth), at(answer))));
        moves.add(&[(at(0.0), at(5.0))]);
        moves.add(&[]);
        let score = moves.finish();
        assert_eq!((score.pairs, score.early), (4, 2));
        assert_eq!(score.moves, Some(0.25));
        assert_eq!(score.jumps, Some(0.75));
        assert_eq!(score.false_jumps, Some(1.0));
        assert_eq!(score.missed_moves, Some(1.0));
        assert_eq!(score.early_at_last, Some(0.5));
        let nothing = Moves::default().finish();
        assert_eq!((nothing.pairs, nothing.jumps, nothing.early_at_last), (0, None, None));
    }
}

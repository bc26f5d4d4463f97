use std::{collections::HashMap, fs, io, path::Path};

use planet_data::{AtomicFile, PhotoRecord};
use planet_geo::Partition;
use serde::{Deserialize, Serialize};

use super::{Library, Seen, places::Places};

/// Times between two photos, in seconds, at which chances are kept; between two of them they are
/// interpolated by the logarithm of the time. One more row is for unknown times.
const KNOTS: [i64; 11] =
    [30, 300, 1_800, 7_200, 18_000, 43_200, 86_400, 172_800, 432_000, 1_296_000, 5_184_000];
const ROWS: usize = KNOTS.len() + 1;
/// Ways to move: not at all, within about 30, 200 and 1000 km, anywhere.
pub(super) const WAYS: usize = 5;
pub(super) const ANYWHERE: usize = WAYS - 1;

/// What we suppose of somebody who takes photos, before any of theirs are known: a row for each
/// of [`KNOTS`], the chances of each way to move. Ours, from nothing but plausibility; they
/// count as much as [`WORTH`] photos once photos with positions are there to learn from.
const SUPPOSED: [[f64; WAYS]; ROWS] = [
    [0.970, 0.028, 0.0015, 0.0003, 0.0002],
    [0.900, 0.095, 0.0040, 0.0006, 0.0004],
    [0.700, 0.280, 0.0170, 0.0020, 0.0010],
    [0.500, 0.400, 0.0900, 0.0080, 0.0020],
    [0.380, 0.420, 0.1750, 0.0210, 0.0040],
    [0.330, 0.400, 0.2200, 0.0420, 0.0080],
    [0.290, 0.350, 0.2700, 0.0750, 0.0150],
    [0.250, 0.300, 0.3000, 0.1100, 0.0400],
    [0.210, 0.260, 0.2900, 0.1500, 0.0900],
    [0.170, 0.230, 0.2600, 0.1900, 0.1500],
    [0.120, 0.200, 0.2300, 0.2000, 0.2500],
    [0.550, 0.300, 0.1000, 0.0400, 0.0100],
];
const WORTH: f64 = 20.0;
const RETURNS: f64 = 0.5;
/// Rounds of expectation and maximisation; the likelihood moves no more after a few.
const ROUNDS: usize = 8;

/// How somebody moves between two photos, by the time between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// Chances of each way to move, `[knot][way]`; rows sum to one.
    chances: Vec<[f64; WAYS]>,
    /// Of moves to anywhere, the share that leads back to where somebody is at other times: home
    /// again, the same village every summer.
    returns: f64,
    /// Pairs of photos that this was learned from.
    pairs: u64,
}

const FORMAT: &str = "planet-album-hmm-1";

/// What the hidden Markov model learns from albums: a package's `album-hmm.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HmmModel {
    /// How people move.
    #[serde(flatten)]
    pub motion: Motion,
    /// Weight of the network's word, 0 to 1: its mistakes on alike photos are alike, so that
    /// neighbours tell less than they seem to.
    pub weight: f64,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct HmmFile {
    format: String,
    #[serde(flatten)]
    model: HmmModel,
}

impl Default for HmmModel {
    /// What we suppose, and the network's word in full.
    fn default() -> Self {
        Self { motion: Motion::default(), weight: 1.0 }
    }
}

impl HmmModel {
    /// Reads what [`HmmModel::write`] wrote.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds no distributions.
    pub fn read(path: &Path) -> io::Result<Self> {
        let wrong = |what: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", path.display()))
        };
        let text = fs::read(path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let file: HmmFile =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        match file {
            HmmFile { format, .. } if format != FORMAT => {
                Err(wrong(format!("its format is {format}, not {FORMAT}")))
            }
            HmmFile { model, .. } if !model.motion.is_sound() => {
                Err(wrong("its chances are no distributions".to_owned()))
            }
            HmmFile { model, .. } if !(0.0..=1.0).contains(&model.weight) => {
                Err(wrong("its weight is not within 0..=1".to_owned()))
            }
            HmmFile { model, .. } => Ok(model),
        }
    }

    /// Writes the file `album-hmm.json` of a package.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let file = HmmFile { format: FORMAT.to_owned(), model: self.clone() };
        let json = serde_json::to_vec_pretty(&file).expect("plain numbers");
        AtomicFile::write_all_at(path, &json)
    }
}

/// Two photos, one after the other, whose places are both known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Move {
    pub from: usize,
    pub to: usize,
    /// Seconds between them.
    pub seconds: Option<i64>,
    /// Share of this person's known photos that lie at `to`, but for those of this stay.
    pub usual: f64,
}

impl Default for Motion {
    /// What we suppose without having seen a photo.
    fn default() -> Self {
        Self { chances: SUPPOSED.to_vec(), returns: RETURNS, pairs: 0 }
    }
}

impl Motion {
    /// Learned from photos whose positions are known, as moves between a model's classes.
    pub fn of_albums(records: &[PhotoRecord], partition: &Partition) -> Self {
        let places = Places::with_classes(partition, &[]);
        let seen: Vec<Vec<Seen>> = Library::new(records, None)
            .sequences()
            .iter()
            .map(|sequence| {
                sequence.seen(|row| {
                    let class = partition.class_of(records[row].position?)?;
                    Some(class.index())
                })
            })
            .collect();
        Self::default().learned_from(&places, &seen)
    }

    /// What this is with the known positions of sequences learned too: the moves between
    /// neighbours that are both known.
    pub fn learned_from(&self, places: &Places, sequences: &[Vec<Seen>]) -> Self {
        let moves: Vec<Move> = sequences.iter().flat_map(|sequence| moves(sequence)).collect();
        self.learned(places, &moves)
    }

    /// Learned from moves between known places: the chances under which these are most likely
    /// (EM over which way each of them was), with what this is as a prior.
    fn learned(&self, places: &Places, moves: &[Move]) -> Self {
        let mut motion = self.clone();
        motion.pairs += moves.len() as u64;
        let likelihoods: Vec<[f64; WAYS]> =
            moves.iter().map(|it| places.likelihoods(it.from, it.to)).collect();
        for _ in 0..ROUNDS {
            let mut counts: Vec<[f64; WAYS]> =
                self.chances.iter().map(|row| row.map(|chance| WORTH * chance)).collect();
            let (mut returned, mut far) = (WORTH * self.returns, WORTH);
            for (it, likelihoods) in moves.iter().zip(&likelihoods) {
                let chances = motion.chances(it.seconds);
                let mut joint: [f64; WAYS] =
                    std::array::from_fn(|way| chances[way] * likelihoods[way]);
                let back = chances[ANYWHERE] * motion.returns * it.usual;
                joint[ANYWHERE] = joint[ANYWHERE] * (1.0 - motion.returns) + back;
                let sum: f64 = joint.iter().sum();
                if sum > 0.0 {
                    returned += back / sum;
                    far += joint[ANYWHERE] / sum;
                    for (row, share) in rows_of(it.seconds) {
                        let counts = counts[row].iter_mut().zip(joint);
                        counts.for_each(|(count, part)| *count += share * part / sum);
                    }
                }
            }
            for (chances, counts) in motion.chances.iter_mut().zip(counts) {
                let sum: f64 = counts.iter().sum();
                *chances = counts.map(|count| count / sum);
            }
            motion.returns = returned / far;
        }
        motion
    }

    /// Of moves to anywhere, the share that leads back to where somebody is at other times.
    pub(super) fn returns(&self) -> f64 {
        self.returns
    }

    /// Chances of each way to move in so many seconds. Before the photo itself means that the
    /// clock was set in between: nothing is known.
    pub(super) fn chances(&self, seconds: Option<i64>) -> [f64; WAYS] {
        let rows = rows_of(seconds);
        std::array::from_fn(|way| {
            rows.iter().map(|(row, share)| share * self.chances[*row][way]).sum()
        })
    }

    /// Pairs of photos that this was learned from.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Whether rows are distributions, of a file that people may have changed.
    fn is_sound(&self) -> bool {
        let sound = |row: &[f64; WAYS]| {
            row.iter().all(|chance| (0.0..=1.0).contains(chance))
                && (row.iter().sum::<f64>() - 1.0).abs() < 1e-6
        };
        self.chances.len() == ROWS
            && self.chances.iter().all(sound)
            && (0.0..=1.0).contains(&self.returns)
    }
}

/// The moves of a sequence between neighbours whose places are both known.
fn moves(sequence: &[Seen]) -> Vec<Move> {
    let mut photos: HashMap<usize, usize> = HashMap::new();
    sequence
        .iter()
        .filter_map(|seen| seen.place)
        .for_each(|it| *photos.entry(it).or_default() += 1);
    let all: usize = photos.values().sum();
    // The photos of each stay, counted from its end.
    let mut stays = vec![1; sequence.len()];
    for at in (1..sequence.len()).rev() {
        if sequence[at].place == sequence[at - 1].place {
            stays[at - 1] = stays[at] + 1;
        }
    }
    let pairs = sequence.windows(2).zip(&stays[1..]);
    pairs
        .filter_map(|(pair, stay)| {
            let (from, to) = (pair[0].place?, pair[1].place?);
            // What is left of one stay is none of another.
            let [others, rest] = [photos[&to] - stay, all - stay];
            let usual = if from == to { 0.0 } else { others as f64 / rest.max(1) as f64 };
            Some(Move { from, to, seconds: pair[1].seconds, usual })
        })
        .collect()
}

/// The two rows that a time lies between, with their shares.
fn rows_of(seconds: Option<i64>) -> [(usize, f64); 2] {
    let Some(seconds) = seconds.filter(|seconds| *seconds >= 0) else {
        return [(ROWS - 1, 1.0), (ROWS - 1, 0.0)];
    };
    let after = KNOTS.partition_point(|knot| *knot < seconds);
    if after == 0 || after == KNOTS.len() {
        let end = after.min(KNOTS.len() - 1);
        return [(end, 1.0), (end, 0.0)];
    }
    let log = |seconds: i64| (seconds as f64).ln();
    let (from, to) = (log(KNOTS[after - 1]), log(KNOTS[after]));
    let share = (log(seconds) - from) / (to - from);
    [(after - 1, 1.0 - share), (after, share)]
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;

    #[test]
    fn what_we_suppose_is_sound_and_the_longer_the_time_the_farther_the_way() {
        let motion = Motion::default();
        assert!(motion.is_sound());
        let stays: Vec<f64> =
            (1..60).map(|step| motion.chances(Some(step * step * 2_000))[0]).collect();
        assert!(stays.windows(2).all(|pair| pair[0] >= pair[1]) && stays[0] > stays[58]);
        assert_eq!(motion.chances(None), motion.chances(Some(-5)));
        assert_eq!(motion.chances(Some(0)), SUPPOSED[0]);
        assert_eq!(motion.chances(Some(i64::MAX)), SUPPOSED[10]);
        // Half way between 5 and 30 minutes, as a ratio: 300 · √6 seconds.
        let middle = motion.chances(Some(735))[0];
        assert!((middle - 0.8).abs() < 1e-3, "{middle}");
    }

    #[test]
    fn who_always_comes_home_is_learned_to_come_back() {
        let at = |lat, lng| LatLng::new(lat, lng).expect("in range");
        let positions: Vec<LatLng> =
            (0..40).map(|place| at(f64::from(place) - 20.0, f64::from(place * 8 % 170))).collect();
        let places = Places::known(&positions);
        let place = |number: usize| places.of_position(positions[number]);
        // Two photos at home, one somewhere new, two at home again, …
        let sequence: Vec<Seen> = (0..117)
            .map(|photo| Seen {
                place: place(if photo % 3 == 2 { 1 + photo / 3 } else { 0 }),
                seconds: Some(500_000),
            })
            .collect();
        let moves = moves(&sequence);
        assert_eq!(moves.len(), 116);
        // Of 117 photos 78 are at home, two of them of this stay.
        assert!((moves[2].usual - 76.0 / 115.0).abs() < 1e-12, "{:?}", moves[2]);
        assert_eq!((moves[0].usual, moves[1].usual), (0.0, 0.0));
        let motion = Motion::default().learned(&places, &moves);
        assert!(motion.is_sound());
        // Every other move comes home, the others go where nobody was.
        assert!((0.45..0.6).contains(&motion.returns), "{}", motion.returns);
        let never = sequence.iter().enumerate().filter(|(photo, _)| photo % 3 == 2);
        let never: Vec<Seen> = never.map(|(_, seen)| *seen).collect();
        let motion = Motion::default().learned_from(&places, &vec![never; 50]);
        assert!(motion.returns < 0.25, "{}", motion.returns);
    }

    #[test]
    fn a_file_comes_back_and_one_that_holds_no_distributions_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("album-hmm.json");
        HmmModel::default().write(&path).expect("written");
        assert_eq!(HmmModel::read(&path).expect("read"), HmmModel::default());
        let text = fs::read_to_string(&path).expect("read");
        let refused = |from: &str, to: &str| {
            fs::write(&path, text.replace(from, to)).expect("written");
            HmmModel::read(&path).expect_err("refused").to_string()
        };
        assert!(refused("0.97,", "0.98,").contains("album-hmm.json: its chances"));
        assert!(refused("\"weight\": 1.0", "\"weight\": 2.0").contains("its weight"));
        assert!(refused("hmm-1", "hmm-2").contains("not planet-album-hmm-1"));
        assert!(refused("chances", "changes").contains("missing field"));
    }

    #[test]
    fn somebody_who_never_stays_is_learned_to_move() {
        let at = |lat| LatLng::new(lat, 0.0).expect("in range");
        let places = Places::known(&[at(0.0), at(0.1), at(40.0)]);
        let moves: Vec<Move> = (0..400)
            .map(|step| Move { from: step % 2, to: (step + 1) % 2, seconds: Some(30), usual: 0.0 })
            .collect();
        let motion = Motion::default().learned(&places, &moves);
        assert!(motion.is_sound());
        let chances = motion.chances(Some(30));
        assert!(chances[0] < 0.1, "{chances:?}");
        assert!(chances[1] > 0.5, "{chances:?}");
        // Nothing was seen of longer times.
        let learned = motion.chances(Some(100_000));
        let supposed = Motion::default().chances(Some(100_000));
        assert!(learned.iter().zip(supposed).all(|(a, b)| (a - b).abs() < 1e-12), "{learned:?}");
    }
}

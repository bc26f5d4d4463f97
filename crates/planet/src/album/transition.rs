use std::{collections::HashMap, fs, io, path::Path};

use planet_data::{AtomicFile, PhotoRecord};
use planet_geo::Partition;
use serde::{Deserialize, Serialize};

use super::{Observation, People, Timeline, state_space::StateSpace};

/// Times between two photos, in seconds, at which probabilities are kept; between two of them
/// they are interpolated by the logarithm of the time. One more row is for unknown times.
const KNOTS: [i64; 11] =
    [30, 300, 1_800, 7_200, 18_000, 43_200, 86_400, 172_800, 432_000, 1_296_000, 5_184_000];
const ROWS: usize = KNOTS.len() + 1;
const UNKNOWN_TIME: usize = ROWS - 1;
/// Kinds of transitions: none, within about 30, 200 and 1000 km, anywhere.
pub(super) const KINDS: usize = 5;
pub(super) const ANYWHERE: usize = KINDS - 1;
/// Reaches of the kinds that are neither staying nor going anywhere, in km.
pub(super) const REACHES: [f64; KINDS - 2] = [30.0, 200.0, 1000.0];

/// The prior: how people who take photos move, before any of a person's photos are known. A row for each
/// of [`KNOTS`], the probabilities of each kind of transition. Ours, by plausibility alone; they
/// count as much as [`PRIOR_STRENGTH`] photos once photos with positions are there to learn from.
/// Without a time almost nothing ties a photo to the one before it.
const PRIOR: [[f64; KINDS]; ROWS] = [
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
    [0.020, 0.020, 0.0200, 0.0200, 0.9200],
];
const PRIOR_STRENGTH: f64 = 20.0;
/// Of transitions to anywhere, the share that leads back to where the person is at other times:
/// with a known and with an unknown time.
const PRIOR_RETURNS: [f64; 2] = [0.5, 0.1];
/// Of transitions of each kind, the share that leads where no known photo was taken.
const PRIOR_UNSEEN: [f64; KINDS] = [0.0, 0.35, 0.6, 0.75, 0.9];
/// Rounds of expectation and maximisation; the likelihood moves no more after a few.
const ROUNDS: usize = 8;
/// What a time between two photos counts as if their clocks may be apart: half a day.
const CLOCKS_APART: i64 = 43_200;
/// Photos whose clocks agree less surely than this teach nothing.
const TEACHES_FROM: f64 = 0.9;

/// How a person moves between two photos, by the time between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransitionModel {
    /// Probability of each kind of transition, `[knot][kind]`; rows sum to one.
    #[serde(rename = "chances")]
    probabilities: Vec<[f64; KINDS]>,
    /// Of transitions to anywhere, the share that leads back to where the person is at other times:
    /// home again, the same village every summer.
    #[serde(rename = "returns")]
    return_probability: f64,
    /// The same where the time is unknown.
    #[serde(default = "prior_return_without_time")]
    return_probability_without_time: f64,
    /// Of transitions of each kind, the share that leads where no known photo was taken
    /// (Good and Turing's estimate of what was not seen yet).
    #[serde(default = "prior_unseen")]
    unseen: [f64; KINDS],
    /// Pairs of photos that this was learned from.
    pairs: u64,
}

fn prior_unseen() -> [f64; KINDS] {
    PRIOR_UNSEEN
}

fn prior_return_without_time() -> f64 {
    PRIOR_RETURNS[1]
}

/// Format of `album-hmm.json`.
const FORMAT: &str = "planet-album-hmm-1";

/// What the hidden Markov model learns from albums: a package's `album-hmm.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HmmModel {
    /// How people move.
    #[serde(flatten)]
    pub transitions: TransitionModel,
    /// Weight of the model's output, 0 to 1: its mistakes on alike photos are alike, so that
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
    /// The prior, and the model's output in full.
    fn default() -> Self {
        Self { transitions: TransitionModel::default(), weight: 1.0 }
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
            HmmFile { model, .. } if !model.transitions.is_sound() => {
                Err(wrong("its probabilities do not form distributions".to_owned()))
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

/// The transition between two photos, as a mixture of kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transition {
    /// Probability of each kind; they sum to one.
    pub probabilities: [f64; KINDS],
    /// Of each kind, the share that leads where no known photo was taken.
    pub unseen: [f64; KINDS],
    /// Of transitions to anywhere, the share that leads home.
    pub return_probability: f64,
}

/// Two photos, one after the other, whose places are both known.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Move {
    from: usize,
    to: usize,
    /// Seconds between them.
    seconds: Option<i64>,
    /// Share of this person's known photos that lie at `to`, but for those of this stay.
    home: f64,
    /// Whether no other known photo but those of this stay lies at `to`.
    is_new: bool,
}

impl Default for TransitionModel {
    /// The prior.
    fn default() -> Self {
        Self {
            probabilities: PRIOR.to_vec(),
            return_probability: PRIOR_RETURNS[0],
            return_probability_without_time: PRIOR_RETURNS[1],
            unseen: PRIOR_UNSEEN,
            pairs: 0,
        }
    }
}

impl TransitionModel {
    /// Learned from photos whose positions are known, as moves between a model's classes, each
    /// author's by themselves.
    pub fn of_albums(records: &[PhotoRecord], partition: &Partition) -> Self {
        let states = StateSpace::new(Some(partition), &[]);
        let observations: Vec<Vec<Observation>> = Timeline::new(records, &[], People::ByAuthor)
            .sequences()
            .iter()
            .map(|sequence| {
                sequence.observations(|row| {
                    let class = partition.class_of(records[row].known_position()?)?;
                    Some(vec![(class.index(), 1.0)])
                })
            })
            .collect();
        Self::default().learned_from(&states, &observations)
    }

    /// What this is with the known positions of sequences learned too: the moves between
    /// neighbours that are both known.
    pub fn learned_from(&self, states: &StateSpace, sequences: &[Vec<Observation>]) -> Self {
        let moves: Vec<Move> = sequences.iter().flat_map(|sequence| moves(sequence)).collect();
        self.learned(states, &moves)
    }

    /// The same with what the order of the files tells learned: `pairs` are the known places of photos
    /// and of others that stand before them. Changes only moves in an unknown time.
    pub fn with_order_learned(&self, states: &StateSpace, pairs: &[(usize, usize)]) -> Self {
        let mut photos: HashMap<usize, usize> = HashMap::new();
        pairs.iter().for_each(|(_, to)| *photos.entry(*to).or_default() += 1);
        let a_move = |&(from, to): &(usize, usize)| {
            let home = if from == to { 0.0 } else { photos[&to] as f64 / pairs.len() as f64 };
            Move { from, to, seconds: None, home, is_new: false }
        };
        let learned = self.learned(states, &pairs.iter().map(a_move).collect::<Vec<_>>());
        let mut model = self.clone();
        model.probabilities[UNKNOWN_TIME] = learned.probabilities[UNKNOWN_TIME];
        model.return_probability_without_time = learned.return_probability_without_time;
        model
    }

    /// Learned from moves between known places: the probabilities under which these are most
    /// likely (EM over which kind each of them was), with what this is as a prior.
    fn learned(&self, states: &StateSpace, moves: &[Move]) -> Self {
        let mut model = self.clone();
        model.pairs += moves.len() as u64;
        let likelihoods: Vec<[f64; KINDS]> =
            moves.iter().map(|it| states.likelihoods(it.from, it.to, &self.unseen)).collect();
        for _ in 0..ROUNDS {
            let mut counts = Counts::of_prior(self);
            for (it, likelihoods) in moves.iter().zip(&likelihoods) {
                counts.add(it, &model.transition(it.seconds, 1.0), likelihoods);
            }
            counts.maximise(&mut model);
        }
        model
    }

    /// The transition in so many seconds. A negative time means that the clock was set in
    /// between: it counts as unknown. With probability 1 − `alignment` the clocks of the two
    /// photos are not aligned as supposed, and half a day or more may lie between.
    pub(super) fn transition(&self, seconds: Option<i64>, alignment: f64) -> Transition {
        let seconds = seconds.filter(|seconds| *seconds >= 0);
        let aligned = self.probabilities_at(seconds);
        let apart = self.probabilities_at(seconds.map(|it| it.max(CLOCKS_APART)));
        let mixed = |kind| alignment * aligned[kind] + (1.0 - alignment) * apart[kind];
        let return_probability = match seconds {
            Some(_) => self.return_probability,
            None => self.return_probability_without_time,
        };
        let probabilities = std::array::from_fn(mixed);
        Transition { probabilities, unseen: self.unseen, return_probability }
    }

    fn probabilities_at(&self, seconds: Option<i64>) -> [f64; KINDS] {
        let rows = rows_of(seconds);
        std::array::from_fn(|kind| {
            rows.iter().map(|(row, share)| share * self.probabilities[*row][kind]).sum()
        })
    }

    /// Probability that a person is still within about 30 km of where they were so many seconds
    /// ago.
    pub fn near_after(&self, seconds: i64) -> f64 {
        let [stay, near, ..] = self.probabilities_at(Some(seconds));
        stay + near
    }

    /// Of transitions to anywhere, the share that leads where no known photo was taken.
    pub fn unseen_anywhere(&self) -> f64 {
        self.unseen[ANYWHERE]
    }

    /// Pairs of photos that this was learned from.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Whether rows are distributions, of a file that people may have changed.
    fn is_sound(&self) -> bool {
        let share = |it: &f64| (0.0..=1.0).contains(it);
        let sound = |row: &[f64; KINDS]| {
            row.iter().all(share) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-6
        };
        self.probabilities.len() == ROWS
            && self.probabilities.iter().all(sound)
            && self.unseen.iter().all(share)
            && share(&self.return_probability)
            && share(&self.return_probability_without_time)
    }
}

/// Expected numbers of transitions, the prior's included.
struct Counts {
    kinds: Vec<[f64; KINDS]>,
    /// Of transitions to anywhere with a known and with an unknown time: those that led home, and
    /// all.
    returned: [(f64, f64); 2],
    /// Of each kind: transitions to a place without another known photo, and all.
    unseen: [(f64, f64); KINDS],
}

impl Counts {
    fn of_prior(prior: &TransitionModel) -> Self {
        let strength = PRIOR_STRENGTH;
        let returns = [prior.return_probability, prior.return_probability_without_time];
        Self {
            kinds: prior.probabilities.iter().map(|row| row.map(|it| strength * it)).collect(),
            returned: returns.map(|share| (strength * share, strength)),
            unseen: prior.unseen.map(|share| (strength * share, strength)),
        }
    }

    /// One move, divided among the kinds by their probability.
    fn add(&mut self, it: &Move, transition: &Transition, likelihoods: &[f64; KINDS]) {
        let mut joint: [f64; KINDS] =
            std::array::from_fn(|kind| transition.probabilities[kind] * likelihoods[kind]);
        let home = transition.probabilities[ANYWHERE] * transition.return_probability * it.home;
        joint[ANYWHERE] = joint[ANYWHERE] * (1.0 - transition.return_probability) + home;
        let sum: f64 = joint.iter().sum();
        if sum <= 0.0 {
            return;
        }
        let returned = &mut self.returned[usize::from(it.seconds.is_none())];
        returned.0 += home / sum;
        returned.1 += joint[ANYWHERE] / sum;
        for (row, share) in rows_of(it.seconds) {
            let counts = self.kinds[row].iter_mut().zip(joint);
            counts.for_each(|(count, part)| *count += share * part / sum);
        }
        if it.from == it.to {
            return;
        }
        for (kind, (new, all)) in self.unseen.iter_mut().enumerate().skip(1) {
            // A return leads to a known place by its nature and says nothing of the others.
            let part = if kind == ANYWHERE { joint[kind] - home } else { joint[kind] } / sum;
            *all += part;
            *new += if it.is_new { part } else { 0.0 };
        }
    }

    fn maximise(self, model: &mut TransitionModel) {
        for (probabilities, counts) in model.probabilities.iter_mut().zip(self.kinds) {
            let sum: f64 = counts.iter().sum();
            *probabilities = counts.map(|count| count / sum);
        }
        let [timed, untimed] = self.returned.map(|(returned, all)| returned / all);
        model.return_probability = timed;
        model.return_probability_without_time = untimed;
        model.unseen = self.unseen.map(|(new, all)| new / all);
    }
}

/// The moves of a sequence from each photo whose place is known to the next such one.
fn moves(sequence: &[Observation]) -> Vec<Move> {
    let known: Vec<(&Observation, usize)> =
        sequence.iter().filter_map(|it| Some((it, it.position.as_ref()?.first()?.0))).collect();
    let mut photos: HashMap<usize, usize> = HashMap::new();
    known.iter().for_each(|(_, state)| *photos.entry(*state).or_default() += 1);
    // The photos of each stay, counted from its end.
    let mut stays = vec![1; known.len()];
    for at in (1..known.len()).rev() {
        if known[at].1 == known[at - 1].1 {
            stays[at - 1] = stays[at] + 1;
        }
    }
    let mut before: Option<(&Observation, usize)> = None;
    let mut moves = Vec::new();
    for (at, &(observation, to)) in known.iter().enumerate() {
        let earlier = before;
        if !observation.attached {
            before = Some((observation, to));
        }
        let Some((earlier, from)) = earlier else { continue };
        let (seconds, alignment) = observation.since(earlier);
        if alignment < TEACHES_FROM {
            continue;
        }
        // What is left of one stay is none of another.
        let [others, rest] = [photos[&to] - stays[at].min(photos[&to]), known.len() - stays[at]];
        let home = if from == to { 0.0 } else { others as f64 / rest.max(1) as f64 };
        moves.push(Move { from, to, seconds, home, is_new: others == 0 });
    }
    moves
}

/// The two rows that a time lies between, with their shares.
fn rows_of(seconds: Option<i64>) -> [(usize, f64); 2] {
    let Some(seconds) = seconds.filter(|seconds| *seconds >= 0) else {
        return [(UNKNOWN_TIME, 1.0), (UNKNOWN_TIME, 0.0)];
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

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    #[test]
    fn the_prior_is_sound_and_the_longer_the_time_the_farther_the_way() {
        let model = TransitionModel::default();
        assert!(model.is_sound());
        let kinds = |seconds| model.transition(seconds, 1.0).probabilities;
        let stays: Vec<f64> = (1..60).map(|step| kinds(Some(step * step * 2_000))[0]).collect();
        assert!(stays.windows(2).all(|pair| pair[0] >= pair[1]) && stays[0] > stays[58]);
        assert_eq!(kinds(None), kinds(Some(-5)));
        assert_eq!(kinds(Some(0)), PRIOR[0]);
        assert_eq!(kinds(Some(i64::MAX)), PRIOR[10]);
        // Half way between 5 and 30 minutes, as a ratio: 300 · √6 seconds.
        let middle = kinds(Some(735))[0];
        assert!((middle - 0.8).abs() < 1e-3, "{middle}");
        // Clocks that may be apart tie less.
        assert!(model.transition(Some(30), 0.5).probabilities[0] < 0.7);
    }

    #[test]
    fn who_always_comes_home_is_learned_to_return() {
        let positions: Vec<LatLng> =
            (0..40).map(|place| at(f64::from(place) - 20.0, f64::from(place * 8 % 170))).collect();
        let states = StateSpace::known(&positions);
        let state = |number: usize| states.state_of(positions[number]);
        // Two photos at home, one somewhere new, two at home again, …
        let sequence: Vec<Observation> = (0..117)
            .map(|photo| {
                let place = if photo % 3 == 2 { 1 + photo / 3 } else { 0 };
                Observation::at(Some(500_000 * photo as i64), state(place))
            })
            .collect();
        let moves = moves(&sequence);
        assert_eq!(moves.len(), 116);
        // Of 117 photos 78 are at home, two of them of this stay.
        assert!((moves[2].home - 76.0 / 115.0).abs() < 1e-12, "{:?}", moves[2]);
        assert_eq!((moves[0].home, moves[1].home), (0.0, 0.0));
        assert!(moves[1].is_new && !moves[2].is_new);
        let model = TransitionModel::default().learned(&states, &moves);
        assert!(model.is_sound());
        // Every other move comes home, the others go to new places.
        assert!((0.4..0.65).contains(&model.return_probability), "{}", model.return_probability);
        let never = sequence.iter().enumerate().filter(|(photo, _)| photo % 3 == 2);
        let never: Vec<Observation> = never.map(|(_, it)| it.clone()).collect();
        let model = TransitionModel::default().learned_from(&states, &vec![never; 50]);
        assert!(model.return_probability < 0.25, "{}", model.return_probability);
        assert!(model.unseen_anywhere() > 0.9, "every place is new: {:?}", model.unseen);
    }

    #[test]
    fn the_order_of_the_files_ties_photos_only_where_it_does_so_for_known_ones() {
        let positions: Vec<LatLng> =
            (0..40).map(|place| at(f64::from(place) - 20.0, f64::from(place * 8 % 170))).collect();
        let states = StateSpace::known(&positions);
        let state = |place: usize| states.state_of(positions[place % 40]).expect("known");
        let staying = |model: &TransitionModel| model.transition(None, 1.0).probabilities[0];
        let prior = TransitionModel::default();
        let ordered: Vec<_> = (0..400).map(|it| (state(it / 10), state((it + 1) / 10))).collect();
        let learned = prior.with_order_learned(&states, &ordered);
        assert!(learned.is_sound() && staying(&learned) > 0.7, "{}", staying(&learned));
        let mixed: Vec<_> = (0..400).map(|it| (state(it * 7), state(it * it * 3 + 1))).collect();
        assert!(staying(&prior.with_order_learned(&states, &mixed)) < 0.1);
        // Times tell what they told.
        assert_eq!(learned.transition(Some(300), 1.0), prior.transition(Some(300), 1.0));
    }

    #[test]
    fn a_file_is_read_back_and_one_that_holds_no_distributions_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("album-hmm.json");
        HmmModel::default().write(&path).expect("written");
        assert_eq!(HmmModel::read(&path).expect("read"), HmmModel::default());
        let text = fs::read_to_string(&path).expect("read");
        let refused = |from: &str, to: &str| {
            fs::write(&path, text.replace(from, to)).expect("written");
            HmmModel::read(&path).expect_err("refused").to_string()
        };
        assert!(refused("0.97,", "0.98,").contains("album-hmm.json: its probabilities"));
        assert!(refused("\"weight\": 1.0", "\"weight\": 2.0").contains("its weight"));
        assert!(refused("hmm-1", "hmm-2").contains("not planet-album-hmm-1"));
        assert!(refused("chances", "changes").contains("missing field"));
    }

    #[test]
    fn somebody_who_never_stays_is_learned_to_move() {
        let states = StateSpace::known(&[at(0.0, 0.0), at(0.1, 0.0), at(40.0, 0.0)]);
        let moves: Vec<Move> = (0..400)
            .map(|step| Move {
                from: step % 2,
                to: (step + 1) % 2,
                seconds: Some(30),
                home: 0.0,
                is_new: false,
            })
            .collect();
        let model = TransitionModel::default().learned(&states, &moves);
        assert!(model.is_sound());
        let kinds = |seconds| model.transition(Some(seconds), 1.0).probabilities;
        assert!(kinds(30)[0] < 0.1, "{:?}", kinds(30));
        assert!(kinds(30)[1] > 0.5, "{:?}", kinds(30));
        // Nothing was seen of longer times.
        let prior = TransitionModel::default().transition(Some(100_000), 1.0).probabilities;
        let learned = kinds(100_000);
        assert!(learned.iter().zip(prior).all(|(a, b)| (a - b).abs() < 1e-12), "{learned:?}");
    }
}

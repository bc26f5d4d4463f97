use planet_data::Gazetteer;
use planet_geo::{ClassId, Distance, LatLng, Partition, Scale};

use super::{
    Rules, Score, TruthTable,
    bins::Bins,
    score::{Counts, Regions},
    truth_table::{Row, Stated},
};
use crate::{GUESSES, Prediction};

/// Ids of each kind of mistake that are kept to be named.
const NAMED: usize = 5;

/// How predictions are scored.
#[derive(Clone, Copy)]
pub struct ScorerOptions<'a> {
    /// How distances are measured and compared.
    pub rules: Rules,
    /// The classes, to tell whether the right one was named; without, this is not scored.
    pub partition: Option<&'a Partition>,
    /// Boundaries, to tell whether country and continent are right; without, this is not scored.
    pub gazetteer: Option<&'a Gazetteer>,
    /// Test sets that the bootstrap draws.
    pub resamples: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Default for ScorerOptions<'_> {
    fn default() -> Self {
        Self { rules: Rules::default(), partition: None, gazetteer: None, resamples: 1000, seed: 0 }
    }
}

/// Scores predictions one by one: 32 bytes a photo and nothing else that grows.
///
/// ```
/// use planet::{
///     Prediction,
///     evaluation::{Scorer, ScorerOptions, TruthTable},
/// };
/// use planet_geo::LatLng;
///
/// let mut scorer = Scorer::new(TruthTable::growing(), ScorerOptions::default());
/// let truth = Some(LatLng::new(45.44, 12.33)?);
/// scorer.add(&Prediction { photo: "a.jpg".into(), truth, ..Prediction::default() });
/// let score = scorer.finish();
/// // A photo without an answer counts as wrong.
/// assert_eq!((score.counts.photos, score.counts.failed, score.within[0][4]), (1, 1, 0.0));
/// # Ok::<(), planet_geo::GeoError>(())
/// ```
pub struct Scorer<'a> {
    table: TruthTable,
    options: ScorerOptions<'a>,
    bins: Bins,
    counts: Counts,
    /// `[k − 1][bin]`
    by_guesses: Vec<Vec<u64>>,
    /// Photos within the scales were every class's point its centre.
    by_centres: Vec<u64>,
    /// Photos whose class is among the first 1 and 5.
    cells: [u64; 2],
    /// By level: how often it was stated and correct, and the sum of what was stated.
    stated: [(u64, u64, f64); 5],
    regions: Regions,
    unknown: Vec<String>,
    /// Greatest number of answers of one photo.
    answers: usize,
}

impl<'a> Scorer<'a> {
    /// For the photos of a table, or with one that grows for predictions that bring their truth.
    pub fn new(table: TruthTable, options: ScorerOptions<'a>) -> Self {
        let bins = Bins::new(options.rules);
        let (without_position, truth_doubled) = table.left_out();
        Self {
            counts: Counts { without_position, truth_doubled, ..Counts::default() },
            by_guesses: vec![vec![0; bins.len()]; GUESSES],
            by_centres: vec![0; bins.len()],
            cells: [0; 2],
            stated: [(0, 0, 0.0); 5],
            regions: Regions::default(),
            unknown: Vec::new(),
            answers: 0,
            table,
            options,
            bins,
        }
    }

    /// Where the photos were taken.
    pub fn table(&self) -> &TruthTable {
        &self.table
    }

    /// Predictions so far that met a photo of the truth.
    pub fn met(&self) -> u64 {
        self.counts.located + self.counts.failed
    }

    /// How distances are measured and compared.
    pub fn rules(&self) -> Rules {
        self.options.rules
    }

    /// The first ids that the truth table does not hold.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Counts one photo's prediction and returns its error and truth, where it has both.
    pub fn add(&mut self, prediction: &Prediction) -> Option<(Distance, LatLng)> {
        let row = self.row(prediction)?;
        let truth = match (self.table.grows(), prediction.truth) {
            // As the file has it, not rounded.
            (true, Some(truth)) => truth,
            _ => self.table.rows()[row].position(),
        };
        let distance = |position: LatLng| self.options.rules.distance(position, truth);
        self.answers = self.answers.max(prediction.candidates.len().min(GUESSES));
        let mut nearest: Option<Distance> = None;
        for k in 0..GUESSES {
            if let Some(candidate) = prediction.candidates.get(k) {
                let here = distance(candidate.position);
                nearest = Some(nearest.map_or(here, |it| if here < it { here } else { it }));
            }
            self.by_guesses[k][self.bins.of(nearest)] += 1;
        }
        let Some(best) = prediction.best() else {
            self.counts.failed += 1;
            self.table.row_mut(row).error = f32::INFINITY;
            return None;
        };
        let error = distance(best.position);
        let right = self.cell(prediction, truth);
        self.counts.located += 1;
        let confidence = best.probability.unwrap_or(f32::NAN);
        let row = self.table.row_mut(row);
        row.error = error.km() as f32;
        (row.confidence, row.right) = (confidence, right);
        if let Some(certain) = &prediction.certain {
            let off = self.options.rules.distance(certain.position, truth);
            let correct = self.options.rules.within(off, certain.level.radius());
            let level = Scale::ALL.iter().position(|it| *it == certain.level).unwrap_or_default();
            row.stated = Stated::new(level, correct, certain.probability);
            let (times, right, sum) = &mut self.stated[level];
            *times += 1;
            *right += u64::from(correct);
            *sum += f64::from(certain.probability);
        }
        if let Some(gazetteer) = self.options.gazetteer {
            self.regions.add(gazetteer, best.position, truth);
        }
        Some((error, truth))
    }

    fn row(&mut self, prediction: &Prediction) -> Option<usize> {
        let photo = &prediction.photo;
        if self.table.grows() {
            let Some(truth) = prediction.truth else {
                self.counts.without_position += 1;
                return None;
            };
            let row = self.table.grow(photo, truth);
            self.counts.doubled += u64::from(row.is_none());
            return row;
        }
        let Some(row) = self.table.find(photo) else {
            self.counts.unknown += 1;
            if self.unknown.len() < NAMED {
                self.unknown.push(photo.clone());
            }
            return None;
        };
        let first = self.table.rows()[row].error.is_nan();
        self.counts.doubled += u64::from(!first);
        first.then_some(row)
    }

    /// Whether the best class is the right one; counts the first five too, and where the answer
    /// would lie if it were the class's centre.
    fn cell(&mut self, prediction: &Prediction, truth: LatLng) -> bool {
        let Some(partition) = self.options.partition else { return false };
        let class = partition.class_of(truth);
        let is_right = |class_named: Option<ClassId>| class.is_some() && class_named == class;
        let five = prediction.candidates.iter().take(GUESSES);
        self.cells[1] += u64::from(five.clone().any(|it| is_right(it.class)));
        let best = prediction.best().and_then(|best| best.class);
        let known = best.filter(|class| class.index() < partition.len());
        let centre = known.and_then(|class| partition.class(class).centre);
        let error = centre.map(|centre| self.options.rules.distance(centre, truth));
        self.by_centres[self.bins.of(error)] += 1;
        let right = is_right(best);
        self.cells[0] += u64::from(right);
        right
    }

    /// What came of it. Photos of the table without a prediction count as wrong.
    pub fn finish(self) -> Score {
        self.finish_with_table().0
    }

    /// The same with each photo's outcome, in the order of their ids.
    pub(super) fn finish_with_table(mut self) -> (Score, TruthTable) {
        let photos = self.table.len() as u64;
        self.counts.photos = photos;
        self.counts.missing = photos - self.counts.located - self.counts.failed;
        let none = self.bins.len() - 1;
        self.by_guesses.iter_mut().for_each(|counts| counts[none] += self.counts.missing);
        let share = |count: u64| count as f64 / photos.max(1) as f64;
        let within = |counts: &Vec<u64>| self.bins.within(counts).map(share);
        let curves = self.by_guesses.iter().map(|counts| {
            let mut so_far = 0;
            let edges = &counts[..none];
            edges
                .iter()
                .map(|count| {
                    so_far += count;
                    share(so_far)
                })
                .collect()
        });
        let partition = self.options.partition.is_some();
        let centres = partition.then(|| within(&self.by_centres));
        let cells = partition.then(|| self.cells.map(share));
        let regions = self.options.gazetteer.map(|_| self.regions.finish());
        let draws = self.options.resamples;
        let score = Score::of(
            &mut self.table,
            &self.bins,
            super::score::Tally {
                rules: self.options.rules,
                counts: self.counts,
                answers: self.answers,
                within: self.by_guesses.iter().map(within).collect(),
                curves: curves.collect(),
                centres,
                cells,
                stated: self.stated,
                regions,
                resamples: draws,
                seed: self.options.seed,
            },
        );
        self.table.sort_by_key(Row::id);
        (score, self.table)
    }
}

/// Ids of a truth table that look most like an id that it does not hold, for an error message:
/// by the number of letters to change.
pub fn nearest_id<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|other| letters_to_change(id, other))
}

/// Levenshtein's distance.
fn letters_to_change(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

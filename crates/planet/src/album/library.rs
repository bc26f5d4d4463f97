use std::{collections::BTreeMap, sync::Arc};

use planet_data::{Gazetteer, PhotoRecord};
use planet_geo::{Distance, LatLng, Partition, Scale};

use super::{Hide, Hmm, HmmModel, Places, Seen, albums};
use crate::{CellProbabilities, Locator, LocatorOptions, Prediction, WithinError};

/// Hours to the nearest known photo that are trusted alike: up to each of these, beyond all, and
/// where a time is unknown.
const NEAR: [i64; 3] = [3_600, 8 * 3_600, 36 * 3_600];
const NEARNESSES: usize = NEAR.len() + 1;
/// Weights of a network's word that are tried.
const WEIGHTS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Photos worth of belief that what is stated is right, before any was tried.
const BELIEF: f64 = 10.0;
/// Times that photos are hidden in each way to find weight and trust.
const TRIALS: u64 = 2;

/// Photos of one person in order of time, whatever albums they lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Rows of the photos in the list of records.
    pub rows: Vec<usize>,
    /// Each photo's time in seconds.
    pub times: Vec<Option<i64>>,
}

/// Somebody's library, to be located by time, by known positions, and by what a network says.
pub struct Library<'a> {
    records: &'a [PhotoRecord],
    sequences: Vec<Sequence>,
    network: Option<Network<'a>>,
    model: HmmModel,
}

/// What a network says of photos.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    /// Its classes.
    pub partition: &'a Partition,
    /// Probability of each class, `[classes]`, for a row of the records; `None` for a photo that
    /// cannot be read.
    pub probabilities: &'a (dyn Fn(usize) -> Option<Vec<f32>> + Sync),
    /// What it expects of each class before it sees a photo, `[classes]`, summing to one; `None`
    /// where this is the share of the class's training photos.
    pub expected: Option<&'a [f64]>,
}

/// How much is believed, found by hiding known positions and looking for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Trust {
    /// Weight of the network's word, 0 to 1.
    weight: f64,
    /// By nearness in time of a known photo and level: how often the truth lay in a disc, over
    /// the probability that was stated.
    levels: [[f64; 5]; NEARNESSES],
}

impl Trust {
    /// The network's word counts with this weight, 0 to 1, and what is stated is believed.
    pub fn plain(weight: f64) -> Self {
        Self { weight, levels: [[1.0; 5]; NEARNESSES] }
    }
}

impl<'a> Library<'a> {
    /// The photos of a manifest, and what a network says of them.
    pub fn new(records: &'a [PhotoRecord], network: Option<Network<'a>>) -> Self {
        Self { records, sequences: sequences(records), network, model: HmmModel::default() }
    }

    /// Begins with what was learned from others instead of with what we suppose; the library's
    /// own known positions teach the rest.
    pub fn knowing(self, model: HmmModel) -> Self {
        Self { model, ..self }
    }

    /// Each person's photos in order.
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences
    }

    /// Locates every photo. `known` are the positions that are evidence, one a record: those
    /// photos are where they are. Predictions come person by person, from the last photo to the
    /// first; `take` gets each with its row.
    ///
    /// # Errors
    /// Without a network there must be a known position; ground that holds no class.
    pub fn locate(
        &self,
        known: &[Option<LatLng>],
        trust: &Trust,
        options: &LocatorOptions,
        gazetteer: &Arc<Gazetteer>,
        mut take: impl FnMut(usize, Prediction),
    ) -> Result<(), LibraryError> {
        let places = self.places(known)?;
        let partition = Arc::new(places.partition().clone());
        let locator = Locator::new(partition, 1.0, options.clone(), Arc::clone(gazetteer))?;
        self.posteriors(&places, known, trust.weight, |row, nearness, posterior| {
            let photo = &self.records[row].photo;
            let Ok(probabilities) = CellProbabilities::from_weights(posterior) else { return };
            let mut prediction =
                locator.of_trusting(photo, &probabilities, &trust.levels[nearness]);
            for candidate in &mut prediction.candidates {
                // Known places are no classes of the model's.
                candidate.class = candidate.class.filter(|it| it.index() < places.classes());
            }
            take(row, prediction);
        });
        Ok(())
    }

    /// Finds weight and trust: known positions are hidden by runs and by days, and looked for
    /// from the others. With too few of them everything is believed as it is stated.
    pub fn trust(&self, known: &[Option<LatLng>]) -> Trust {
        let mut trust = Trust::plain(self.model.weight);
        let trials: Vec<Vec<Option<LatLng>>> = (0..TRIALS)
            .flat_map(|seed| Hide::ALL.map(|how| how.shown(self, known, seed)))
            .filter(|shown| shown.iter().any(Option::is_some))
            .collect();
        let is_hidden =
            |shown: &[Option<LatLng>], row: usize| known[row].filter(|_| shown[row].is_none());
        if self.network.is_some() && !trials.is_empty() {
            trust.weight = self.weight(&trials, known);
        }
        // Discs that would be stated as certain, and how often they are right.
        let mut stated = [[BELIEF; 5]; NEARNESSES];
        let mut right = stated;
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        for shown in &trials {
            let Ok(places) = self.places(shown) else { continue };
            let partition = Arc::new(places.partition().clone());
            let Ok(locator) =
                Locator::new(partition, 1.0, options.clone(), Arc::new(Gazetteer::new()))
            else {
                continue;
            };
            self.posteriors(&places, shown, trust.weight, |row, nearness, posterior| {
                let Some(truth) = is_hidden(shown, row) else { return };
                let Ok(probabilities) = CellProbabilities::from_weights(posterior) else { return };
                for (at, scale) in Scale::ALL.into_iter().enumerate() {
                    if let Some((middle, mass)) = locator.densest(&probabilities, scale) {
                        stated[nearness][at] += mass;
                        let hit = middle.distance_to(truth) <= scale.radius();
                        right[nearness][at] += f64::from(u8::from(hit));
                    }
                }
            });
        }
        for (trust, (right, stated)) in trust.levels.iter_mut().zip(right.iter().zip(stated)) {
            *trust = std::array::from_fn(|at| (right[at] / stated[at]).min(1.0));
        }
        trust
    }

    /// The weight of the network's word under which known positions that are not shown are found
    /// best: `known` are all of them, `trials` those that are shown each time.
    pub fn weight(&self, trials: &[Vec<Option<LatLng>>], known: &[Option<LatLng>]) -> f64 {
        let worth = |weight: f64| -> f64 {
            trials.iter().map(|shown| self.nearness_sum(shown, known, weight)).sum()
        };
        let worths = WEIGHTS.map(worth);
        let best = (0..WEIGHTS.len()).max_by(|a, b| worths[*a].total_cmp(&worths[*b]));
        best.map_or(1.0, |best| WEIGHTS[best])
    }

    /// Sum over hidden photos of the logarithm of the probability near the truth.
    fn nearness_sum(&self, shown: &[Option<LatLng>], known: &[Option<LatLng>], weight: f64) -> f64 {
        let Ok(places) = self.places(shown) else { return 0.0 };
        let near = Distance::from_km(25.0);
        let mut sum = 0.0;
        self.posteriors(&places, shown, weight, |row, _, posterior| {
            let Some(truth) = known[row].filter(|_| shown[row].is_none()) else { return };
            let inside = |place: &usize| {
                let point = places.partition().point(planet_geo::ClassId(*place as u32));
                point.is_some_and(|point| point.distance_to(truth) <= near)
            };
            let mass: f64 = (0..posterior.len()).filter(inside).map(|place| posterior[place]).sum();
            sum += mass.max(1e-4).ln();
        });
        sum
    }

    fn places(&self, known: &[Option<LatLng>]) -> Result<Places, LibraryError> {
        let positions: Vec<LatLng> = known.iter().copied().flatten().collect();
        match &self.network {
            Some(network) => {
                let places = Places::with_classes(network.partition, &positions);
                Ok(match network.expected {
                    Some(expected) => places.expecting(expected),
                    None => places,
                })
            }
            None if positions.is_empty() => Err(LibraryError::NothingKnown),
            None => Ok(Places::known(&positions)),
        }
    }

    /// Every photo's distribution over the places, with its row and how near in time a known
    /// photo is.
    fn posteriors(
        &self,
        places: &Places,
        known: &[Option<LatLng>],
        weight: f64,
        mut take: impl FnMut(usize, usize, &[f64]),
    ) {
        let place = |row: usize| known[row].and_then(|position| places.of_position(position));
        let seen: Vec<Vec<Seen>> =
            self.sequences.iter().map(|sequence| sequence.seen(place)).collect();
        let motion = self.model.motion.learned_from(places, &seen);
        for (sequence, seen) in self.sequences.iter().zip(&seen) {
            let nearness = sequence.nearness(known);
            let evidence = |photo: usize, into: &mut [f64]| {
                let network = self.network.as_ref().filter(|_| weight > 0.0);
                let said = network.and_then(|it| (it.probabilities)(sequence.rows[photo]));
                said.is_some_and(|said| {
                    places.evidence(&said, weight, into);
                    true
                })
            };
            // Twice: the first time tells where this person usually is.
            let mut usual = vec![0.0; places.len()];
            let hmm = Hmm { places, motion: &motion, usual: None };
            hmm.posteriors(seen, evidence, |_, posterior| {
                usual
                    .iter_mut()
                    .zip(posterior)
                    .for_each(|(sum, it)| *sum += it / seen.len() as f64);
            });
            let hmm = Hmm { usual: Some(&usual), ..hmm };
            hmm.posteriors(seen, evidence, |photo, posterior| {
                take(sequence.rows[photo], nearness[photo], posterior);
            });
        }
    }
}

/// Why a library cannot be located.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Neither a network nor a position to go by.
    #[error("no photo has a position and there is no model: nothing to go by")]
    NothingKnown,
    /// Ground that was asked for.
    #[error(transparent)]
    Within(#[from] WithinError),
}

impl Sequence {
    /// The photos as a model sees them, from the known place of each row.
    pub(super) fn seen(&self, place: impl Fn(usize) -> Option<usize>) -> Vec<Seen> {
        let seen = |at: usize| Seen {
            place: place(self.rows[at]),
            seconds: at
                .checked_sub(1)
                .and_then(|before| Some(self.times[at]? - self.times[before]?)),
        };
        (0..self.rows.len()).map(seen).collect()
    }

    /// For each photo how near in time the nearest known one is.
    fn nearness(&self, known: &[Option<LatLng>]) -> Vec<usize> {
        let times = self.rows.iter().zip(&self.times);
        let mut evidence: Vec<i64> =
            times.filter_map(|(row, time)| known[*row].and(*time)).collect();
        evidence.sort_unstable();
        let nearness = |time: &Option<i64>| {
            let Some(time) = *time else { return NEARNESSES - 1 };
            let after = evidence.partition_point(|known| *known < time);
            let sides = [after.checked_sub(1), Some(after)];
            let away = sides.iter().flatten().filter_map(|at| evidence.get(*at));
            let nearest = away.map(|known| (known - time).abs()).min().unwrap_or(i64::MAX);
            NEAR.partition_point(|near| *near < nearest)
        };
        self.times.iter().map(nearness).collect()
    }
}

/// Each author's photos in order of time; those without an author are one person's. A photo
/// without a time stands behind the one before it in its album.
fn sequences(records: &[PhotoRecord]) -> Vec<Sequence> {
    type Photo = (Option<i64>, usize, Option<i64>);
    let mut authors: BTreeMap<Option<String>, Vec<Photo>> = BTreeMap::new();
    for album in albums(records) {
        let photos = authors.entry(album.author).or_default();
        let mut key = album.times.iter().copied().flatten().next();
        for (row, time) in album.rows.into_iter().zip(album.times) {
            key = time.or(key);
            photos.push((key, row, time));
        }
    }
    let sequence = |mut photos: Vec<Photo>| {
        // Stable: photos of one time stay as their album has them; those of albums without any
        // time come last.
        photos.sort_by_key(|(key, _, _)| (key.is_none(), *key));
        Sequence {
            rows: photos.iter().map(|(_, row, _)| *row).collect(),
            times: photos.iter().map(|(_, _, time)| *time).collect(),
        }
    };
    authors.into_values().map(sequence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(photo: &str, album: &str, time: &str) -> PhotoRecord {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        PhotoRecord {
            photo: photo.to_owned(),
            album: some(album),
            time: some(time),
            ..PhotoRecord::default()
        }
    }

    fn at(lat: f64) -> Option<LatLng> {
        LatLng::new(lat, 10.0).ok()
    }

    fn day() -> Vec<PhotoRecord> {
        vec![
            record("a", "x", "2020-05-01T10:00:00"),
            record("b", "x", "2020-05-01T10:05:00"),
            record("c", "x", ""),
            record("d", "y", "2020-05-01T10:07:00"),
            record("e", "y", "2020-05-09T10:00:00"),
            record("f", "z", ""),
            record("g", "y", "2049-01-01T00:00:00"),
        ]
    }

    #[test]
    fn a_persons_photos_are_one_sequence_whatever_their_albums() {
        let records = day();
        let library = Library::new(&records, None);
        let [sequence] = library.sequences() else { panic!("one person") };
        assert_eq!(sequence.rows, [0, 1, 2, 3, 4, 6, 5]);
    }

    #[test]
    fn unknown_photos_are_where_their_neighbours_are_and_known_ones_where_they_are() {
        let records = day();
        let library = Library::new(&records, None);
        let known = [at(40.0), None, None, at(40.0), at(-20.0), None, None];
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        let gazetteer = Arc::new(Gazetteer::new());
        let mut found = vec![None; records.len()];
        library
            .locate(&known, &Trust::plain(1.0), &options, &gazetteer, |row, prediction| {
                found[row] = Some(prediction);
            })
            .expect("located");
        let found: Vec<Prediction> = found.into_iter().flatten().collect();
        assert_eq!(found.len(), records.len());
        for (row, found) in found.iter().enumerate().take(4) {
            let best = found.best().expect("an answer");
            assert!((best.position.lat() - 40.0).abs() < 0.01, "{row}");
            assert!(best.probability.expect("stated") > 0.9, "{row}");
            assert_eq!(best.class, None, "no model has this place");
        }
        assert!((found[4].best().expect("known").position.lat() + 20.0).abs() < 0.01);
        // A clock that is years off ties the photo to nothing for certain.
        assert!(found[6].best().expect("an answer").probability.expect("stated") < 0.9);
    }

    #[test]
    fn a_library_without_anything_known_needs_a_model() {
        let records = day();
        let library = Library::new(&records, None);
        let options = LocatorOptions::default();
        let gazetteer = Arc::new(Gazetteer::new());
        let error = library.locate(&[None; 7], &Trust::plain(1.0), &options, &gazetteer, |_, _| {});
        assert!(matches!(error, Err(LibraryError::NothingKnown)));
    }

    #[test]
    fn trust_falls_where_hidden_photos_are_not_where_they_were_looked_for() {
        // Every day somewhere else, twenty photos a day: neighbours of the same day are right,
        // those of other days are wrong.
        let records: Vec<PhotoRecord> = (0..40 * 20)
            .map(|photo| {
                let (day, minute) = (photo / 20, photo % 20);
                let (month, day) = (1 + day / 28, 1 + day % 28);
                let time = format!("2021-{month:02}-{day:02}T12:{minute:02}:00");
                record(&photo.to_string(), "", &time)
            })
            .collect();
        let known: Vec<Option<LatLng>> =
            (0..40 * 20).map(|photo| at(f64::from(photo / 20) * 2.0 - 40.0)).collect();
        let trust = Library::new(&records, None).trust(&known);
        assert!(trust.levels[0][1] > 0.9, "within the hour: {:?}", trust.levels[0]);
        assert!(trust.levels[2][1] < 0.5, "another day: {:?}", trust.levels[2]);
    }
}

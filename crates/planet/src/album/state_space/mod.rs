mod moves;

use planet_geo::{
    CellId, Class, ClassId, ClassKind, Distance, Keep, LatLng, Level, Partition, PartitionInfo,
    PhotoLeaves, Point, Scale, Uniform,
};

use self::moves::{NEGLIGIBLE, Negligible};
use super::{
    reach::Reach,
    transition::{ANYWHERE, REACHES},
};

/// Known positions within one cell of this level, about 1.2 km wide, are one place.
const PLACE_LEVEL: u8 = 13;
/// Radius that holds 68 % of a two-dimensional Gaussian, in standard deviations.
const RADIUS_68: f64 = 1.51;
/// Least probability that a model's output is taken to mean, per class.
const FLOOR: f64 = 1e-12;

/// A position that is evidence, and how accurate its source says it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// Where.
    pub position: LatLng,
    /// Radius of error that the source states (EXIF's `GPSHPositioningError`), if it does.
    pub accuracy: Option<Distance>,
}

impl From<LatLng> for Fix {
    fn from(position: LatLng) -> Self {
        Self { position, accuracy: None }
    }
}

/// Everywhere that a photo may have been taken, as the hidden Markov model sees it.
///
/// States are a model's classes, then the *known places* (cells of about 1.2 km that hold a photo
/// of known position), then, where there is no model, the *unknown places*: for each known place
/// and each kind of move that leads elsewhere, somewhere without a known photo that is reached by
/// such a move from the surroundings of that place. Unknown places are no answers, but they hold
/// the probability that the photo was taken where there is no known photo yet. Where there is a
/// model, its classes take that part.
///
/// A move within a reach goes through *discs* of that reach whose centres cover all places, so
/// that every place is in a few of them, in each the more the nearer it is to the centre. A move
/// picks one of its own discs, then a place in it by how often it is visited. This is a
/// transition matrix of low rank: a step costs a few operations per place instead of a row of all
/// places, and stays exact.
#[derive(Clone, Debug)]
pub struct StateSpace {
    partition: Partition,
    /// Classes of the model; behind them come the known places.
    classes: usize,
    /// How often each class or known place is visited: the classes' sum to one, the known
    /// places' sum to one.
    visits: Vec<f64>,
    /// Probability of each class in a photo that the model knows nothing of; sums to one.
    expected: Vec<f64>,
    /// For each known place the model's class that holds it.
    containing: Vec<Option<ClassId>>,
    /// For each known place the best accuracy that a photo there states.
    accuracy: Vec<Option<Distance>>,
    /// Place of each cell of known places, by cell id.
    cells: Vec<(u64, u32)>,
    reaches: Vec<Reach>,
    /// For each point the greatest peak of its reaches.
    peaks: Vec<f64>,
    negligible: Negligible,
}

impl StateSpace {
    /// The known places alone, and the unknown ones round them.
    pub fn known(positions: &[LatLng]) -> Self {
        let fixes: Vec<Fix> = positions.iter().copied().map(Fix::from).collect();
        Self::new(None, &fixes)
    }

    /// A model's classes, if there is a model, and the places of known positions. A class is
    /// visited by its training photos, a place by its known photos.
    ///
    /// # Panics
    /// Where there is neither a class nor a position.
    pub fn new(model: Option<&Partition>, fixes: &[Fix]) -> Self {
        let of_model = model.map_or(&[][..], Partition::classes);
        let places = place_classes(fixes);
        let info = model.map_or_else(PartitionInfo::default, |it| it.info().clone());
        let classes = of_model.len();
        let mut all: Vec<Class> =
            of_model.iter().chain(places.iter().map(|(_, it)| it)).cloned().collect();
        let mut visits = shares(&all[..classes]);
        let expected = visits.clone();
        visits.extend(shares(&all[classes..]));
        let containing = places
            .iter()
            .map(|(_, class)| model.and_then(|it| it.class_of(point(class)?)))
            .collect();
        let mut cells: Vec<(u64, u32)> =
            (classes as u32..).zip(&places).map(|(at, (cell, _))| (*cell, at)).collect();
        cells.sort_unstable();
        // Classes that are no place ("other") lie nowhere.
        let points: Vec<Option<[f64; 3]>> =
            all.iter().map(|class| Some(point(class)?.to_vector())).collect();
        let reaches = REACHES
            .map(|km| Reach::new(&points, &visits, classes, km / planet_geo::EARTH_RADIUS_KM));
        let peak = |point| reaches.iter().map(|reach| reach.peak(point)).fold(0.0, f64::max);
        let peaks = (0..points.len()).map(peak).collect();
        all.push(Class {
            kind: ClassKind::Other,
            photos: 0,
            mean: None,
            centre: None,
            scatter: None,
        });
        let partition = Partition::new(info, all).expect("there is a position or a class");
        let mut space = Self {
            partition,
            classes,
            visits,
            expected,
            containing,
            accuracy: vec![Some(Distance::from_km(f64::MAX)); places.len()],
            cells,
            reaches: reaches.into(),
            peaks,
            negligible: NEGLIGIBLE,
        };
        for fix in fixes {
            if let Some(state) = space.state_of(fix.position) {
                let best = &mut space.accuracy[state - classes];
                *best = (*best).zip(fix.accuracy).map(|(a, b)| if a < b { a } else { b });
            }
        }
        space
    }

    /// The same where the model expects each class otherwise than by its training photos: by
    /// these probabilities, `[classes]`, summing to one.
    pub fn with_prior(self, expected: &[f64]) -> Self {
        Self { expected: expected.to_vec(), ..self }
    }

    #[cfg(test)]
    pub(in crate::album) fn leaving_nothing_out(self) -> Self {
        Self { negligible: Negligible { arrival: 0.0, posterior: -1.0 }, ..self }
    }

    /// Classes, known places and, last, everywhere else (`other`) as one partition, for a
    /// [`crate::Locator`]: known places are classes that are only points, behind the model's.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// Number of states.
    pub fn len(&self) -> usize {
        let unknown = if self.classes == 0 { ANYWHERE * self.places() } else { 0 };
        self.classes + self.places() + unknown
    }

    /// Never: there is a class or a place.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of the model's classes, which come first.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of known places.
    fn places(&self) -> usize {
        self.containing.len()
    }

    /// The state of a known position; `None` for one that was not among those known.
    pub fn state_of(&self, position: LatLng) -> Option<usize> {
        let cell = place_cell(position);
        let at = self.cells.binary_search_by_key(&cell, |(cell, _)| *cell).ok()?;
        Some(self.cells[at].1 as usize)
    }

    /// Likelihood of the known places and classes for a photo with this position: the place of
    /// the position, and, where the position is less accurate than a place is wide, those round
    /// it by a Gaussian of the distance. `None` for a position that was not among those known.
    pub fn emission_of(&self, fix: Fix) -> Option<Vec<(usize, f64)>> {
        let own = self.state_of(fix.position)?;
        let mut likelihoods = vec![(own, 1.0)];
        let Some(accuracy) = fix.accuracy.filter(|it| it.km() > 0.5) else {
            return Some(likelihoods);
        };
        let deviation = accuracy.km() / RADIUS_68;
        let around = (0..self.classes + self.places()).filter(|state| *state != own);
        likelihoods.extend(around.filter_map(|state| {
            let point = self.partition.point(ClassId(state as u32))?;
            let away = point.distance_to(fix.position).km() / deviation;
            (away < 4.0).then(|| (state, (-0.5 * away * away).exp()))
        }));
        Some(likelihoods)
    }

    /// Likelihood of each state given a model's class probabilities: probability over the
    /// expected one, to the power of `weight`; 1 where the model says nothing.
    ///
    /// `probabilities` is `[classes]`, `into` `[states]`.
    pub fn emission(&self, probabilities: &[f32], weight: f64, into: &mut [f64]) {
        into.fill(1.0);
        if weight <= 0.0 {
            return;
        }
        let ratio = |class: usize| {
            f64::from(probabilities[class]).max(FLOOR) / self.expected[class].max(FLOOR)
        };
        let of_classes = &mut into[..self.classes];
        // Roots are many times faster than powers, and quarters are what is tried.
        match (4.0 * weight) as u32 {
            4 => of_classes.iter_mut().enumerate().for_each(|(it, value)| *value = ratio(it)),
            quarters if f64::from(quarters) / 4.0 == weight => {
                for (class, value) in of_classes.iter_mut().enumerate() {
                    let half = ratio(class).sqrt();
                    *value = match quarters {
                        1 => half.sqrt(),
                        2 => half,
                        _ => half * half.sqrt(),
                    };
                }
            }
            _ => of_classes
                .iter_mut()
                .enumerate()
                .for_each(|(it, value)| *value = ratio(it).powf(weight)),
        }
        for (place, class) in self.containing.iter().enumerate() {
            into[self.classes + place] = class.map_or(1.0, |class| into[class.index()]);
        }
    }

    /// A distribution over the states as one over [`StateSpace::partition`], for statements at
    /// this scale: an unknown place counts where it must lie within the scale's radius of the
    /// known one, a known place as far as its photos' accuracy allows; the rest is `other`.
    pub fn marginal(&self, posterior: &[f64], scale: Scale) -> Vec<f64> {
        let points = self.classes + self.places();
        let mut values = posterior[..points].to_vec();
        let unknown = if self.classes == 0 { ANYWHERE } else { 0 };
        for kind in 1..unknown {
            // Places of one disc are at most two reaches from its centre.
            if 2.0 * REACHES[kind - 1] <= scale.radius().km() {
                let from = &posterior[kind * points..][..points];
                values.iter_mut().zip(from).for_each(|(value, it)| *value += it);
            }
        }
        for (place, accuracy) in self.accuracy.iter().enumerate() {
            if let Some(accuracy) = accuracy.filter(|it| it.km() > 0.0) {
                let away = scale.radius().km() * RADIUS_68 / accuracy.km();
                values[self.classes + place] *= 1.0 - (-0.5 * away * away).exp();
            }
        }
        let all: f64 = posterior.iter().sum();
        values.push((all - values.iter().sum::<f64>()).max(0.0));
        values
    }
}

fn point(class: &Class) -> Option<LatLng> {
    class.mean.or(class.centre)
}

/// Shares by photos, one more each than there are; they sum to one.
fn shares(classes: &[Class]) -> Vec<f64> {
    let weight = |class: &Class| class.photos as f64 + 1.0;
    let sum: f64 = classes.iter().map(weight).sum();
    classes.iter().map(|class| weight(class) / sum).collect()
}

fn place_level() -> Level {
    Level::new(PLACE_LEVEL).expect("13 is a level")
}

fn place_cell(position: LatLng) -> u64 {
    CellId::containing(position, place_level()).id()
}

fn uniform(level: Level) -> Uniform {
    Uniform { level, keep: Keep::From(1), point: Point::Mean, source: String::new() }
}

/// Cells of known positions with the class of each: a point, the mean of its photos.
fn place_classes(fixes: &[Fix]) -> Vec<(u64, Class)> {
    let photos: PhotoLeaves = fixes.iter().map(|fix| fix.position).collect();
    let Ok(places) = uniform(place_level()).build(&photos) else { return Vec::new() };
    let class = |class: &Class| {
        let cell = class.cells().first().expect("a uniform class is a cell").id();
        (cell, Class { kind: ClassKind::PointOnly, ..class.clone() })
    };
    places.classes().iter().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    pub(super) fn places() -> Vec<LatLng> {
        let near = (0..30).map(|step| at(f64::from(step) * 0.07, f64::from(step % 7) * 0.4));
        near.chain([at(50.0, 10.0), at(50.0, 10.0), at(-50.0, 170.0)]).collect()
    }

    pub(super) fn model() -> Partition {
        let photos: PhotoLeaves =
            [at(45.4, 12.3), at(45.4, 12.3), at(0.0, 0.0)].into_iter().collect();
        uniform(Level::new(6).expect("a level")).build(&photos).expect("two cells")
    }

    #[test]
    fn positions_of_one_cell_are_one_place_at_their_mean() {
        let states = StateSpace::known(&places());
        let state = states.state_of(at(50.0, 10.0)).expect("it is known");
        let point = states.partition().point(ClassId(state as u32)).expect("a point");
        assert!(point.distance_to(at(50.0, 10.0)).m() < 1.0);
        assert_eq!(states.state_of(at(10.0, 100.0)), None);
    }

    #[test]
    fn a_known_place_has_the_likelihood_of_its_class_and_one_outside_has_none() {
        let partition = model();
        let fixes = [at(45.41, 12.31), at(-70.0, 0.0)].map(Fix::from);
        let states = StateSpace::new(Some(&partition), &fixes);
        assert_eq!((states.classes(), states.len()), (2, 4));
        let venice = partition.class_of(at(45.4, 12.3)).expect("inside").index();
        let mut probabilities = [0.1f32; 2];
        probabilities[venice] = 0.9;
        let mut emission = vec![0.0; 4];
        let [known, outside] =
            [at(45.41, 12.31), at(-70.0, 0.0)].map(|it| states.state_of(it).expect("known"));
        // Three photos and two that are supposed: 3/5 and 2/5 are usual.
        for weight in [1.0, 0.75, 0.5, 0.25, 0.6] {
            states.emission(&probabilities, weight, &mut emission);
            assert_eq!(emission[known], emission[venice]);
            let wanted = (f64::from(0.9f32) / 0.6).powf(weight);
            assert!((emission[venice] - wanted).abs() < 1e-12, "{weight}: {emission:?}");
            assert_eq!(emission[outside], 1.0);
        }
        states.emission(&probabilities, 0.0, &mut emission);
        assert_eq!(emission, [1.0; 4]);
    }

    #[test]
    fn an_inaccurate_position_says_less_of_itself_and_something_of_places_round_it() {
        let fix = |lat, km| Fix { accuracy: Some(Distance::from_km(km)), ..at(lat, 0.0).into() };
        let states = StateSpace::new(None, &[fix(0.0, 20.0), fix(0.1, 0.01), fix(9.0, 0.01)]);
        let emission = states.emission_of(fix(0.0, 20.0)).expect("known");
        let [own, near, far] =
            [0.0, 0.1, 9.0].map(|lat| states.state_of(at(lat, 0.0)).expect("known"));
        let of = |state: usize| emission.iter().find(|it| it.0 == state).map(|it| it.1);
        assert_eq!(of(own), Some(1.0));
        assert!(of(near).is_some_and(|it| (0.5..1.0).contains(&it)), "{emission:?}");
        assert_eq!(of(far), None);
        let mut posterior = vec![0.0; states.len()];
        posterior[own] = 1.0;
        let stated = |scale| states.marginal(&posterior, scale)[own];
        assert!(stated(Scale::Street) < 0.01, "within a kilometre: {}", stated(Scale::Street));
        assert!(stated(Scale::Region) > 0.99);
        assert!(
            (states.marginal(&posterior, Scale::Street).iter().sum::<f64>() - 1.0).abs() < 1e-12
        );
    }
}

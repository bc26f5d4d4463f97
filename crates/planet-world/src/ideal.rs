use planet_data::Monitor;
use planet_geo::{ClassId, LatLng, Partition, Scale};
use rayon::prelude::*;

use crate::{Coverage, WorldError, disc::DiscShare, world::World};

/// How many answers the ideal classifier may give.
pub const ANSWERS: usize = 5;

const SCALES: usize = Scale::ALL.len();

/// The best that can be done with a partition in a world: what follows for cells and their points
/// from probabilities of places.
pub struct Ideal<'p> {
    partition: &'p Partition,
    coverage: Coverage,
    /// For each scale and place: the classes whose points have photos of the place within the
    /// scale's radius, and which share of them.
    near: [Vec<Vec<(ClassId, f32)>>; SCALES],
}

impl<'p> Ideal<'p> {
    /// Prepares a world and a partition for any number of photos.
    ///
    /// # Errors
    /// The monitor asked for an end.
    pub fn new(
        world: &World,
        partition: &'p Partition,
        monitor: &dyn Monitor,
    ) -> Result<Self, WorldError> {
        let coverage = Coverage::new(world, partition, monitor)?;
        let points: Vec<(ClassId, LatLng)> = (0..partition.len() as u32)
            .filter_map(|row| Some((ClassId(row), partition.point(ClassId(row))?)))
            .collect();
        let near = Scale::ALL.map(|scale| {
            let disc = DiscShare::new(scale.radius());
            let of_place = |position: LatLng| {
                let share = |&(class, point): &(ClassId, LatLng)| {
                    let share = disc.at(position.distance_to(point));
                    (share > 0.0).then_some((class, share))
                };
                points.iter().filter_map(share).collect()
            };
            world.places().par_iter().map(|place| of_place(place.position)).collect()
        });
        Ok(Self { partition, coverage, near })
    }

    /// P(cell | place) and its error.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// What the ideal classifier and the upper bound make of one photo.
    ///
    /// `places` is P(place | what is known), `[places]`.
    pub fn outcome(&self, places: &[f64], truth: LatLng) -> IdealOutcome {
        let cells = self.coverage.cells(places);
        let best = most_probable(&cells);
        let points: Vec<LatLng> =
            best.iter().filter_map(|class| self.partition.point(*class)).collect();
        let mut outcome = IdealOutcome::default();
        for (scale, row) in Scale::ALL.into_iter().zip(&mut outcome.scales) {
            let within = self.within(places, scale);
            let hits = |point: &LatLng| truth.distance_to(*point) <= scale.radius();
            row.found = std::array::from_fn(|k| points.iter().take(k + 1).any(hits));
            row.expected = best.first().map_or(0.0, |class| within[class.index()]);
            let bound = index_of_greatest(&within);
            row.bound_expected = within[bound];
            row.bound_found = self.partition.point(ClassId(bound as u32)).is_some_and(|p| hits(&p));
        }
        let class = self.partition.class_of(truth);
        outcome.cell_found = class.is_some() && class == best.first().copied();
        outcome.cell_expected = best.first().map_or(0.0, |class| cells[class.index()]);
        outcome.outside = class.is_none();
        let inside: f64 = cells.iter().sum();
        // As a network's: over the cells alone. A cell without any probability never holds a photo, but for
        // the error of the quadrature.
        let log = |probability: f64| -(probability / inside).max(f64::MIN_POSITIVE).ln();
        outcome.log_loss = class.map(|class| log(cells[class.index()]));
        let of_cell = |&it: &f64| if it > 0.0 { it / inside * log(it) } else { 0.0 };
        outcome.entropy = cells.iter().map(of_cell).sum();
        outcome
    }

    /// For each class, the probability that its point lies within a scale's radius of the photo.
    fn within(&self, places: &[f64], scale: Scale) -> Vec<f64> {
        // Places that together weigh less than this change no figure that is shown.
        const NOTHING: f64 = 1e-9;
        let mut within = vec![0.0; self.partition.len()];
        let rows = places.iter().zip(&self.near[scale as usize]);
        for (probability, row) in rows.filter(|(probability, _)| **probability > NOTHING) {
            for &(class, share) in row {
                within[class.index()] += probability * f64::from(share);
            }
        }
        within
    }
}

/// The [`ANSWERS`] most probable classes, the most probable first; of equals the first row.
fn most_probable(cells: &[f64]) -> Vec<ClassId> {
    let mut order: Vec<ClassId> = (0..cells.len() as u32).map(ClassId).collect();
    let by_probability =
        |a: &ClassId, b: &ClassId| cells[b.index()].total_cmp(&cells[a.index()]).then(a.cmp(b));
    if order.len() > ANSWERS {
        order.select_nth_unstable_by(ANSWERS - 1, by_probability);
        order.truncate(ANSWERS);
    }
    order.sort_unstable_by(by_probability);
    order
}

fn index_of_greatest(values: &[f64]) -> usize {
    let greatest = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    greatest.map_or(0, |(index, _)| index)
}

/// One photo at one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScaleOutcome {
    /// Whether one of the first 1, 2, … 5 most probable cells' points lies within the radius.
    pub found: [bool; ANSWERS],
    /// Probability of that for the first, by the posterior itself.
    pub expected: f64,
    /// Whether the point with the most posterior mass within the radius does.
    pub bound_found: bool,
    /// Probability of that, by the posterior itself.
    pub bound_expected: f64,
}

/// One photo under the exact posterior.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IdealOutcome {
    /// In the order of [`Scale::ALL`].
    pub scales: [ScaleOutcome; SCALES],
    /// Whether the most probable cell holds the photo.
    pub cell_found: bool,
    /// Probability of that, by the posterior itself.
    pub cell_expected: f64,
    /// No cell holds the photo; it stays in every denominator.
    pub outside: bool,
    /// −ln of the probability of the cell that holds the photo, given that one of the cells does.
    pub log_loss: Option<f64>,
    /// The same as the posterior itself expects it: the entropy of the cells, in nats.
    pub entropy: f64,
}

use std::{collections::BTreeMap, f64::consts::TAU};

use planet_data::Monitor;
use planet_geo::{ClassId, LatLng, Partition};
use rayon::prelude::*;

use crate::{
    WorldError,
    scatter::{RINGS, offset, ring_radius_km},
    world::World,
};

/// P(cell | place) of a partition: which share of a place's photos each class holds.
///
/// The scatter of a place's photos is cut into patches of equal share, by radius and direction,
/// and a patch whose samples fall into several classes is cut again, four times at most.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// Classes and their shares, one row a place.
    rows: Vec<Vec<(ClassId, f64)>>,
    classes: usize,
    error: f64,
}

/// Cuts of the whole scatter of a ring before any look: radii and directions.
const FIRST_CUTS: [usize; 2] = [8, 16];
/// How often a patch on a border is cut into four.
const MORE_CUTS: u32 = 4;

impl Coverage {
    /// The coverage of a world's places by a partition's classes.
    ///
    /// # Errors
    /// The monitor asked for an end.
    pub fn new(
        world: &World,
        partition: &Partition,
        monitor: &dyn Monitor,
    ) -> Result<Self, WorldError> {
        let row = |position: LatLng| {
            let mut row = Row::default();
            if monitor.cancelled() {
                return row;
            }
            for (share, sigma) in RINGS {
                row.add_ring(partition, position, share, sigma);
            }
            row
        };
        let rows: Vec<Row> = world.places().par_iter().map(|place| row(place.position)).collect();
        if monitor.cancelled() {
            return Err(WorldError::Cancelled);
        }
        let error = rows.iter().map(Row::error).fold(0.0, f64::max);
        let rows = rows.into_iter().map(|row| row.shares.into_iter().collect()).collect();
        Ok(Self { rows, classes: partition.len(), error })
    }

    /// How far a share may be off, at any place: two standard deviations, as a share. It is the
    /// error of patches that still lie on a border after the last cut; under 0.001.
    pub fn error(&self) -> f64 {
        self.error
    }

    /// P(class | place) of the classes that hold any photo of a place; the rest lies outside.
    pub fn of_place(&self, place: usize) -> &[(ClassId, f64)] {
        &self.rows[place]
    }

    /// P(class) from P(place): `[classes]`; what is missing to one lies outside all classes.
    pub fn cells(&self, places: &[f64]) -> Vec<f64> {
        let mut cells = vec![0.0; self.classes];
        for (probability, row) in places.iter().zip(&self.rows) {
            for (class, share) in row {
                cells[class.index()] += probability * share;
            }
        }
        cells
    }
}

/// Shares of one place while they are summed.
#[derive(Default)]
struct Row {
    shares: BTreeMap<ClassId, f64>,
    /// Sum of the squared shares of patches on a border.
    border: f64,
}

/// A part of a ring's scatter: share of photos nearer than its edges, and turns.
#[derive(Clone, Copy)]
struct Patch {
    below: [f64; 2],
    turn: [f64; 2],
}

impl Row {
    /// Five samples of a patch guess its shares within this standard deviation, as a share of
    /// the patch.
    const GUESS: f64 = 0.25;

    fn error(&self) -> f64 {
        2.0 * Self::GUESS * self.border.sqrt()
    }

    fn add_ring(&mut self, partition: &Partition, middle: LatLng, share: f64, sigma: f64) {
        let [radii, turns] = FIRST_CUTS;
        let patch_share = share / (radii * turns) as f64;
        let cut = |index: usize, of: usize| [index, index + 1].map(|i| i as f64 / of as f64);
        let class_at = |below: f64, turn: f64| {
            // The outermost edge lies infinitely far; one photo in a million is farther.
            let radius = ring_radius_km(sigma, below.min(1.0 - 1e-6));
            partition.class_of(offset(middle, radius, TAU * turn))
        };
        for radius in 0..radii {
            for turn in 0..turns {
                let patch = Patch { below: cut(radius, radii), turn: cut(turn, turns) };
                self.add_patch(&class_at, patch, patch_share, MORE_CUTS);
            }
        }
    }

    fn add_patch(
        &mut self,
        class_at: &impl Fn(f64, f64) -> Option<ClassId>,
        Patch { below, turn }: Patch,
        share: f64,
        cuts: u32,
    ) {
        let middle = [(below[0] + below[1]) / 2.0, (turn[0] + turn[1]) / 2.0];
        let samples = [
            class_at(middle[0], middle[1]),
            class_at(below[0], turn[0]),
            class_at(below[0], turn[1]),
            class_at(below[1], turn[0]),
            class_at(below[1], turn[1]),
        ];
        if samples.iter().all(|sample| *sample == samples[0]) {
            self.add(samples[0], share);
        } else if cuts == 0 {
            self.border += share * share;
            for sample in samples {
                self.add(sample, share / samples.len() as f64);
            }
        } else {
            for below in [[below[0], middle[0]], [middle[0], below[1]]] {
                for turn in [[turn[0], middle[1]], [middle[1], turn[1]]] {
                    self.add_patch(class_at, Patch { below, turn }, share / 4.0, cuts - 1);
                }
            }
        }
    }

    fn add(&mut self, class: Option<ClassId>, share: f64) {
        if let Some(class) = class {
            *self.shares.entry(class).or_default() += share;
        }
    }
}

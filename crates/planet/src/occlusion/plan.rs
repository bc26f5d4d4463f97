//! Which boxes of a photo are tried, and when.

use planet_data::PixelBox;
use planet_geo::Scale;

use super::{OcclusionOptions, Reading, Search, grid::Grid, result::HiddenBox};

/// Grids of fewer boxes are tried whole.
const FEW: usize = 40;

/// Runs of the network that coarse to fine may take for a grid of so many boxes.
pub(super) fn budget(boxes: usize) -> usize {
    if boxes < FEW { 1 + boxes } else { boxes.div_ceil(2) }
}

/// What one run of the network is to see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Request {
    /// The whole photo.
    Whole,
    /// The photo without a box of the grid.
    Box(usize),
    /// The photo without a large box.
    Large(usize),
}

/// The runs of one photo, in rounds: the next round depends on what came of those before.
pub(super) struct Plan {
    pub grid: Grid,
    large: Grid,
    scale: Option<Scale>,
    /// Rounds that are still to come.
    rounds: u32,
    left: usize,
    whole: Option<Reading>,
    boxes: Vec<Option<Reading>>,
    large_boxes: Vec<Option<Reading>>,
}

impl Plan {
    /// For a photo of `[height, width]` pixels.
    pub fn new(photo: [u32; 2], options: &OcclusionOptions) -> Self {
        let grid = Grid::new(photo, options.side, options.stride);
        let side = (2.0 * options.side).min(1.0);
        let large = Grid::new(photo, side, (3.0 * options.stride).max(options.side).min(side));
        let fine = options.search == Search::CoarseToFine && grid.boxes() >= FEW;
        let left = if fine { budget(grid.boxes()) } else { 1 + grid.boxes() };
        Self {
            scale: options.scale,
            rounds: if fine { 2 } else { 0 },
            left,
            whole: None,
            boxes: vec![None; grid.boxes()],
            large_boxes: vec![None; large.boxes()],
            grid,
            large,
        }
    }

    /// The first round.
    pub fn first(&mut self) -> Vec<Request> {
        let others: Vec<Request> = match self.rounds {
            0 => (0..self.grid.boxes()).map(Request::Box).collect(),
            _ => (0..self.large.boxes()).map(Request::Large).collect(),
        };
        let mut round: Vec<Request> = std::iter::once(Request::Whole).chain(others).collect();
        round.truncate(self.left);
        self.left -= round.len();
        round
    }

    /// What is hidden in a run; `None` for nothing.
    pub fn hidden(&self, request: Request) -> Option<PixelBox> {
        match request {
            Request::Whole => None,
            Request::Box(number) => Some(self.grid.at(number)),
            Request::Large(number) => Some(self.large.at(number)),
        }
    }

    /// Takes what came of a run.
    pub fn record(&mut self, request: Request, reading: Reading) {
        match request {
            Request::Whole => self.whole = Some(reading),
            Request::Box(number) => self.boxes[number] = Some(reading),
            Request::Large(number) => self.large_boxes[number] = Some(reading),
        }
    }

    /// The next round, when all runs of those before have come; none when it is over.
    pub fn next(&mut self) -> Vec<Request> {
        if self.rounds == 0 || self.left == 0 {
            return Vec::new();
        }
        let second = self.rounds == 2;
        self.rounds -= 1;
        let columns = self.grid.lefts.len();
        // Every other box first, as on a chessboard: the others lie between them.
        let open = |number: &usize| {
            self.boxes[*number].is_none()
                && (!second || (number / columns + number % columns).is_multiple_of(2))
        };
        let mut open: Vec<(f64, usize)> = (0..self.grid.boxes())
            .filter(open)
            .map(|number| {
                (if second { self.suspected(number) } else { self.unsure(number) }, number)
            })
            .collect();
        open.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        open.truncate(if second { self.left.div_ceil(2) } else { self.left });
        self.left -= open.len();
        open.into_iter().map(|(_, number)| Request::Box(number)).collect()
    }

    /// The readings of all boxes of the grid, once it is over; those that were not tried are
    /// estimated.
    pub fn finish(&self) -> Option<(Reading, Vec<HiddenBox>)> {
        let whole = self.whole.clone()?;
        let boxes = (0..self.grid.boxes()).map(|number| {
            let measured = self.boxes[number].is_some();
            let reading = match &self.boxes[number] {
                Some(reading) => reading.clone(),
                None => self.estimate(number, &whole),
            };
            HiddenBox { hidden: self.grid.at(number), reading, measured }
        });
        Some((whole.clone(), boxes.collect()))
    }

    fn drop_of(&self, reading: &Reading) -> f64 {
        let whole = self.whole.as_ref().map_or(0.0, |whole| whole.value(self.scale));
        whole - reading.value(self.scale)
    }

    /// Large boxes that hide the middle of a box.
    fn above(&self, number: usize) -> impl Iterator<Item = &Reading> {
        let [x, y] = middle(self.grid.at(number));
        let holds = move |hidden: PixelBox| {
            let within = |at: f64, from: u32, length: u32| {
                f64::from(from) <= at && at <= f64::from(from) + f64::from(length)
            };
            within(x, hidden.left, hidden.width) && within(y, hidden.top, hidden.height)
        };
        let readings = self.large.all().zip(&self.large_boxes);
        readings.filter(move |(hidden, _)| holds(*hidden)).filter_map(|(_, it)| it.as_ref())
    }

    /// How much hiding the ground round a box changed.
    fn suspected(&self, number: usize) -> f64 {
        self.above(number).map(|reading| self.drop_of(reading).abs()).fold(0.0, f64::max)
    }

    /// How far a box's neighbours differ.
    fn unsure(&self, number: usize) -> f64 {
        let near = self.neighbours(number, 1.5).into_iter();
        let drops: Vec<f64> = near.map(|(_, reading)| self.drop_of(reading)).collect();
        let greatest = drops.iter().copied().fold(f64::MIN, f64::max);
        let least = drops.iter().copied().fold(f64::MAX, f64::min);
        if drops.len() < 2 {
            return self.suspected(number);
        }
        (greatest - least) + 0.25 * greatest.abs().max(least.abs())
    }

    /// Boxes that were tried, with their distance in steps of the grid.
    fn neighbours(&self, number: usize, within: f64) -> Vec<(f64, &Reading)> {
        let columns = self.grid.lefts.len();
        let place = |number: usize| [(number / columns) as f64, (number % columns) as f64];
        let here = place(number);
        let tried = self.boxes.iter().enumerate().filter_map(|(other, reading)| {
            let there = place(other);
            let away = (here[0] - there[0]).hypot(here[1] - there[1]);
            (away <= within).then_some((away, reading.as_ref()?))
        });
        tried.collect()
    }

    /// The mean of the neighbours, the nearer the heavier, and of what the large boxes say: a
    /// quarter of their drop, as it is their share of the ground.
    fn estimate(&self, number: usize, whole: &Reading) -> Reading {
        let mut estimate = Reading { best: whole.best, ..Reading::default() };
        let mut total = 0.0;
        let mut add = |weight: f64, share: f64, reading: &Reading| {
            total += weight;
            let mix = |whole: f64, other: f64| weight * (whole + share * (other - whole));
            estimate.target += mix(whole.target, reading.target);
            for (at, sum) in estimate.within.iter_mut().enumerate() {
                *sum += mix(whole.within[at], reading.within[at]);
            }
        };
        let mut near = self.neighbours(number, 3.0);
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(4);
        for (away, reading) in &near {
            add(away.powi(-4), 1.0, reading);
        }
        let above: Vec<&Reading> = self.above(number).collect();
        for reading in &above {
            add(0.05 / above.len() as f64, 0.25, reading);
        }
        if total == 0.0 {
            return whole.clone();
        }
        estimate.target /= total;
        estimate.within.iter_mut().for_each(|sum| *sum /= total);
        if let Some((_, nearest)) = near.first() {
            estimate.best = nearest.best;
        }
        estimate
    }
}

fn middle(hidden: PixelBox) -> [f64; 2] {
    [
        f64::from(hidden.left) + f64::from(hidden.width) / 2.0,
        f64::from(hidden.top) + f64::from(hidden.height) / 2.0,
    ]
}

use rayon::prelude::*;

use crate::{ClassId, LatLng, Partition, PointIndex, Scale};

/// How well the best possible answers of a partition could do on some positions, at the five
/// scales. Positions outside all classes stay in the denominator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ceiling {
    /// Positions there were.
    pub positions: u64,
    /// Positions that no class holds.
    pub outside: u64,
    /// Positions whose own class's point is near enough, by [`Scale::ALL`]; those outside are
    /// missed. Not a bound: a neighbouring cell's point may be nearer.
    pub own: [u64; 5],
    /// Positions for which any class's point is near enough: no answer can do better.
    pub any: [u64; 5],
}

impl Ceiling {
    /// Shares of positions whose own class's point is near enough, 0..=1.
    pub fn own_shares(&self) -> [f64; 5] {
        self.own.map(|count| self.share(count))
    }

    /// Shares of positions for which any class's point is near enough, 0..=1.
    pub fn any_shares(&self) -> [f64; 5] {
        self.any.map(|count| self.share(count))
    }

    fn share(&self, count: u64) -> f64 {
        count as f64 / self.positions.max(1) as f64
    }

    fn plus(mut self, other: Self) -> Self {
        self.positions += other.positions;
        self.outside += other.outside;
        for scale in 0..Scale::ALL.len() {
            self.own[scale] += other.own[scale];
            self.any[scale] += other.any[scale];
        }
        self
    }
}

/// Counts a partition's [`Ceiling`] over positions that come in batches.
#[derive(Debug)]
pub struct CeilingCounter<'a> {
    partition: &'a Partition,
    points: PointIndex,
    ceiling: Ceiling,
}

impl<'a> CeilingCounter<'a> {
    /// Nothing counted yet.
    pub fn new(partition: &'a Partition) -> Self {
        let rows = 0..partition.len() as u32;
        let points = rows.filter_map(|row| Some((row, partition.point(ClassId(row))?)));
        Self { partition, points: PointIndex::with_indexes(points), ceiling: Ceiling::default() }
    }

    /// Counts these positions too, on all threads.
    pub fn extend(&mut self, positions: &[LatLng]) {
        let more = positions
            .par_iter()
            .with_min_len(1 << 10)
            .map(|&position| self.of(position))
            .reduce(Ceiling::default, Ceiling::plus);
        self.ceiling = self.ceiling.plus(more);
    }

    /// What was counted.
    pub fn finish(self) -> Ceiling {
        self.ceiling
    }

    fn of(&self, position: LatLng) -> Ceiling {
        let class = self.partition.class_of(position);
        let own = class.and_then(|class| self.partition.point(class));
        let any = self.points.nearest(position).and_then(|row| self.partition.point(ClassId(row)));
        let hits = |point: Option<LatLng>| {
            let distance = point.map(|point| position.distance_to(point));
            Scale::ALL.map(|scale| u64::from(distance.is_some_and(|d| d <= scale.radius())))
        };
        Ceiling {
            positions: 1,
            outside: u64::from(class.is_none()),
            own: hits(own),
            any: hits(any),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adaptive, Keep, PhotoLeaves};

    #[test]
    fn a_position_outside_misses_its_own_class_and_may_still_be_near_another() {
        let at = |lat, lng| LatLng::new(lat, lng).expect("in range");
        let photos: PhotoLeaves =
            [at(44.9, 10.0), at(44.9, 10.0), at(46.5, 10.0)].into_iter().collect();
        let rules = Adaptive { split_above: 2, keep: Keep::From(2), ..Adaptive::default() };
        let partition = rules.build(&photos).expect("one cell");
        let mut counter = CeilingCounter::new(&partition);
        counter.extend(&[at(44.9, 10.0), at(46.5, 10.0)]);
        let ceiling = counter.finish();
        assert_eq!((ceiling.positions, ceiling.outside), (2, 1));
        assert_eq!(ceiling.own, [1, 1, 1, 1, 1]);
        assert_eq!(ceiling.any, [1, 1, 2, 2, 2]);
        assert_eq!(ceiling.any_shares()[2], 1.0);
    }
}

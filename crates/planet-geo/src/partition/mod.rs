mod foreign;
mod lines;
mod read;
mod rows;
mod write;

use std::fmt;

use crate::{CellId, Distance, GeoError, LatLng, PointIndex, Scale, Scatter, scatter::area_shares};

/// The `format` line of our own files.
const FORMAT: &str = "planet-partition-1";

/// Row of a class in its partition's file, which is also the model's output index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

impl ClassId {
    /// As an index into a row of probabilities.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What ground a class stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassKind {
    /// One or more disjoint cells; usually one.
    Cells(Vec<CellId>),
    /// No ground, only a point: a position of a gallery from elsewhere.
    PointOnly,
    /// The class that means "none of these"; it is never an answer to a position.
    Other,
}

/// One class of a partition: its ground, its training photos, its points.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// The ground.
    pub kind: ClassKind,
    /// Training photos inside.
    pub photos: u64,
    /// Mean of the photos' unit vectors, normalised; the centre where no photo is known.
    /// `None` only for [`ClassKind::Other`].
    pub mean: Option<LatLng>,
    /// Centre of the cell (of the first one where there are several).
    /// `None` only for [`ClassKind::Other`].
    pub centre: Option<LatLng>,
    /// How its training photos scatter about its point, where that is known.
    pub scatter: Option<Scatter>,
}

impl Class {
    /// The class's cells; empty for a point and for `other`.
    pub fn cells(&self) -> &[CellId] {
        match &self.kind {
            ClassKind::Cells(cells) => cells,
            ClassKind::PointOnly | ClassKind::Other => &[],
        }
    }
}

/// Which of a class's two positions is its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Point {
    /// Mean position of the class's training photos: later systems' choice, and our default.
    #[default]
    Mean,
    /// Centre of the cell, which the paper uses and calls pessimistic (section 4).
    Centre,
}

impl Point {
    /// `mean` or `centre`, as in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Centre => "centre",
        }
    }
}

/// How a partition came to be: the metadata lines of its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionInfo {
    /// `adaptive`, `uniform`, or the layout it was read from.
    pub scheme: String,
    /// Cells holding more photos than this were split (paper: t1 = 10,000).
    pub split_above: Option<u64>,
    /// Cells holding fewer photos than this were dropped (paper: t2 = 50).
    pub keep_from: Option<u64>,
    /// Cells holding this many photos or fewer were dropped (the ISN authors' rule).
    pub keep_more_than: Option<u64>,
    /// Least level of a class's cell.
    pub min_level: Option<u8>,
    /// Greatest level of a class's cell.
    pub max_level: Option<u8>,
    /// Which position is a class's answer.
    pub point: Point,
    /// Where the photos came from, in words.
    pub source: String,
    /// Photos that fell into dropped cells.
    pub photos_outside: Option<u64>,
}

/// Disjoint classes that a photo can be told apart into: the model's outputs.
///
/// Classes keep the order of their file, since a class's row is the model's output index.
/// Look-up goes through a sorted index of disjoint leaf ranges.
#[derive(Clone, Debug)]
pub struct Partition {
    info: PartitionInfo,
    classes: Vec<Class>,
    /// First leaf, last leaf and class of every cell, sorted and disjoint.
    ranges: Vec<Range>,
    /// For each value of a leaf's first bits, how many ranges begin below it; and one more.
    buckets: Vec<u32>,
    /// Points of point-only classes, searched where no cell holds a position.
    points: PointIndex,
}

/// Leading bits of a leaf id that lead to its bucket: face and six to seven levels. The table
/// stays in a core's cache.
const BUCKET_BITS: u32 = 16;

#[derive(Clone, Copy, Debug)]
struct Range {
    first: u64,
    last: u64,
    class: ClassId,
}

impl Partition {
    /// A partition of these classes, in this order.
    ///
    /// # Errors
    /// No class or too many; two cells that overlap.
    pub fn new(info: PartitionInfo, classes: Vec<Class>) -> Result<Self, GeoError> {
        if classes.is_empty() || u32::try_from(classes.len()).is_err() {
            return Err(GeoError::ClassCount(classes.len()));
        }
        let ranges = sorted_ranges(&classes)?;
        let points = (0..).zip(&classes).filter(|(_, class)| class.kind == ClassKind::PointOnly);
        let points =
            PointIndex::with_indexes(points.filter_map(|(row, class)| Some((row, class.mean?))));
        let buckets = buckets(&ranges);
        Ok(Self { info, classes, ranges, buckets, points })
    }

    /// The same classes with another choice of point. How photos scatter about the one point says
    /// nothing of the other, and is forgotten where the choice changes.
    #[must_use]
    pub fn with_point(&self, point: Point) -> Self {
        let mut partition = self.clone();
        if self.info.point != point {
            partition.info.point = point;
            partition.classes.iter_mut().for_each(|class| class.scatter = None);
        }
        partition
    }

    /// How it came to be.
    pub fn info(&self) -> &PartitionInfo {
        &self.info
    }

    /// The classes, in file order.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Number of classes.
    #[allow(clippy::len_without_is_empty, reason = "a partition is never empty")]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// One class.
    pub fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    /// The position that stands for a class, by the partition's own choice.
    /// `None` for `other`.
    pub fn point(&self, id: ClassId) -> Option<LatLng> {
        self.point_as(id, self.info.point)
    }

    /// The position that stands for a class, by the caller's choice.
    pub fn point_as(&self, id: ClassId, point: Point) -> Option<LatLng> {
        let class = self.class(id);
        match point {
            Point::Mean => class.mean,
            Point::Centre => class.centre,
        }
    }

    /// The class of a position: the one whose cells hold it; else, where there are point-only
    /// classes, the nearest of them; else `None`, which means outside.
    pub fn class_of(&self, position: LatLng) -> Option<ClassId> {
        self.class_of_leaf(CellId::leaf(position).id())
            .or_else(|| self.points.nearest(position).map(ClassId))
    }

    /// The class whose cells hold a leaf, given by its id. Point-only classes hold none.
    pub fn class_of_leaf(&self, leaf: u64) -> Option<ClassId> {
        self.range_of_leaf(leaf).map(|range| range.class)
    }

    /// The class that has this cell, or a larger one around it.
    pub fn class_of_cell(&self, cell: CellId) -> Option<ClassId> {
        let leaves = cell.leaf_range();
        let range = self.range_of_leaf(*leaves.start())?;
        (*leaves.end() <= range.last).then_some(range.class)
    }

    fn range_of_leaf(&self, leaf: u64) -> Option<Range> {
        let bucket = (leaf >> (64 - BUCKET_BITS)) as usize;
        let (from, to) = (self.buckets[bucket] as usize, self.buckets[bucket + 1] as usize);
        let after = from + self.ranges[from..to].partition_point(|range| range.first <= leaf);
        let range = *self.ranges[..after].last()?;
        (leaf <= range.last).then_some(range)
    }

    /// The shares of a class's photos, as they are to be expected of further ones, within the five
    /// radii of [`Scale::ALL`] of its point.
    ///
    /// `(n · s + a) / (n + 1)` for `n` training photos, of which the share `s` lies within the
    /// radius, and the share `a` of the class's area: one photo is supposed to lie anywhere in the
    /// class, so that few photos do not promise what only many can. `a` alone where the photos'
    /// scatter is unknown. A class that is only a point, of unknown scatter, lies wholly at its
    /// point.
    pub fn shares_within(&self, id: ClassId) -> [f64; Scale::ALL.len()] {
        let class = self.class(id);
        let Some(point) = self.point(id) else { return [0.0; Scale::ALL.len()] };
        let area = match class.cells() {
            [] => [1.0; Scale::ALL.len()],
            cells => area_shares(cells, point),
        };
        let Some(scatter) = class.scatter else { return area };
        let (seen, photos) = (scatter.shares(), class.photos as f64);
        std::array::from_fn(|at| (photos * seen[at] + area[at]) / (photos + 1.0))
    }

    /// From a class's point to the farthest corner of its cells: the `radius_km` of a prediction.
    /// Zero for a class without cells.
    pub fn radius(&self, id: ClassId) -> Distance {
        let Some(point) = self.point(id) else { return Distance::ZERO };
        let corners = self.class(id).cells().iter().flat_map(|cell| cell.corners());
        corners
            .map(|corner| point.distance_to(corner))
            .fold(Distance::ZERO, |far, next| if next > far { next } else { far })
    }
}

/// How many ranges begin below each bucket's first leaf.
fn buckets(ranges: &[Range]) -> Vec<u32> {
    let mut buckets = vec![0u32; (1 << BUCKET_BITS) + 1];
    for range in ranges {
        buckets[(range.first >> (64 - BUCKET_BITS)) as usize + 1] += 1;
    }
    let mut below = 0;
    for count in &mut buckets {
        below += *count;
        *count = below;
    }
    buckets
}

fn sorted_ranges(classes: &[Class]) -> Result<Vec<Range>, GeoError> {
    let mut ranges: Vec<Range> = Vec::with_capacity(classes.len());
    for (row, class) in classes.iter().enumerate() {
        ranges.extend(class.cells().iter().map(|cell| {
            let leaves = cell.leaf_range();
            Range { first: *leaves.start(), last: *leaves.end(), class: ClassId(row as u32) }
        }));
    }
    ranges.sort_unstable_by_key(|range| (range.first, range.class));
    for pair in ranges.windows(2) {
        if pair[1].first <= pair[0].last {
            let (first, second) =
                (pair[0].class.min(pair[1].class), pair[0].class.max(pair[1].class));
            let cell = classes[second.index()].cells().iter().find(|cell| {
                *cell.leaf_range().start() <= pair[0].last
                    && *cell.leaf_range().end() >= pair[1].first
            });
            return Err(GeoError::Overlap {
                first: first.index(),
                second: second.index(),
                cell: cell.map_or_else(String::new, |cell| cell.token()),
            });
        }
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(token: &str) -> Class {
        let cell: CellId = token.parse().expect("a token of this test");
        let centre = Some(cell.centre());
        Class { kind: ClassKind::Cells(vec![cell]), photos: 1, mean: centre, centre, scatter: None }
    }

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position of this test")
    }

    #[test]
    fn classes_keep_their_order_and_hold_their_ground() {
        let partition = Partition::new(PartitionInfo::default(), vec![class("9"), class("1")])
            .expect("two faces");
        assert_eq!(partition.class_of(at(0.0, 0.0)), Some(ClassId(1)));
        assert_eq!(partition.class_of(at(0.0, -180.0)), None);
        let held = partition.class(ClassId(0)).cells()[0].centre();
        assert_eq!(partition.class_of(held), Some(ClassId(0)));
    }

    #[test]
    fn overlapping_classes_are_refused_by_name() {
        let error = Partition::new(PartitionInfo::default(), vec![class("1"), class("0c")])
            .expect_err("the second lies inside the first");
        assert_eq!(error.to_string(), "class 1 owns cell 0c, which overlaps a cell of class 0");
    }

    #[test]
    fn a_position_outside_all_cells_goes_to_the_nearest_point_only_class() {
        let point = |lat, lng| Class {
            kind: ClassKind::PointOnly,
            photos: 0,
            mean: Some(at(lat, lng)),
            centre: Some(at(lat, lng)),
            scatter: None,
        };
        let classes = vec![point(10.0, 179.0), class("1"), point(50.0, 100.0)];
        let partition = Partition::new(PartitionInfo::default(), classes).expect("disjoint");
        assert_eq!(partition.class_of(at(10.0, -179.0)), Some(ClassId(0)));
        assert_eq!(partition.class_of(at(0.0, 1.0)), Some(ClassId(1)));
    }
}

use std::collections::BTreeMap;

use planet_data::PhotoRecord;
use planet_geo::Partition;
use serde::Serialize;

use super::{Interval, bootstrap::Z};
use crate::{PredictedRegion, Prediction};

/// How often predicted regions contain a photo's place, and how large they are, for a set of photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegionCoverage {
    /// Of which photos: `all`, `in a cell of the partition`, or a category.
    pub name: String,
    /// Photos of known position that have an answer.
    pub photos: u64,
    /// Share of them whose region contains their cell.
    pub contained: f64,
    /// Wilson's interval of 95 % for independent photos (Wilson 1927).
    pub interval: Interval,
    /// Median number of classes of a region.
    pub median_classes: f64,
    /// Median area of a region in km².
    pub median_km2: f64,
}

/// One photo's region.
#[derive(Clone, Copy)]
struct Observed {
    contains: bool,
    classes: u32,
    area_km2: f64,
}

/// Counts what regions contain.
#[derive(Default)]
pub(super) struct RegionCounter {
    share: f64,
    all: Vec<Observed>,
    in_a_cell: Vec<Observed>,
    categories: BTreeMap<String, Vec<Observed>>,
}

impl RegionCounter {
    /// Counts a photo if it has a region and a known position.
    pub(super) fn add(
        &mut self,
        prediction: &Prediction,
        record: &PhotoRecord,
        by: &str,
        partition: &Partition,
    ) {
        let (Some(region), Some(truth)) = (&prediction.region, record.position) else { return };
        let class = partition.class_of(truth);
        let PredictedRegion { share, classes, area_km2, .. } = region;
        let observed = Observed {
            contains: class.is_some_and(|class| classes.contains(&class)),
            classes: classes.len() as u32,
            area_km2: *area_km2,
        };
        self.share = *share;
        self.all.push(observed);
        if class.is_some() {
            self.in_a_cell.push(observed);
        }
        if let Some(category) = record.value(by) {
            self.categories.entry(category).or_default().push(observed);
        }
    }

    /// The share that was asked for and the rows: all photos, those in a cell, and every category; `None`
    /// where there were no regions.
    pub(super) fn finish(self) -> Option<(f64, Vec<RegionCoverage>)> {
        if self.all.is_empty() {
            return None;
        }
        let named = [("all", self.all), ("in a cell of the partition", self.in_a_cell)];
        let named = named.map(|(name, photos)| (name.to_owned(), photos)).into_iter();
        let rows = named.chain(self.categories).filter(|(_, photos)| !photos.is_empty());
        Some((self.share, rows.map(|(name, photos)| row(name, &photos)).collect()))
    }
}

fn row(name: String, photos: &[Observed]) -> RegionCoverage {
    let contained = photos.iter().filter(|it| it.contains).count();
    RegionCoverage {
        name,
        photos: photos.len() as u64,
        contained: contained as f64 / photos.len() as f64,
        interval: wilson(contained as f64, photos.len() as f64),
        median_classes: median(photos.iter().map(|it| f64::from(it.classes)).collect()),
        median_km2: median(photos.iter().map(|it| it.area_km2).collect()),
    }
}

/// Wilson's interval of a share of independent photos.
fn wilson(hits: f64, photos: f64) -> Interval {
    let (share, square) = (hits / photos, Z * Z / photos);
    let middle = (share + square / 2.0) / (1.0 + square);
    let half =
        Z * (share * (1.0 - share) / photos + square / (4.0 * photos)).sqrt() / (1.0 + square);
    Interval { low: middle - half, high: middle + half }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::{ClassId, LatLng};

    use super::*;

    #[test]
    fn wilsons_interval_is_that_of_the_formula_by_hand() {
        // 8 of 10: Brown, Cai and DasGupta (2001) give 0.490 to 0.943.
        let Interval { low, high } = wilson(8.0, 10.0);
        assert!((low - 0.490).abs() < 1e-3 && (high - 0.943).abs() < 1e-3, "{low} {high}");
    }

    #[test]
    fn photos_outside_every_cell_count_as_not_contained() {
        let cell: planet_geo::CellId = "477eb1".parse().expect("a cell");
        let centre = Some(cell.centre());
        let kind = planet_geo::ClassKind::Cells(vec![cell]);
        let class = planet_geo::Class { kind, photos: 1, mean: centre, centre, scatter: None };
        let partition =
            Partition::new(planet_geo::PartitionInfo::default(), vec![class]).expect("a partition");
        let mut counter = RegionCounter::default();
        let region = PredictedRegion {
            share: 0.9,
            classes: vec![ClassId(0)],
            cells: vec!["477eb1".to_owned()],
            area_km2: 100.0,
        };
        let prediction = Prediction { region: Some(region), ..Prediction::default() };
        for position in [centre, LatLng::new(-40.0, 10.0).ok(), None] {
            let record = PhotoRecord { position, ..PhotoRecord::default() };
            counter.add(&prediction, &record, "category", &partition);
        }
        let (share, rows) = counter.finish().expect("two photos");
        assert_eq!(share, 0.9);
        let counts: Vec<_> = rows.iter().map(|row| (row.photos, row.contained)).collect();
        assert_eq!(counts, [(2, 0.5), (1, 1.0)]);
    }
}

//! Targets that fall off with the distance from the photo (PIGEON: Haas et al. 2024, section 3.2),
//! instead of one class each. Not part of the paper.

use std::{fmt, str::FromStr};

use planet_geo::{ClassId, EARTH_RADIUS_KM, LatLng, Partition};
use serde::{Deserialize, Serialize};

use crate::{
    InvalidSetting,
    course::{check_all, positive},
};

/// Smooths targets by distance: class i is asked for with exp(−(dᵢ − d₀) / τ), where dᵢ is the
/// great-circle distance from the photo to the point of class i in the partition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smoothing {
    /// What d₀ is, and whether targets sum to one.
    pub kind: SmoothingKind,
    /// τ in km, greater than 0.
    #[serde(default = "published_tau_km")]
    pub tau_km: f64,
}

/// τ of PIGEON's paper.
fn published_tau_km() -> f64 {
    75.0
}

/// The forms of [`Smoothing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SmoothingKind {
    /// As PIGEON's paper defines it: d₀ is the distance to the point of the photo's own class,
    /// whose target is therefore 1. Targets are not normalised, and are greater than 1 for points
    /// that are nearer: a photo at the edge of a large cell weighs much more than others.
    Haversine,
    /// As PIGEON's authors implemented it: d₀ is the distance to the nearest point, so that no
    /// target is greater than 1. They are not normalised.
    HaversineNearest,
    /// Divided by their sum; d₀ cancels out.
    HaversineNormalised,
}

impl Smoothing {
    /// This form, with the published τ of 75 km.
    pub fn of_kind(kind: SmoothingKind) -> Self {
        Self { kind, tau_km: published_tau_km() }
    }

    /// Checks that the numbers make sense.
    ///
    /// # Errors
    /// τ is not greater than 0.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        check_all([(positive(self.tau_km), "smoothing.tau_km must be greater than 0")])
    }
}

impl SmoothingKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Haversine, Self::HaversineNearest, Self::HaversineNormalised];

    /// Name in configurations and flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Haversine => "haversine",
            Self::HaversineNearest => "haversine-nearest",
            Self::HaversineNormalised => "haversine-normalised",
        }
    }
}

impl fmt::Display for SmoothingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SmoothingKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no smoothing '{name}'; there are {names}")
        })
    }
}

impl TryFrom<String> for SmoothingKind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<SmoothingKind> for String {
    fn from(kind: SmoothingKind) -> Self {
        kind.name().to_owned()
    }
}

/// Computes the targets of photos.
pub(crate) struct DistanceTargets {
    smoothing: Smoothing,
    /// Unit vectors of the classes' points; `None` for `other`, which is no place and never asked
    /// for.
    points: Vec<Option<[f64; 3]>>,
}

impl DistanceTargets {
    pub(crate) fn new(smoothing: Smoothing, partition: &Partition) -> Self {
        let classes = (0..partition.len() as u32).map(ClassId);
        let points = classes.map(|id| partition.point(id).map(LatLng::to_vector));
        Self { smoothing, points: points.collect() }
    }

    /// Targets `[classes]` of a photo of this class that was taken here. Every class with a point
    /// has one, however small: nothing is cut off.
    pub(crate) fn of(&self, position: LatLng, class: u32) -> Vec<f64> {
        let photo = position.to_vector();
        let km = |point: &Option<[f64; 3]>| point.map_or(f64::INFINITY, |it| km(photo, it));
        let mut targets: Vec<f64> = self.points.iter().map(km).collect();
        let nearest = || targets.iter().copied().fold(f64::INFINITY, f64::min);
        let from = match self.smoothing.kind {
            SmoothingKind::Haversine => targets[class as usize],
            SmoothingKind::HaversineNearest | SmoothingKind::HaversineNormalised => nearest(),
        };
        let tau = self.smoothing.tau_km;
        targets.iter_mut().for_each(|it| *it = (-(*it - from) / tau).exp());
        if self.smoothing.kind == SmoothingKind::HaversineNormalised {
            let sum: f64 = targets.iter().sum();
            targets.iter_mut().for_each(|it| *it /= sum);
        }
        targets
    }
}

/// Great-circle distance of two unit vectors, from their chord: the haversine formula without its
/// trigonometry of each point.
fn km(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squared: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    2.0 * EARTH_RADIUS_KM * (squared.sqrt() / 2.0).min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use planet_geo::{CellId, Class, ClassKind, PartitionInfo};

    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position")
    }

    /// Two points on the equator, 1° apart, and `other`.
    fn targets(kind: SmoothingKind, tau_km: f64) -> DistanceTargets {
        let class = |lng: f64| {
            let (cell, point) = (CellId::leaf(at(0.0, lng)), Some(at(0.0, lng)));
            let kind = ClassKind::Cells(vec![cell]);
            Class { kind, photos: 1, mean: point, centre: point, scatter: None }
        };
        let (kind_of_other, none) = (ClassKind::Other, None);
        let other =
            Class { kind: kind_of_other, photos: 0, mean: none, centre: none, scatter: None };
        let classes = vec![class(0.5), class(1.5), other];
        let partition = Partition::new(PartitionInfo::default(), classes).expect("a partition");
        DistanceTargets::new(Smoothing { kind, tau_km }, &partition)
    }

    /// A degree of the equator in km.
    fn degree() -> f64 {
        at(0.0, 0.0).distance_to(at(0.0, 1.0)).km()
    }

    #[test]
    fn targets_fall_off_by_e_with_every_tau() {
        for (kind, sum) in [
            (SmoothingKind::Haversine, 1.0),
            (SmoothingKind::HaversineNearest, 1.0),
            (SmoothingKind::HaversineNormalised, 1.0 + (-2.0f64).exp()),
        ] {
            let found = targets(kind, degree() / 2.0).of(at(0.0, 0.25), 0);
            assert!((found[0] - 1.0 / sum).abs() < 1e-9, "{kind}: {found:?}");
            assert!((found[1] - (-2.0f64).exp() / sum).abs() < 1e-9, "{kind}: {found:?}");
            assert_eq!(found[2], 0.0, "other is no place");
        }
    }

    #[test]
    fn a_photo_that_is_nearer_to_another_classs_point_asks_for_that_one_more() {
        let of = |kind| targets(kind, degree()).of(at(0.0, 1.25), 0);
        let e = 0.5f64.exp();
        assert!((of(SmoothingKind::Haversine)[0] - 1.0).abs() < 1e-9);
        assert!((of(SmoothingKind::Haversine)[1] - e).abs() < 1e-9);
        assert!((of(SmoothingKind::HaversineNearest)[0] - 1.0 / e).abs() < 1e-9);
        assert!((of(SmoothingKind::HaversineNearest)[1] - 1.0).abs() < 1e-9);
        let normalised = of(SmoothingKind::HaversineNormalised);
        assert!((normalised[1] - e / (1.0 + e)).abs() < 1e-9, "{normalised:?}");
    }

    #[test]
    fn distances_are_those_of_positions() {
        for (a, b) in [(at(48.0, 2.0), at(48.0001, 2.0)), (at(10.0, 170.0), at(-40.0, -170.0))] {
            let (found, wanted) = (km(a.to_vector(), b.to_vector()), a.distance_to(b).km());
            assert!((found / wanted - 1.0).abs() < 1e-9, "{found} instead of {wanted}");
        }
        assert!(km([1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]).is_finite());
    }
}

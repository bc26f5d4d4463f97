//! Which answer is given first.

use std::{fmt, str::FromStr};

use planet_geo::{ClassId, LatLng, Partition, Scale};

use crate::evaluation::geoscore;

/// Points that are tried: those of the most probable classes.
const TRIED: usize = 200;
/// Classes less probable than this do not count for an expected score.
const COUNTED: f32 = 1e-5;

/// Which answer is given first: the most probable class, or the point that is expected to do best
/// by another measure. The best point may be that of a class that is not the most probable one,
/// with several others near it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// The most probable class.
    #[default]
    Cell,
    /// The class whose point has the greatest expected GeoScore, 5000 · exp(−d / 1492.7 km).
    Score,
    /// The class whose point most probably lies within this scale's radius of the truth.
    Within(Scale),
}

impl fmt::Display for Decision {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cell => f.write_str("cell"),
            Self::Score => f.write_str("score"),
            Self::Within(scale) => write!(f, "within:{}", scale.radius().km()),
        }
    }
}

impl FromStr for Decision {
    type Err = String;

    /// Reads `cell`, `score`, and `within:25`, whose number is the radius of a scale in km.
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Cell, Self::Score].into_iter().chain(Scale::ALL.map(Self::Within));
        let names: Vec<String> = all.clone().map(|it| it.to_string()).collect();
        let found = all.zip(&names).find(|(_, name)| *name == text);
        found.map(|it| it.0).ok_or_else(|| format!("'{text}' is none of {}", names.join(", ")))
    }
}

/// Expected scores of answers under a photo's distribution.
#[derive(Clone, Debug)]
pub(super) struct ExpectedScore {
    points: Vec<Option<LatLng>>,
    /// How far from its point a class's photos lie in km, so that an answer at the point has
    /// their mean score.
    spreads: Vec<f64>,
}

impl ExpectedScore {
    pub(super) fn new(partition: &Partition) -> Self {
        let classes = || (0..partition.len()).map(|class| ClassId(class as u32));
        let points = classes().map(|class| partition.point(class)).collect();
        let spreads = classes().map(|class| spread(partition.shares_within(class))).collect();
        Self { points, spreads }
    }

    /// The class whose point has the greatest expected score.
    pub(super) fn best(&self, ranked: &[(ClassId, f32)]) -> Option<ClassId> {
        let places: Vec<(ClassId, f64, LatLng)> = ranked
            .iter()
            .take_while(|(_, probability)| *probability >= COUNTED)
            .filter_map(|(class, probability)| {
                Some((*class, f64::from(*probability), self.points[class.index()]?))
            })
            .collect();
        let expected = |answer: LatLng| -> f64 {
            let score = |(class, probability, point): &(ClassId, f64, LatLng)| {
                let away = answer.distance_to(*point).km().hypot(self.spreads[class.index()]);
                probability * geoscore(away)
            };
            places.iter().map(score).sum()
        };
        let tried = places.iter().take(TRIED).map(|(class, _, point)| (*class, expected(*point)));
        // Of equal ones the more probable.
        tried.reduce(|best, it| if it.1 > best.1 { it } else { best }).map(|(class, _)| class)
    }
}

/// The distance whose score is the mean score of photos of which these shares lie within each
/// scale's radius: those between two radii count as if at the greater one, and those beyond all as
/// if at the farthest.
fn spread(within: [f64; Scale::ALL.len()]) -> f64 {
    let radii = Scale::ALL.map(|scale| scale.radius().km());
    let mut before = 0.0;
    let mut mean = 0.0;
    for (share, radius) in within.into_iter().zip(radii) {
        mean += (share - before) * geoscore(radius);
        before = share;
    }
    mean += (1.0 - before) * geoscore(radii[radii.len() - 1]);
    // The inverse of the score.
    let scale = radii[0] / (geoscore(0.0) / geoscore(radii[0])).ln();
    scale * (geoscore(0.0) / mean).ln().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_by_their_names() {
        let read = |text: &str| text.parse::<Decision>();
        assert_eq!(read("cell"), Ok(Decision::Cell));
        assert_eq!(read("score"), Ok(Decision::Score));
        assert_eq!(read("within:25"), Ok(Decision::Within(Scale::City)));
        let last = Decision::Within(Scale::Continent);
        assert_eq!((read("within:2500"), last.to_string().as_str()), (Ok(last), "within:2500"));
        for wrong in ["", "within", "within:", "within:30", "within:25km", "Score"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_class_of_photos_at_one_distance_has_that_spread() {
        for (at, scale) in Scale::ALL.into_iter().enumerate() {
            let within = std::array::from_fn(|scale| f64::from(u8::from(scale >= at)));
            let km = scale.radius().km();
            assert!((spread(within) - km).abs() < 1e-6 * km, "{km}");
        }
        let half = spread([0.5, 0.5, 0.5, 0.5, 1.0]);
        assert!(geoscore(half) > 0.5 * geoscore(1.0) && half < 2500.0);
    }
}

use planet_geo::{LatLng, Partition, Scale};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::discs::Discs;
use crate::{CellProbabilities, ProbabilityError};

const SCALES: usize = Scale::ALL.len();

/// Probability at which a level is stated by default: a photo that a finer level is stated of says
/// nothing of the coarser ones, since they are never stated of such photos.
const STATED: f64 = 0.5;

/// Photos that the fit adds at each level, spread over all probabilities and as often right as
/// stated, so that a few photos change little.
const PRIOR_PHOTOS: f64 = 20.0;

/// Probabilities at which these photos lie.
const PRIOR_POINTS: usize = 9;

/// Logits beyond these differ in nothing that anybody reads.
const FARTHEST: f64 = 12.0;

/// What the probability that a model puts within a level's radius is worth: a logistic curve for
/// each of the five levels (Platt 1999), fitted on validation photos.
///
/// One temperature makes the probabilities of *classes* right; what several neighbouring classes
/// hold together can still be too little or too much, and differently at each level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Level>", into = "Vec<Level>")]
pub struct LevelCalibration([Curve; SCALES]);

/// `p ↦ 1 / (1 + exp(−(slope · ln(p / (1 − p)) + intercept)))`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Curve {
    /// Above 0, so that what was more probable stays so.
    slope: f64,
    intercept: f64,
}

/// One level as it stands in model.json.
#[derive(Serialize, Deserialize)]
struct Level {
    level: String,
    slope: f64,
    intercept: f64,
}

/// A probability and how much of its weight was right.
#[derive(Clone, Copy, Debug)]
struct Observation {
    logit: f64,
    right: f64,
    weight: f64,
}

impl Default for LevelCalibration {
    /// Changes nothing.
    fn default() -> Self {
        Self([Curve::IDENTITY; SCALES])
    }
}

impl LevelCalibration {
    /// Discs that hold less probability are left out of the fit: they are hardly ever stated, and
    /// there are so many of them that the curve would follow them alone.
    pub const LEAST: f64 = 0.35;

    /// Fits the curves on photos of known position. `logits` is `[photos, classes]`, and is
    /// divided by `temperature` before the softmax.
    ///
    /// # Errors
    /// Logits that are no distribution, or a temperature that is not above 0.
    pub fn fit(
        partition: &Partition,
        temperature: f32,
        logits: &[f32],
        positions: &[LatLng],
    ) -> Result<Self, ProbabilityError> {
        let discs = Discs::new(partition);
        let rows = logits.par_chunks_exact(partition.len().max(1)).zip(positions.par_iter());
        let photo = |(row, position): (&[f32], &LatLng)| {
            let probabilities = CellProbabilities::from_logits(row, temperature)?;
            Ok(Scale::ALL.map(|scale| {
                let disc = discs.densest(probabilities.values(), scale, Self::LEAST)?;
                let middle = partition.point(disc.class)?;
                let right = middle.distance_to(*position) <= scale.radius();
                Some(Observation {
                    logit: logit(disc.mass),
                    right: f64::from(u8::from(right)),
                    weight: 1.0,
                })
            }))
        };
        let photos: Vec<[Option<Observation>; SCALES]> =
            rows.map(photo).collect::<Result<_, _>>()?;
        Ok(Self::of(&photos, &Self::default(), 1.0, STATED))
    }

    /// Fits the curves on the disc of each level that would be stated of each photo: the
    /// probability inside, and whether the photo lies there. Discs that hold less than
    /// [`LevelCalibration::LEAST`] are `None`. A few photos change little of `expected`, all the less the more
    /// of them are right or wrong together: `together`, at least 1, says how many are.
    ///
    /// A level is stated from the calibrated probability `certain` on. The coarser ones are fitted on the
    /// other photos, so that what is stated is right as often as it says under this threshold alone.
    pub fn of_discs(
        photos: &[[Option<(f64, bool)>; SCALES]],
        expected: &Self,
        together: f64,
        certain: f64,
    ) -> Self {
        let observation = |(probability, right): (f64, bool)| Observation {
            logit: logit(probability),
            right: f64::from(u8::from(right)),
            weight: 1.0,
        };
        let photos: Vec<_> =
            photos.iter().map(|levels| levels.map(|disc| disc.map(observation))).collect();
        Self::of(&photos, expected, together, certain)
    }

    fn of(
        photos: &[[Option<Observation>; SCALES]],
        expected: &Self,
        together: f64,
        certain: f64,
    ) -> Self {
        let mut calibration = Self::default();
        let mut left: Vec<usize> = (0..photos.len()).collect();
        for (at, scale) in Scale::ALL.into_iter().enumerate() {
            let observed = left.iter().filter_map(|photo| photos[*photo][at]);
            let prior = prior(expected.0[at], PRIOR_PHOTOS * together);
            calibration.0[at] = Curve::fit(&prior.chain(observed).collect::<Vec<_>>());
            let is_stated = |photo: usize| {
                let observed: Option<Observation> = photos[photo][at];
                observed
                    .is_some_and(|it| calibration.calibrated(scale, sigmoid(it.logit)) >= certain)
            };
            left.retain(|photo| !is_stated(*photo));
        }
        calibration
    }

    /// The probability, 0..=1, that a photo lies within a level's radius of where the model puts
    /// this much probability.
    pub fn calibrated(&self, level: Scale, probability: f64) -> f64 {
        self.0[level as usize].apply(probability)
    }

    /// What the model must put within a level's radius for the probability to be this one.
    pub fn needed(&self, level: Scale, probability: f64) -> f64 {
        let Curve { slope, intercept } = self.0[level as usize];
        if self.0[level as usize] == Curve::IDENTITY {
            return probability;
        }
        sigmoid((logit(probability) - intercept) / slope)
    }
}

impl Curve {
    const IDENTITY: Self = Self { slope: 1.0, intercept: 0.0 };

    fn apply(self, probability: f64) -> f64 {
        if self == Self::IDENTITY {
            return probability;
        }
        sigmoid(self.slope * logit(probability) + self.intercept)
    }

    /// The most likely curve: Newton's steps on a convex loss, each cut in half until it helps.
    fn fit(observations: &[Observation]) -> Self {
        let mut curve = Self::IDENTITY;
        let mut loss = curve.loss(observations);
        for _ in 0..50 {
            let Some([slope, intercept]) = curve.step(observations) else { break };
            let better = (0..20).map(|halvings| 0.5f64.powi(halvings)).find_map(|share| {
                let next = Self {
                    slope: curve.slope - share * slope,
                    intercept: curve.intercept - share * intercept,
                };
                let lower = next.loss(observations);
                (next.slope > 0.0 && lower < loss).then_some((next, lower))
            });
            let Some((next, lower)) = better else { break };
            let gain = loss - lower;
            (curve, loss) = (next, lower);
            if gain < 1e-10 * loss {
                break;
            }
        }
        curve
    }

    /// Sum of the cross entropies, in nats.
    fn loss(self, observations: &[Observation]) -> f64 {
        let one = |it: &Observation| {
            let score = self.slope * it.logit + self.intercept;
            // ln(1 + exp(score)), which does not overflow.
            let softplus = score.max(0.0) + (-score.abs()).exp().ln_1p();
            it.weight * (softplus - it.right * score)
        };
        observations.iter().map(one).sum()
    }

    /// The inverse of the second derivatives times the first ones.
    fn step(self, observations: &[Observation]) -> Option<[f64; 2]> {
        let (mut first, mut second) = ([0.0; 2], [0.0; 3]);
        for it in observations {
            let p = sigmoid(self.slope * it.logit + self.intercept);
            let off = it.weight * (p - it.right);
            let bend = it.weight * p * (1.0 - p);
            first[0] += off * it.logit;
            first[1] += off;
            second[0] += bend * it.logit * it.logit;
            second[1] += bend * it.logit;
            second[2] += bend;
        }
        let determinant = second[0] * second[2] - second[1] * second[1];
        (determinant > 1e-12).then(|| {
            [
                (second[2] * first[0] - second[1] * first[1]) / determinant,
                (second[0] * first[1] - second[1] * first[0]) / determinant,
            ]
        })
    }
}

/// So many photos that are as often right as this curve says.
fn prior(expected: Curve, photos: f64) -> impl Iterator<Item = Observation> {
    let weight = photos / PRIOR_POINTS as f64;
    let points = (1..=PRIOR_POINTS).map(|at| at as f64 / (PRIOR_POINTS + 1) as f64);
    points.map(move |stated| Observation {
        logit: logit(stated),
        right: expected.apply(stated),
        weight,
    })
}

fn logit(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln().clamp(-FARTHEST, FARTHEST)
}

fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

impl From<LevelCalibration> for Vec<Level> {
    fn from(calibration: LevelCalibration) -> Self {
        let curves = Scale::ALL.into_iter().zip(calibration.0);
        let level = |(scale, Curve { slope, intercept }): (Scale, Curve)| Level {
            level: scale.name().to_owned(),
            slope,
            intercept,
        };
        curves.map(level).collect()
    }
}

impl TryFrom<Vec<Level>> for LevelCalibration {
    type Error = String;

    fn try_from(levels: Vec<Level>) -> Result<Self, String> {
        let mut calibration = Self::default();
        for Level { level, slope, intercept } in levels {
            let scale = Scale::ALL.into_iter().find(|scale| scale.name() == level);
            let scale = scale.ok_or_else(|| format!("'{level}' is not a level"))?;
            if !(slope > 0.0 && slope.is_finite() && intercept.is_finite()) {
                return Err(format!("the calibration curve of level {level} does not rise"));
            }
            calibration.0[scale as usize] = Curve { slope, intercept };
        }
        Ok(calibration)
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::{Class, ClassKind, PartitionInfo};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    /// Two classes that are points, far apart.
    fn two_points() -> Partition {
        let class = |point| {
            let point = Some(point);
            let kind = ClassKind::PointOnly;
            Class { kind, photos: 1, mean: point, centre: point, scatter: None }
        };
        let classes = vec![class(at(0.0, 0.0)), class(at(0.0, 90.0))];
        Partition::new(PartitionInfo::default(), classes).expect("two points")
    }

    /// Photos of which the model says `p` for the first class, of which `truth(p)` is right.
    fn photos(count: usize, truth: impl Fn(f64) -> f64) -> (Vec<f32>, Vec<LatLng>) {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let (mut logits, mut positions) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let p: f64 = rng.random_range(0.5..0.98);
            logits.extend([logit(p) as f32, 0.0]);
            let right = rng.random_range(0.0..1.0) < truth(p);
            positions.push(if right { at(0.0, 0.0) } else { at(0.0, 90.0) });
        }
        (logits, positions)
    }

    #[test]
    fn the_fitted_curve_is_the_one_that_photos_were_drawn_from() {
        let truth = |p: f64| sigmoid(0.6 * logit(p) + 0.8);
        let (logits, positions) = photos(20_000, truth);
        let fitted = LevelCalibration::fit(&two_points(), 1.0, &logits, &positions).expect("fits");
        for p in [0.55, 0.7, 0.9] {
            let found = fitted.calibrated(Scale::Street, p);
            assert!((found - truth(p)).abs() < 0.015, "{p}: {found}, not {}", truth(p));
            assert!((fitted.needed(Scale::Street, found) - p).abs() < 1e-9);
        }
        // It is stated of all of them, so that nothing is learned of the coarser levels.
        assert_eq!(fitted.calibrated(Scale::City, 0.7), 0.7);
    }

    #[test]
    fn a_level_is_calibrated_on_the_photos_that_no_finer_one_is_stated_of() {
        // Below 0.7 the truth is half of what is said, so that the street is not stated; above it
        // everything is right.
        let (logits, positions) = photos(20_000, |p| if p < 0.7 { 0.5 * p } else { 1.0 });
        let fitted = LevelCalibration::fit(&two_points(), 1.0, &logits, &positions).expect("fits");
        let found = fitted.calibrated(Scale::City, 0.6);
        assert!((found - 0.3).abs() < 0.03, "{found}");
    }

    #[test]
    fn a_few_photos_that_are_all_right_change_little() {
        let (logits, positions) = photos(5, |_| 1.0);
        let fitted = LevelCalibration::fit(&two_points(), 1.0, &logits, &positions).expect("fits");
        let found = fitted.calibrated(Scale::City, 0.7);
        assert!((0.7..0.85).contains(&found), "{found}");
    }

    #[test]
    fn without_photos_nothing_changes() {
        let fitted = LevelCalibration::fit(&two_points(), 1.0, &[], &[]).expect("fits");
        assert_eq!(fitted, LevelCalibration::default());
        assert_eq!(fitted.calibrated(Scale::Street, 0.37), 0.37);
    }

    #[test]
    fn a_curve_that_falls_is_refused_when_it_is_read() {
        let text = serde_json::to_string(&LevelCalibration::default()).expect("writes");
        assert_eq!(
            serde_json::from_str::<LevelCalibration>(&text).expect("reads"),
            LevelCalibration::default()
        );
        let falling = text.replacen("\"slope\":1.0", "\"slope\":-1.0", 1);
        let error = serde_json::from_str::<LevelCalibration>(&falling).expect_err("falls");
        assert!(error.to_string().contains("street"), "{error}");
    }
}

/// A support vector machine of two classes, C-SVC, for a kernel that is computed before.
///
/// It maximises `Σ α − ½ ΣΣ α α y y K` with `0 ≤ α ≤ C` and `Σ α y = 0` by sequential minimal
/// optimisation; two multipliers are chosen at a time by second-order information (Fan, Chen and
/// Lin, "Working set selection using second order information", JMLR 2005), as in LIBSVM.
#[derive(Clone, Debug, PartialEq)]
pub struct Svm {
    /// `α y` of each photo it was trained with.
    coefficients: Vec<f64>,
    offset: f64,
}

/// The conditions of the optimum hold up to this.
const TOLERANCE: f64 = 1e-4;
/// Least curvature between two multipliers.
const LEAST: f64 = 1e-12;
/// Most steps for each photo: none of our problems needs as many.
const STEPS: usize = 1000;

impl Svm {
    /// Trains with a kernel `[photos, photos]`, symmetric and without negative eigenvalues, and
    /// the photos that belong to the first class; `cost` is C. With photos of one class alone all
    /// decisions are `±1`.
    pub fn train(kernel: &[f32], is_first: &[bool], cost: f64) -> Self {
        let photos = is_first.len();
        debug_assert_eq!(kernel.len(), photos * photos, "a number for every pair");
        let mut problem = Problem {
            kernel,
            signs: is_first.iter().map(|first| if *first { 1.0 } else { -1.0 }).collect(),
            cost,
            multipliers: vec![0.0; photos],
            gradient: vec![-1.0; photos],
        };
        for _ in 0..STEPS * photos {
            let Some(pair) = problem.worst_pair() else { break };
            problem.improve(pair);
        }
        let offset = problem.offset();
        let coefficients = problem.multipliers.iter().zip(&problem.signs);
        Self { coefficients: coefficients.map(|(alpha, sign)| alpha * sign).collect(), offset }
    }

    /// Above 0 for a photo of the first class; `kernel` is that with each photo of the training.
    pub fn decision(&self, kernel: &[f32]) -> f64 {
        let products = self.coefficients.iter().zip(kernel);
        products.map(|(coefficient, value)| coefficient * f64::from(*value)).sum::<f64>()
            + self.offset
    }
}

struct Problem<'a> {
    /// `[photos, photos]`
    kernel: &'a [f32],
    /// 1 for the first class, −1 for the other one.
    signs: Vec<f64>,
    cost: f64,
    multipliers: Vec<f64>,
    /// Of what is minimised.
    gradient: Vec<f64>,
}

impl Problem<'_> {
    fn kernel(&self, a: usize, b: usize) -> f64 {
        f64::from(self.kernel[a * self.signs.len() + b])
    }

    /// Whether `α y` may grow, and whether it may fall.
    fn free(&self, at: usize) -> [bool; 2] {
        let below = self.multipliers[at] < self.cost;
        let above = self.multipliers[at] > 0.0;
        if self.signs[at] > 0.0 { [below, above] } else { [above, below] }
    }

    /// The two multipliers whose change helps most; `None` at the optimum.
    fn worst_pair(&self) -> Option<[usize; 2]> {
        let photos = 0..self.signs.len();
        let slope = |at: usize| -self.signs[at] * self.gradient[at];
        let grows = photos.clone().filter(|at| self.free(*at)[0]);
        let first = grows.max_by(|a, b| slope(*a).total_cmp(&slope(*b)))?;
        let (mut best, mut second, mut gap) = (0.0, None, 0.0f64);
        for other in photos.filter(|at| self.free(*at)[1]) {
            let difference = slope(first) - slope(other);
            gap = gap.max(difference);
            if difference > 0.0 {
                let gain = difference * difference / self.curvature(first, other);
                if gain > best {
                    (best, second) = (gain, Some(other));
                }
            }
        }
        second.filter(|_| gap > TOLERANCE).map(|second| [first, second])
    }

    fn curvature(&self, a: usize, b: usize) -> f64 {
        (self.kernel(a, a) + self.kernel(b, b) - 2.0 * self.kernel(a, b)).max(LEAST)
    }

    /// Moves `α y` of the first one up and that of the second one down, as far as it helps.
    fn improve(&mut self, [first, second]: [usize; 2]) {
        let slope = |at: usize| -self.signs[at] * self.gradient[at];
        let wanted = (slope(first) - slope(second)) / self.curvature(first, second);
        let up = |at: usize| match self.signs[at] > 0.0 {
            true => self.cost - self.multipliers[at],
            false => self.multipliers[at],
        };
        let down = |at: usize| self.cost - up(at);
        let step = wanted.min(up(first)).min(down(second));
        for (at, change) in [(first, step), (second, -step)] {
            let moved = self.multipliers[at] + change * self.signs[at];
            // What rounding leaves of a bound is the bound.
            let near = |bound: f64| (moved - bound).abs() < 1e-12 * self.cost;
            self.multipliers[at] = if near(0.0) { 0.0 } else { moved };
            if near(self.cost) {
                self.multipliers[at] = self.cost;
            }
        }
        for at in 0..self.signs.len() {
            let change = step * (self.kernel(at, first) - self.kernel(at, second));
            self.gradient[at] += self.signs[at] * change;
        }
    }

    /// The mean of what the multipliers between the bounds ask for; without any, the middle of
    /// what the others allow.
    fn offset(&self) -> f64 {
        let slopes = |side: usize| {
            let photos = (0..self.signs.len()).filter(move |at| self.free(*at)[side]);
            photos.map(|at| -self.signs[at] * self.gradient[at])
        };
        let between = (0..self.signs.len()).filter(|at| self.free(*at) == [true; 2]);
        let between: Vec<f64> = between.map(|at| -self.signs[at] * self.gradient[at]).collect();
        if !between.is_empty() {
            return between.iter().sum::<f64>() / between.len() as f64;
        }
        let most = slopes(0).fold(f64::NEG_INFINITY, f64::max);
        let least = slopes(1).fold(f64::INFINITY, f64::min);
        match (most.is_finite(), least.is_finite()) {
            (true, true) => 0.5 * (most + least),
            (true, false) => most,
            (false, true) => least,
            (false, false) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_photos_are_divided_in_the_middle() {
        let svm = Svm::train(&[1.0, 0.2, 0.2, 1.0], &[true, false], 100.0);
        assert!((svm.decision(&[1.0, 0.2]) - 1.0).abs() < 1e-3);
        assert!((svm.decision(&[0.2, 1.0]) + 1.0).abs() < 1e-3);
        assert!(svm.decision(&[0.5, 0.5]).abs() < 1e-9);
    }

    #[test]
    fn photos_of_one_class_or_that_are_all_equal_give_finite_decisions() {
        for (labels, want) in [([true; 3], 1.0), ([false; 3], -1.0)] {
            assert_eq!(Svm::train(&[1.0; 9], &labels, 1.0).decision(&[1.0; 3]), want);
        }
        let mixed = Svm::train(&[1.0; 9], &[true, false, false], 1.0);
        assert!(mixed.decision(&[1.0; 3]).is_finite());
        assert!(Svm::train(&[], &[], 1.0).decision(&[]) == 0.0);
    }
}

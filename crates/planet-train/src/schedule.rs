use serde::{Deserialize, Serialize};

/// How the learning rate changes over a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LearningRate {
    /// The greatest (paper, section 3: 0.045).
    pub start: f64,
    /// What becomes of it.
    pub schedule: Schedule,
    /// Epochs, parts of them too, over which it rises from zero.
    pub warm_up: f64,
}

/// Course of the learning rate behind the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Stays. AdaGrad's steps shrink by themselves.
    Constant,
    /// Is multiplied by a factor at regular times.
    Step {
        /// Epochs between changes.
        epochs: f64,
        /// The factor, above 0 and at most 1.
        factor: f64,
    },
    /// Falls along half a cosine, to zero at the last epoch's end.
    Cosine,
}

impl Default for LearningRate {
    fn default() -> Self {
        Self { start: 0.045, schedule: Schedule::Constant, warm_up: 0.0 }
    }
}

impl LearningRate {
    /// The rate `done` epochs after the start of a run of `epochs`.
    pub fn at(&self, done: f64, epochs: f64) -> f64 {
        if done < self.warm_up {
            // A step at zero would do nothing: the first one is a little way up.
            return self.start * (done / self.warm_up).max(1e-3);
        }
        let done = done - self.warm_up;
        self.start
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Step { epochs, factor } => factor.powf((done / epochs).floor()),
                Schedule::Cosine => {
                    let share = done / (epochs - self.warm_up).max(f64::MIN_POSITIVE);
                    0.5 + 0.5 * (std::f64::consts::PI * share.min(1.0)).cos()
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_follows_its_course() {
        let rate =
            |schedule, done| LearningRate { start: 2.0, schedule, warm_up: 1.0 }.at(done, 5.0);
        assert_eq!(rate(Schedule::Constant, 0.5), 1.0);
        assert_eq!(rate(Schedule::Constant, 4.0), 2.0);
        assert_eq!(rate(Schedule::Cosine, 1.0), 2.0);
        assert!((rate(Schedule::Cosine, 3.0) - 1.0).abs() < 1e-12);
        assert!(rate(Schedule::Cosine, 5.0) < 1e-12);
        let halved = Schedule::Step { epochs: 2.0, factor: 0.5 };
        assert_eq!([1.0, 2.9, 3.0, 5.0].map(|done| rate(halved, done)), [2.0, 2.0, 1.0, 0.5]);
    }
}

use serde::{Deserialize, Serialize};

use crate::{
    InvalidSetting,
    course::{check_all, not_negative, positive},
};

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
#[non_exhaustive]
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
    /// Checks that the values lie within their ranges, so that every rate is a number.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let (epochs, factor) = match self.schedule {
            Schedule::Step { epochs, factor } => (epochs, factor),
            Schedule::Constant | Schedule::Cosine => (1.0, 1.0),
        };
        check_all([
            (positive(self.start), "learning_rate.start must be above 0"),
            (not_negative(self.warm_up), "learning_rate.warm_up must be at least 0"),
            (positive(epochs), "learning_rate.schedule.step.epochs must be above 0"),
            (
                positive(factor) && factor <= 1.0,
                "learning_rate.schedule.step.factor must be above 0 and at most 1",
            ),
        ])
    }

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
    fn schedules_that_would_give_no_number_are_refused_by_name() {
        let step = |epochs, factor| LearningRate {
            schedule: Schedule::Step { epochs, factor },
            ..LearningRate::default()
        };
        let start = |start| LearningRate { start, ..LearningRate::default() };
        let warm_up = LearningRate { warm_up: f64::INFINITY, ..LearningRate::default() };
        for (rate, named) in [
            (step(0.0, 0.5), "step.epochs"),
            (step(-1.0, 0.5), "step.epochs"),
            (step(f64::NAN, 0.5), "step.epochs"),
            (step(2.0, 0.0), "step.factor"),
            (step(2.0, 1.5), "step.factor"),
            (start(0.0), "start"),
            (start(f64::NAN), "start"),
            (warm_up, "warm_up"),
        ] {
            let error = rate.check().expect_err(named).to_string();
            assert!(error.contains(named), "{error}");
        }
        step(2.0, 1.0).check().expect("it may stay as it is");
    }

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

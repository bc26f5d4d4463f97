use std::collections::BTreeMap;

use planet_geo::{LatLng, Partition, Scale};
use serde::{Deserialize, Serialize};

use crate::{
    Accuracy, CellProbabilities, ProbabilityError, calibration::expected_calibration_error,
};

/// The best class of a photo is clear where it is so many times as probable as the second.
const LEAD: f32 = 1.5;

/// Classes among which the best one of the other network is searched.
const AMONG: usize = 5;

/// How far a network whose numbers were rounded to 8 or 16 bits agrees with the network in 32 bits that it
/// was made from, on photos that quantising did not see. Shares are 0..=1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Photos that both were asked for.
    pub photos: u64,
    /// Photos for which the network in 32 bits finds its best class 1.5 times as probable as the
    /// second.
    pub clear: u64,
    /// Share of the clear photos whose best class stays the best; `None` where none is clear.
    pub best_class_of_clear: Option<f64>,
    /// Share of all photos whose best class stays the best.
    pub best_class: f64,
    /// Share of all photos whose best class stays among the best five.
    pub among_five: f64,
    /// Photos whose position is known; the rest is of these.
    pub located: u64,
    /// Share of photos located within each scale, by its name: `street`, `city`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub within: BTreeMap<String, Both>,
    /// Expected calibration error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_error: Option<Both>,
}

/// A score of both networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Both {
    /// Of the network in 32 bits.
    pub f32: f64,
    /// Of the one whose numbers were rounded.
    #[serde(alias = "int8")]
    pub rounded: f64,
}

impl Agreement {
    /// The facts one by one, for people: name and value.
    pub fn facts(&self) -> Vec<(String, String)> {
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let both = |it: &Both| format!("{} (f32: {})", percent(it.rounded), percent(it.f32));
        let clear = self.best_class_of_clear.map_or_else(
            || "no photo is clear".to_owned(),
            |share| format!("{} of {} photos", percent(share), self.clear),
        );
        let mut facts = vec![
            ("held-out photos".to_owned(), self.photos.to_string()),
            ("same best class, clear answers".to_owned(), clear),
            ("same best class, all answers".to_owned(), percent(self.best_class)),
            ("f32's best class among the best five".to_owned(), percent(self.among_five)),
        ];
        for scale in Scale::ALL {
            if let Some(shares) = self.within.get(scale.name()) {
                let name = format!("located within {} km", scale.radius().km());
                facts.push((name, both(shares)));
            }
        }
        if let Some(errors) = &self.calibration_error {
            facts.push(("calibration error".to_owned(), both(errors)));
        }
        facts
    }
}

/// Compares the scores of two networks photo by photo.
#[derive(Debug)]
pub struct AgreementCounter<'p> {
    partition: &'p Partition,
    temperature: f32,
    photos: u64,
    clear: u64,
    same_of_clear: u64,
    same: u64,
    among: u64,
    /// Of the network in 32 bits and of the quantised one.
    accuracy: [Accuracy; 2],
    /// Probability of the best class, and whether it is the right one.
    answers: [Vec<(f64, bool)>; 2],
}

impl<'p> AgreementCounter<'p> {
    /// For networks with these classes, whose logits are divided by this temperature.
    pub fn new(partition: &'p Partition, temperature: f32) -> Self {
        Self {
            partition,
            temperature,
            photos: 0,
            clear: 0,
            same_of_clear: 0,
            same: 0,
            among: 0,
            accuracy: Default::default(),
            answers: Default::default(),
        }
    }

    /// Adds one photo's logits `[classes]` of the network in 32 bits and of the quantised one, and
    /// where it was taken if that is known.
    ///
    /// # Errors
    /// Scores that are no distribution, or not as many as there are classes.
    pub fn add(
        &mut self,
        full: &[f32],
        quantized: &[f32],
        truth: Option<LatLng>,
    ) -> Result<(), ProbabilityError> {
        let top = |logits: &[f32]| {
            if logits.len() != self.partition.len() {
                let (stated, found) = (self.partition.len(), logits.len());
                return Err(ProbabilityError::Classes { stated, found });
            }
            Ok(CellProbabilities::from_logits(logits, self.temperature)?.top(AMONG))
        };
        let tops = [top(full)?, top(quantized)?];
        let best = tops[0][0].0;
        let is_same = best == tops[1][0].0;
        self.photos += 1;
        self.same += u64::from(is_same);
        self.among += u64::from(tops[1].iter().any(|(class, _)| *class == best));
        if tops[0].get(1).is_none_or(|(_, second)| tops[0][0].1 >= LEAD * second) {
            self.clear += 1;
            self.same_of_clear += u64::from(is_same);
        }
        let Some(truth) = truth else { return Ok(()) };
        let right = self.partition.class_of(truth);
        for (at, top) in tops.iter().enumerate() {
            let (class, probability) = top[0];
            let distance = self.partition.point(class).map(|point| point.distance_to(truth));
            self.accuracy[at].add(distance);
            self.answers[at].push((f64::from(probability), right == Some(class)));
        }
        Ok(())
    }

    /// What was counted.
    pub fn finish(self) -> Agreement {
        let share = |count: u64, of: u64| count as f64 / of.max(1) as f64;
        let located = self.accuracy[0].photos();
        let [full, quantized] = self.accuracy.map(|it| it.shares(1));
        let scales = Scale::ALL.into_iter().zip(full.into_iter().zip(quantized));
        let within = scales
            .filter(|_| located > 0)
            .map(|(scale, (f32, rounded))| (scale.name().to_owned(), Both { f32, rounded }));
        let [before, after] = self.answers.map(expected_calibration_error);
        Agreement {
            photos: self.photos,
            clear: self.clear,
            best_class_of_clear: (self.clear > 0).then(|| share(self.same_of_clear, self.clear)),
            best_class: share(self.same, self.photos),
            among_five: share(self.among, self.photos),
            located,
            within: within.collect(),
            calibration_error: before.zip(after).map(|(f32, rounded)| Both { f32, rounded }),
        }
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::{Keep, Level, PhotoLeaves, Point, Uniform};

    use super::*;

    fn partition() -> (Partition, [LatLng; 2]) {
        let places = [(45.44, 12.33), (59.91, 10.75)]
            .map(|(lat, lng)| LatLng::new(lat, lng).expect("a position"));
        let photos: PhotoLeaves = places.into_iter().collect();
        let (keep, point, source) = (Keep::From(1), Point::Mean, String::new());
        let level = Level::new(8).expect("a level");
        let partition = Uniform { level, keep, point, source }.build(&photos).expect("two classes");
        (partition, places)
    }

    #[test]
    fn clear_answers_are_counted_apart_from_those_that_are_nearly_tied() {
        let (partition, places) = partition();
        let mut counter = AgreementCounter::new(&partition, 1.0);
        let first = partition.class_of(places[0]).expect("a class").index();
        let logits = |of_first: f32| if first == 0 { [of_first, 0.0] } else { [0.0, of_first] };
        // Clear and the same; clear and another; nearly tied and another.
        for (full, quantized) in [(2.0, 1.0), (2.0, -1.0), (0.1, -0.1)] {
            counter.add(&logits(full), &logits(quantized), Some(places[0])).expect("counted");
        }
        let found = counter.finish();
        assert_eq!((found.photos, found.clear, found.located), (3, 2, 3));
        assert_eq!(found.best_class_of_clear, Some(0.5));
        assert!((found.best_class - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(found.among_five, 1.0);
        let street = found.within["street"];
        assert!(street.f32 == 1.0 && (street.rounded - 1.0 / 3.0).abs() < 1e-12, "{street:?}");
        assert!(found.calibration_error.is_some());
    }

    #[test]
    fn scores_are_read_under_the_name_that_earlier_packages_gave_them() {
        let both = Both { f32: 0.5, rounded: 0.25 };
        let json = serde_json::to_string(&both).expect("JSON");
        for json in [json.as_str(), r#"{"f32": 0.5, "int8": 0.25}"#] {
            assert_eq!(serde_json::from_str::<Both>(json).expect("read"), both, "{json}");
        }
    }

    #[test]
    fn photos_without_positions_say_nothing_of_accuracy_and_wrong_scores_are_an_error() {
        let (partition, _) = partition();
        let mut counter = AgreementCounter::new(&partition, 1.0);
        counter.add(&[0.1, 0.0], &[0.1, 0.0], None).expect("counted");
        assert!(counter.add(&[0.1, 0.0], &[f32::NAN, 0.0], None).is_err());
        assert!(counter.add(&[0.1], &[0.1], None).is_err());
        let found = counter.finish();
        assert_eq!((found.photos, found.located), (1, 0));
        assert_eq!(found.best_class_of_clear, None);
        assert!(found.within.is_empty() && found.calibration_error.is_none());
    }
}

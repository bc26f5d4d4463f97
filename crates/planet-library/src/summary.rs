use std::{collections::BTreeMap, fmt};

use planet::{EvidenceKind, Prediction};

/// How many photos of a library were located, and by which evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Photos whose position was known.
    pub known: usize,
    /// Photos with an answer that is certain at some level, by what it rests on most.
    pub located: BTreeMap<&'static str, usize>,
    /// Photos with an answer of which no level is certain.
    pub uncertain: usize,
    /// Photos without an answer.
    pub without: usize,
}

impl Summary {
    /// Counts one photo; `is_known` says whether its own position was evidence.
    pub fn add(&mut self, prediction: &Prediction, is_known: bool) {
        if is_known {
            self.known += 1;
        } else if prediction.candidates.is_empty() {
            self.without += 1;
        } else if prediction.certain.is_none() {
            self.uncertain += 1;
        } else {
            let by = match prediction.evidence.first().map(|it| &it.kind) {
                Some(EvidenceKind::Track) => "by tracks",
                Some(EvidenceKind::Neighbour { .. }) => "by photos taken shortly before or after",
                Some(EvidenceKind::LookAlike { .. }) => "by photos that look alike",
                Some(_) => "by the model",
                None => "by where most photos were taken",
            };
            *self.located.entry(by).or_default() += 1;
        }
    }
}

impl fmt::Display for Summary {
    /// A line for each count that is not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let located = self.located.iter().map(|(by, photos)| (format!("located {by}"), *photos));
        let first = ("position known".to_owned(), self.known);
        let rest = [
            ("no level is certain".to_owned(), self.uncertain),
            ("no answer".to_owned(), self.without),
        ];
        let lines: Vec<(String, usize)> =
            [first].into_iter().chain(located).chain(rest).filter(|it| it.1 > 0).collect();
        let lines: Vec<String> =
            lines.iter().map(|(name, photos)| format!("{name:<48} {photos:>8}")).collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use planet::{Candidate, Certain, Evidence};
    use planet_geo::{LatLng, Scale};

    use super::*;

    #[test]
    fn every_photo_is_counted_once_and_named_by_its_first_evidence() {
        let position = LatLng::new(1.0, 2.0).expect("in range");
        let certain =
            Certain { level: Scale::City, name: String::new(), position, probability: 0.9 };
        let located = Prediction {
            candidates: vec![Candidate::at(position)],
            certain: Some(certain),
            evidence: vec![
                Evidence { kind: EvidenceKind::Track, share: 0.9 },
                Evidence { kind: EvidenceKind::Model, share: 0.1 },
            ],
            ..Prediction::default()
        };
        let mut summary = Summary::default();
        summary.add(&located, false);
        summary.add(&Prediction { evidence: Vec::new(), ..located.clone() }, false);
        summary.add(&Prediction { certain: None, ..located.clone() }, false);
        summary.add(&located, true);
        summary.add(&Prediction::default(), false);
        let text = summary.to_string();
        let counts: Vec<&str> =
            text.lines().filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(counts, ["1"; 5], "{text}");
        assert!(text.contains("located by tracks"), "{text}");
    }
}

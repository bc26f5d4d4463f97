use std::{fmt, str::FromStr};

use planet_data::{PHOTOGRAPH_FROM, PhotoRecord};

use crate::failure::Failure;

/// A rule that removes photos by a number in a column: `COLUMN>=NUMBER` or `COLUMN<NUMBER`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The column, or the label whose score it holds.
    pub column: String,
    is_below: bool,
    pub threshold: f64,
}

impl FromStr for Rejection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A label may hold such a sign itself: the last one counts.
        let parts = [(">=", false), ("<", true)].into_iter().filter_map(|(sign, is_below)| {
            let at = text.rfind(sign)?;
            Some((at, &text[..at], &text[at + sign.len()..], is_below))
        });
        let parts = parts.max_by_key(|(at, ..)| *at);
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|it| it.is_finite());
        match parts.map(|(_, column, threshold, is_below)| (column, number(threshold), is_below)) {
            Some((column, Some(threshold), is_below)) if !column.trim().is_empty() => {
                Ok(Self { column: column.trim().to_owned(), is_below, threshold })
            }
            _ => Err(format!("'{text}' is not a rule; write LABEL>=0.8 or LABEL<0.2")),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_below { "<" } else { ">=" };
        write!(f, "{}{sign}{}", self.column, self.threshold)
    }
}

impl Rejection {
    /// What is probably no photograph.
    pub fn non_photos() -> Self {
        let threshold = f64::from(PHOTOGRAPH_FROM);
        Self { column: "photo_score".to_owned(), is_below: true, threshold }
    }

    /// A photo's number in the column; `None` where it has none.
    ///
    /// # Errors
    /// It is not a number.
    pub fn value(&self, record: &PhotoRecord) -> Result<Option<f64>, Failure> {
        let Some(text) = record.value(&self.column) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let (photo, column) = (&record.photo, &self.column);
            Failure::new(format!("{photo}: column {column} holds '{text}', which is not a number"))
        })
    }

    /// Whether a photo with this number is removed.
    pub fn rejects(&self, value: f64) -> bool {
        if self.is_below { value < self.threshold } else { value >= self.threshold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_column_a_sign_and_a_number() {
        for (text, column, kept, rejected) in [
            ("not safe>=0.8", "not safe", 0.79, 0.8),
            ("safe < 0.25", "safe", 0.25, 0.249),
            ("a<b>=c>=1e-3", "a<b>=c", 0.0, 0.001),
            ("x>=y<2", "x>=y", 2.0, 1.9),
        ] {
            let rule: Rejection = text.parse().expect("a rule");
            assert_eq!(rule.column, column);
            assert!(!rule.rejects(kept) && rule.rejects(rejected), "{text}");
        }
        assert_eq!("safe < 0.25".parse::<Rejection>().expect("a rule").to_string(), "safe<0.25");
        for wrong in ["safe", "safe>=", ">=0.5", "safe>=high", "safe>=nan", "safe>=inf", "safe=1"] {
            assert!(wrong.parse::<Rejection>().is_err(), "{wrong}");
        }
    }
}

use std::fmt::Write as _;

use super::{degrees, quoted};
use crate::prediction::Prediction;

pub(super) const HEADER: &str = "img_id,p_key,pred_class,pred_lat,pred_lng,probability\n";

/// One row a candidate. A photo without an answer has one row with its id and nothing else, so
/// that an interrupted file can be resumed and the photo is not taken for a missing one.
pub(super) fn rows(prediction: &Prediction) -> String {
    let id = quoted(&prediction.photo);
    if prediction.candidates.is_empty() {
        return format!("{id},,,,,\n");
    }
    let mut text = String::new();
    for (rank, candidate) in prediction.candidates.iter().enumerate() {
        let class = candidate.class.map_or_else(String::new, |class| class.to_string());
        let probability = candidate.probability.map_or_else(String::new, |p| p.to_string());
        let (lat, lng) = (degrees(candidate.position.lat()), degrees(candidate.position.lng()));
        writeln!(text, "{id},{rank},{class},{lat},{lng},{probability}")
            .expect("a string takes whatever is written");
    }
    text
}

/// Whether a row goes on with the photo of the row before: its rank is not the first.
pub(super) fn continues(row: &[u8]) -> bool {
    let text = String::from_utf8_lossy(row);
    // The id alone may hold commas; five fields follow it.
    let rank = text.trim_end().rsplit(',').nth(4);
    rank.is_some_and(|rank| !rank.is_empty() && rank != "0")
}

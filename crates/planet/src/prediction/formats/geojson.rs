use serde_json::{Value, json};

use super::{degrees, jsonl};
use crate::prediction::Prediction;

pub(super) const START: &str = "{\"type\":\"FeatureCollection\",\"features\":[";
pub(super) const END: &str = "\n]}\n";

/// A feature: the best candidate's point, with the line of jsonl as its properties. A photo
/// without an answer has no geometry.
pub(super) fn feature(prediction: &Prediction, first: bool) -> String {
    let geometry = prediction.best().map_or(Value::Null, |best| {
        let (lng, lat) = (degrees(best.position.lng()), degrees(best.position.lat()));
        json!({ "type": "Point", "coordinates": [lng, lat] })
    });
    let properties = jsonl::line(prediction);
    let separator = if first { "" } else { "," };
    format!(
        "{separator}\n{{\"type\":\"Feature\",\"geometry\":{geometry},\"properties\":{}}}",
        properties.trim_end()
    )
}

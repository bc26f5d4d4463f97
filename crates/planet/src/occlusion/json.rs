use planet_geo::Scale;
use serde_json::{Value, json};

use super::{HiddenBox, Measure, Occlusion, regions::name};

/// Longer side of a map in a file, in fields.
const FIELDS: u32 = 128;

impl Occlusion {
    /// The map and everything behind it. `values` has the target's probability for `rows` ×
    /// `columns` fields over the upright photo, row by row: its pixels, or where it has more than
    /// 128 on a side, means over as many fields.
    pub fn to_json(&self) -> Value {
        let map = self.map(Measure::Probability);
        let size = map.raster_size(FIELDS);
        let table = |measure: Measure| -> Vec<Vec<f64>> {
            let raster = self.map(measure).raster(size);
            raster.chunks(size[1]).map(|row| row.iter().map(|x| rounded(*x)).collect()).collect()
        };
        let regions: Vec<Value> = self.regions(3).iter().map(|region| {
            json!({
                "left": region.hidden.left,
                "top": region.hidden.top,
                "width": region.hidden.width,
                "height": region.hidden.height,
                "probability": rounded(region.probability),
                "drop": rounded(region.drop),
                "log_odds_drop": rounded(region.log_odds),
                "answer": region.answer.as_ref().map(|(place, _)| name(place)),
                "answer_probability": region.answer.as_ref().map(|(_, share)| rounded(f64::from(*share))),
                "changes": region.changes,
            })
        }).collect();
        json!({
            "photo": self.photo,
            "target": self.target.name,
            "position": self.target.position.map(|position| [position.lat(), position.lng()]),
            "scale": self.scale.map_or("cell", Scale::name),
            "width": self.size[1],
            "height": self.size[0],
            "passes": self.passes,
            "probability": rounded(self.probability()),
            "answer": self.answer(&self.whole).map(|(place, _)| name(place)),
            "rows": size[0],
            "columns": size[1],
            "values": table(Measure::Probability),
            "log_odds_drop": table(Measure::LogOdds),
            "regions": regions,
            "boxes": self.boxes.iter().map(|it| self.box_json(it)).collect::<Vec<_>>(),
        })
    }

    fn box_json(&self, it: &HiddenBox) -> Value {
        let answer = self.answer(&it.reading);
        let within = it.reading.within.map(rounded);
        let within: serde_json::Map<String, Value> = Scale::ALL
            .iter()
            .zip(within)
            .map(|(scale, share)| (scale.name().to_owned(), json!(share)))
            .collect();
        json!({
            "left": it.hidden.left,
            "top": it.hidden.top,
            "width": it.hidden.width,
            "height": it.hidden.height,
            "cell": rounded(it.reading.target),
            "within": within,
            "answer": answer.map(|(place, _)| name(place)),
            "answer_probability": answer.map(|(_, share)| rounded(f64::from(share))),
            "measured": it.measured,
        })
    }
}

/// Seven digits behind the point: what f32 probabilities hold.
fn rounded(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}

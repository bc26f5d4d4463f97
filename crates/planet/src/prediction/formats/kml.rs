use std::fmt::Write as _;

use planet_geo::Distance;

use super::degrees;
use crate::prediction::Prediction;

pub(super) const START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
     <kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>\n<name>Located photos</name>\n";
pub(super) const END: &str = "</Document></kml>\n";

/// A placemark at the best candidate's point that names all of them and what is certain.
pub(super) fn placemark(prediction: &Prediction) -> String {
    let mut description = prediction.error.clone().unwrap_or_default();
    for candidate in &prediction.candidates {
        let share = candidate.probability.map_or(f32::NAN, |p| p * 100.0);
        let place = candidate.place.as_ref().map_or_else(String::new, ToString::to_string);
        write!(description, "{share:.1} % {place} ({})", candidate.position)
            .expect("a string takes whatever is written");
        if candidate.radius > Distance::ZERO {
            write!(description, ", cell within {}", candidate.radius)
                .expect("a string takes whatever is written");
        }
        description.push('\n');
    }
    if let Some(certain) = &prediction.certain {
        writeln!(description, "{certain}").expect("a string takes whatever is written");
    }
    let point = prediction.best().map_or_else(String::new, |best| {
        let (lng, lat) = (degrees(best.position.lng()), degrees(best.position.lat()));
        format!("<Point><coordinates>{lng},{lat}</coordinates></Point>")
    });
    format!(
        "<Placemark><name>{}</name><description>{}</description>{point}</Placemark>\n",
        escaped(&prediction.photo),
        escaped(&description)
    )
}

/// Text as XML 1.0 has it; control characters, which it cannot hold, become `�`.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\n' | '\t' => safe.push(letter),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

use std::path::Path;

use super::{degrees, quoted};
use crate::prediction::Prediction;

/// The two `Ref` columns are what makes a latitude southern in EXIF: without them exiftool
/// writes −33.8 as 33.8 north.
pub(super) const HEADER: &str = "SourceFile,GPSLatitude,GPSLatitudeRef,GPSLongitude,\
     GPSLongitudeRef,GPSHPositioningError,GPSProcessingMethod\n";

/// A row for a photo whose place is certain at some level and was not known before; else
/// nothing. The error is the radius of the level, in metres.
pub(super) fn row(prediction: &Prediction, root: &Path) -> String {
    let Some(certain) = &prediction.certain else { return String::new() };
    if prediction.truth.is_some() || prediction.photo.contains(".tar!") {
        return String::new();
    }
    let file = root.join(&prediction.photo);
    let (lat, lng) = (certain.position.lat(), certain.position.lng());
    format!(
        "{},{},{},{},{},{},PlaNet estimate ({})\n",
        quoted(&file.to_string_lossy()),
        degrees(lat.abs()),
        if lat < 0.0 { "S" } else { "N" },
        degrees(lng.abs()),
        if lng < 0.0 { "W" } else { "E" },
        certain.level.radius().m(),
        certain.level.name(),
    )
}

use std::path::Path;

use planet_data::DiskStore;
use planet_geo::Scale;

use super::{degrees, quoted};
use crate::prediction::{Certain, Prediction};

/// The two `Ref` columns are what makes a latitude southern in EXIF: without them exiftool
/// writes −33.8 as 33.8 north.
pub(super) const HEADER: &str = "SourceFile,GPSLatitude,GPSLatitudeRef,GPSLongitude,\
     GPSLongitudeRef,GPSHPositioningError,GPSProcessingMethod\n";

/// A row for a photo whose place is certain at this level or a finer one and was not known before;
/// else nothing. The error is the radius of the level, in metres: the photo was taken within it with
/// the probability that was asked for.
pub(super) fn row(prediction: &Prediction, root: &Path, coarsest: Scale) -> String {
    let Offered::Position(certain) = Offered::of(prediction, coarsest) else {
        return String::new();
    };
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

/// What a prediction offers for writing into its photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offered<'a> {
    /// A position that is certain at a level that is fine enough.
    Position(&'a Certain),
    /// Nothing: the finest level that is certain is coarser than was asked for.
    Coarser(Scale),
    /// Nothing: no level is certain.
    Uncertain,
    /// Nothing: the photo has a position.
    Known,
    /// Nothing: a photo inside an archive, one without an answer, or one that the model was not
    /// made for.
    Impossible,
}

impl<'a> Offered<'a> {
    /// Of a prediction, where nothing coarser than this level is to be written.
    pub fn of(prediction: &'a Prediction, coarsest: Scale) -> Self {
        let unusable = prediction.error.is_some() || prediction.warning.is_some();
        if unusable || DiskStore::is_in_shard(&prediction.photo) {
            return Self::Impossible;
        }
        if prediction.truth.is_some() {
            return Self::Known;
        }
        match &prediction.certain {
            None => Self::Uncertain,
            Some(certain) if certain.level > coarsest => Self::Coarser(certain.level),
            Some(certain) => Self::Position(certain),
        }
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;

    #[test]
    fn an_answer_that_carries_a_warning_is_not_offered_for_writing() {
        let position = LatLng::new(45.4, 12.3).expect("a position");
        let certain =
            Certain { level: Scale::City, name: String::new(), position, probability: 0.9 };
        let answer = Prediction {
            photo: "a.jpg".to_owned(),
            certain: Some(certain),
            ..Prediction::default()
        };
        assert_ne!(row(&answer, Path::new(""), Scale::City), "");
        let warned = Prediction { warning: Some("other photos".to_owned()), ..answer };
        assert_eq!(row(&warned, Path::new(""), Scale::City), "");
    }
}

use std::collections::BTreeMap;

use planet_geo::LatLng;
use serde::{Deserialize, Serialize};

/// What is known of one photo: a row of a manifest. Everything but `photo` may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhotoRecord {
    /// Id in every later file: path relative to the manifest's root, or `shard.tar!key.jpg`.
    pub photo: String,
    /// Where it was taken.
    #[serde(with = "position")]
    pub position: Option<LatLng>,
    /// When it was taken, ISO 8601; without a zone where none is known.
    pub time: Option<String>,
    /// Who took it.
    pub author: Option<String>,
    /// The album it stands in.
    pub album: Option<String>,
    /// Kind of scene, for tables by category.
    pub category: Option<String>,
    /// Camera's make and model.
    pub camera: Option<String>,
    /// `train`, `validation`, `test`, or a name of the user's.
    pub split: Option<String>,
    /// Width in pixels, upright.
    pub width: Option<u32>,
    /// Height in pixels, upright.
    pub height: Option<u32>,
    /// Size of the file in bytes.
    pub bytes: Option<u64>,
    /// Error of the position in metres, as the camera states it.
    pub accuracy_m: Option<f64>,
    /// Where the position was found.
    pub position_source: Option<PositionSource>,
    /// Where the time was found.
    pub time_source: Option<TimeSource>,
    /// ISO 3166-1 alpha-2 code of the country that holds the position.
    pub country: Option<String>,
    /// Hash of the file's bytes: equal files, equal hashes.
    pub content_hash: Option<String>,
    /// Hash of what the photo shows, hexadecimal: alike photos, few differing bits.
    pub perceptual_hash: Option<String>,
    /// 0 = surely not a photograph, 1 = surely one.
    pub photo_score: Option<f32>,
    /// Columns that PlaNet does not know, kept as they are.
    pub other: BTreeMap<String, String>,
}

impl PhotoRecord {
    /// The position that is evidence of where the photo was taken: one that is marked as an
    /// estimate is not.
    pub fn known_position(&self) -> Option<LatLng> {
        self.position.filter(|_| self.position_source != Some(PositionSource::Estimate))
    }
}

/// Where a position was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PositionSource {
    /// The file's EXIF block.
    Exif,
    /// XMP inside the file.
    Xmp,
    /// An XMP file beside the photo.
    Sidecar,
    /// The JSON file that Google Takeout writes beside the photo.
    Takeout,
    /// A table that came with the dataset.
    Table,
    /// Any of these, but marked as an estimate, by PlaNet or by another program: it is shown, and
    /// is no evidence.
    Estimate,
}

/// Where a capture time was found; the same places as a position's.
pub type TimeSource = PositionSource;

impl PositionSource {
    /// Lower-case name as it stands in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exif => "exif",
            Self::Xmp => "xmp",
            Self::Sidecar => "sidecar",
            Self::Takeout => "takeout",
            Self::Table => "table",
            Self::Estimate => "estimate",
        }
    }

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Exif, Self::Xmp, Self::Sidecar, Self::Takeout, Self::Table, Self::Estimate]
            .into_iter()
            .find(|s| s.name() == name)
    }
}

/// A position as `[latitude, longitude]`.
mod position {
    use planet_geo::LatLng;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "serde gives the field's own type")]
    pub(super) fn serialize<S: Serializer>(
        position: &Option<LatLng>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        position.map(|it| [it.lat(), it.lng()]).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<LatLng>, D::Error> {
        let pair = Option::<[f64; 2]>::deserialize(deserializer)?;
        pair.map(|[lat, lng]| LatLng::new(lat, lng).map_err(D::Error::custom)).transpose()
    }
}

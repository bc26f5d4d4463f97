use std::{collections::HashMap, fs::File, path::Path};

use planet_geo::LatLng;
use serde::{Deserialize, Serialize};

use crate::{WorldError, cues::Cues, paint::NonPhoto, place::PlaceId};

/// Name of the table in a world folder.
pub(crate) const TRUTH_FILE: &str = "truth.csv";

/// What a file of a synthetic library really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A photo.
    Photo,
    /// A copy of the photo before it, compressed anew and harder.
    Recompressed,
    /// A copy with its edges cut off.
    Cropped,
    /// A copy in other tones.
    Toned,
    /// No photograph: a chart.
    Chart,
    /// No photograph: clip-art.
    ClipArt,
    /// No photograph: a screenshot.
    Screenshot,
}

impl Kind {
    /// Whether it is a photograph that is no copy of another one.
    pub const fn is_original(self) -> bool {
        matches!(self, Self::Photo)
    }

    /// Whether it is no photograph at all.
    pub const fn is_non_photo(self) -> bool {
        matches!(self, Self::Chart | Self::ClipArt | Self::Screenshot)
    }
}

impl From<NonPhoto> for Kind {
    fn from(graphic: NonPhoto) -> Self {
        match graphic {
            NonPhoto::Chart => Self::Chart,
            NonPhoto::ClipArt => Self::ClipArt,
            NonPhoto::Screenshot => Self::Screenshot,
        }
    }
}

/// What is true of one file of a world folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Its id in the manifest.
    pub photo: String,
    /// What it is.
    pub kind: Kind,
    /// What was drawn; `None` for what is no photograph.
    pub drawn: Option<SyntheticTruth>,
    /// The photo of which it is a copy.
    pub duplicate_of: Option<String>,
    /// Whether the file and the manifest keep silent about its position.
    pub withheld: bool,
}

/// Where a photo was taken and what it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SyntheticTruth {
    /// Its place.
    pub place: PlaceId,
    /// Where exactly.
    pub position: LatLng,
    /// Its cues.
    pub cues: Cues,
    /// Entropy of P(place | cues) in bits: how much the photo alone leaves open.
    pub entropy: f64,
}

/// A row of truth.csv.
#[derive(Serialize, Deserialize)]
struct Row {
    photo: String,
    place: Option<u16>,
    lat: Option<f64>,
    lng: Option<f64>,
    scene: String,
    cues: String,
    entropy: Option<f64>,
    kind: Kind,
    duplicate_of: String,
    withheld: bool,
}

impl Truth {
    /// Appends it to a table.
    pub(crate) fn write(&self, table: &mut csv::Writer<impl std::io::Write>) -> csv::Result<()> {
        let drawn = self.drawn.as_ref();
        table.serialize(Row {
            photo: self.photo.clone(),
            place: drawn.map(|drawn| drawn.place.0),
            lat: drawn.map(|drawn| drawn.position.lat()),
            lng: drawn.map(|drawn| drawn.position.lng()),
            scene: drawn.map_or_else(String::new, |drawn| drawn.cues.scene.to_string()),
            cues: drawn.map_or_else(String::new, |drawn| drawn.cues.to_string()),
            entropy: drawn.map(|drawn| (drawn.entropy * 1e4).round() / 1e4),
            kind: self.kind,
            duplicate_of: self.duplicate_of.clone().unwrap_or_default(),
            withheld: self.withheld,
        })
    }

    /// Reads `truth.csv` of a world folder; truths by photo id.
    ///
    /// # Errors
    /// The file is missing, or a row is not what this project writes; the line is named.
    pub fn read_all(folder: &Path) -> Result<HashMap<String, Self>, WorldError> {
        let path = folder.join(TRUTH_FILE);
        let file =
            File::open(&path).map_err(|source| WorldError::File { path: path.clone(), source })?;
        let mut truths = HashMap::new();
        for (index, row) in csv::Reader::from_reader(file).deserialize().enumerate() {
            // The header is line 1.
            let bad =
                |what: String| WorldError::Truth { path: path.clone(), line: index + 2, what };
            let row: Row = row.map_err(|error| bad(error.to_string()))?;
            let truth = Self::from_row(row).map_err(bad)?;
            if let Some(twice) = truths.insert(truth.photo.clone(), truth) {
                return Err(bad(format!("{} stands there twice", twice.photo)));
            }
        }
        Ok(truths)
    }

    fn from_row(row: Row) -> Result<Self, String> {
        let drawn = match (row.place, row.lat, row.lng) {
            (Some(place), Some(lat), Some(lng)) => Some(SyntheticTruth {
                place: PlaceId(place),
                position: LatLng::new(lat, lng).map_err(|error| error.to_string())?,
                cues: row.cues.parse().map_err(|error: WorldError| error.to_string())?,
                entropy: row.entropy.unwrap_or(f64::NAN),
            }),
            (None, None, None) if row.kind.is_non_photo() => None,
            _ => return Err("a photo has a place, a latitude and a longitude".into()),
        };
        let duplicate_of = (!row.duplicate_of.is_empty()).then_some(row.duplicate_of);
        Ok(Self { photo: row.photo, kind: row.kind, drawn, duplicate_of, withheld: row.withheld })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "photo,place,lat,lng,scene,cues,entropy,kind,duplicate_of,withheld\n";

    fn read(rows: &str) -> Result<HashMap<String, Truth>, WorldError> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(TRUTH_FILE), format!("{HEADER}{rows}")).expect("written");
        Truth::read_all(folder.path())
    }

    #[test]
    fn rows_that_are_no_truth_are_named_by_their_line() {
        let good = "a.jpg,3,1.5,2.5,pet,pet,9.5,photo,,false\n";
        assert_eq!(read(good).expect("read")["a.jpg"].kind, Kind::Photo);
        for bad in [
            "b.jpg,3,95,2.5,pet,pet,9.5,photo,,false\n",
            "b.jpg,3,1,2.5,pet,attic,9.5,photo,,false\n",
            "b.jpg,,,,pet,pet,9.5,photo,,false\n",
            "b.jpg,3,1,2.5,pet,pet,9.5,hologram,,false\n",
            "b.jpg,70000,1,2.5,pet,pet,9.5,photo,,false\n",
            "a.jpg,3,1.5,2.5,pet,pet,9.5,photo,,false\n",
            "b.jpg,3\n",
        ] {
            let error = read(&format!("{good}{bad}")).expect_err(bad).to_string();
            assert!(error.contains("truth.csv:3"), "{error}");
        }
    }
}

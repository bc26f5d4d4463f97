//! The index: one file that is written once and memory-mapped to be searched.
//!
//! `planet-index-1`, all numbers little-endian: eight bytes `PLANETIX`, zeros up to byte 64; the
//! vectors, f16 `[vectors, dimensions]`; the whitening, f32; the photos, a line of JSON each; the
//! lists, where there are any: their centres, f32 `[lists, dimensions]`, the number of the first photo of
//! each and the end of the last one's, u64; the description, JSON; then 48 bytes: length of the
//! description (u64), its blake3 hash, `PLANETIX`. The description states the lengths and hashes of the
//! other parts.

mod read;
mod write;

use planet_geo::LatLng;
use serde::{Deserialize, Serialize};

pub use read::Index;
pub use write::IndexWriter;

use super::Recipe;

const MAGIC: &[u8; 8] = b"PLANETIX";
/// Where the vectors begin.
const BEGIN: usize = 64;
/// Length of what stands behind the description.
const END: usize = 48;
const FORMAT: &str = "planet-index-1";

/// The description of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexInfo {
    format: String,
    /// Name of the model, for people.
    pub model: String,
    /// The model's folder when the index was made.
    pub model_folder: String,
    /// [`crate::FeatureModel::fingerprint`] of the model.
    pub fingerprint: String,
    /// How its vectors were made.
    pub recipe: Recipe,
    /// Length of a vector.
    pub dimensions: usize,
    /// Length of a vector before whitening.
    pub pooled: usize,
    /// Number of vectors.
    pub vectors: usize,
    /// Folder that the photos' ids are relative to; empty where they are paths themselves.
    pub root: String,
    /// Bytes and blake3 hash of each part.
    parts: [Part; 3],
    /// The lists that its vectors stand in; searches are exact where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lists: Option<ListsInfo>,
}

/// The lists of an index, and what a search in them finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListsInfo {
    /// Number of lists.
    pub count: usize,
    /// Lists that a search reads, 1 to `count`.
    pub probes: usize,
    /// Share of the ten nearest photos that it finds, measured on photos of the index.
    pub recall: f64,
    part: Part,
}

impl ListsInfo {
    pub(super) fn new(count: usize, probes: usize, recall: f64) -> Self {
        Self { count, probes, recall, part: Part::default() }
    }

    pub(super) fn is_sound(&self) -> bool {
        (1..=self.count).contains(&self.probes) && (0.0..=1.0).contains(&self.recall)
    }
}

/// A part of the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    bytes: usize,
    blake3: String,
}

/// A photo of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexedPhoto {
    /// Its id.
    pub photo: String,
    /// Where it was taken, latitude and longitude in degrees, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "degrees")]
    pub position: Option<LatLng>,
    /// Number of its vectors: 0 where it could not be decoded.
    pub vectors: usize,
    /// Why it has no vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

mod degrees {
    use planet_geo::LatLng;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        position: &Option<LatLng>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        position.map(|it| [it.lat(), it.lng()]).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<LatLng>, D::Error> {
        let degrees = Option::<[f64; 2]>::deserialize(deserializer)?;
        degrees.map(|[lat, lng]| LatLng::new(lat, lng)).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{fs, path::Path};

    use planet_data::Preprocess;

    use super::*;
    use crate::{
        FeatureModel,
        package::{FeatureDraft, NewFeatures, Provenance},
        retrieval::{Descriptor, RetrievalError, Whitening},
    };

    pub(in crate::retrieval) fn model(folder: &Path, weights: &str) -> FeatureModel {
        let new = NewFeatures::create(&folder.join("model")).expect("a folder");
        for name in ["model.onnx", "model.onnx.data"] {
            fs::write(new.folder().join(name), weights).expect("written");
        }
        let draft = FeatureDraft {
            name: "small".to_owned(),
            architecture: "efficientnet-lite0".to_owned(),
            features: 3,
            map: [3, 2, 2],
            preprocess: Preprocess::inception(64),
            provenance: Provenance::default(),
        };
        new.finish(draft).expect("a package")
    }

    fn photo(name: &str, position: Option<LatLng>) -> IndexedPhoto {
        IndexedPhoto { photo: name.to_owned(), position, vectors: 0, error: None }
    }

    fn write(path: &Path, model: &FeatureModel, recipe: Recipe) {
        let whitening = (recipe.whitening > 0).then(|| {
            let vectors = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.3, 0.2, 0.1];
            Whitening::learn(&vectors, 3, 2).expect("learned")
        });
        let mut writer =
            IndexWriter::create(path, model, &recipe, "root", whitening.as_ref()).expect("created");
        let dimensions = if recipe.whitening > 0 { recipe.whitening } else { 3 };
        let here = LatLng::new(-33.5, 151.25).expect("a place");
        let descriptor = |first: f32| {
            let mut values = vec![0.0; dimensions];
            values[0] = first;
            values[1] = 0.5;
            Descriptor::new(dimensions, values)
        };
        writer.add(photo("a.jpg", Some(here)), &descriptor(0.25)).expect("written");
        writer.add_failed(photo("torn.jpg", None), "not a photo");
        writer.add(photo("näh \"2\".jpg", None), &descriptor(-3.0)).expect("written");
        writer.finish().expect("finished");
    }

    #[test]
    fn an_index_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = model(folder.path(), "weights");
        let path = folder.path().join("index");
        let recipe = Recipe { whitening: 2, ..Recipe::default() };
        write(&path, &model, recipe.clone());
        let index = Index::open(&path).expect("opened");
        assert_eq!((index.info().dimensions, index.info().vectors), (2, 2));
        assert_eq!(index.info().recipe, recipe);
        assert_eq!(index.whitening().map(Whitening::inputs), Some(3));
        let photos = index.photos();
        assert_eq!(photos.len(), 3);
        assert_eq!(photos[0].position.map(LatLng::lat), Some(-33.5));
        assert_eq!(photos[1].error.as_deref(), Some("not a photo"));
        assert_eq!(index.descriptor(0).map(|it| it.values().to_vec()), Some(vec![0.25, 0.5]));
        assert_eq!(index.descriptor(1), None);
        assert_eq!(index.descriptor(2).map(|it| it.values().to_vec()), Some(vec![-3.0, 0.5]));
        index.check_model(&model).expect("it is the model's own");
    }

    #[test]
    fn an_index_of_another_model_is_refused_with_both_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index");
        write(&path, &model(folder.path(), "weights"), Recipe::default());
        let other = model(folder.path(), "other weights");
        let error = Index::open(&path).expect("opened").check_model(&other).expect_err("refused");
        assert!(matches!(error, RetrievalError::OtherModel { .. }), "{error}");
    }

    #[test]
    fn an_index_that_was_cut_off_or_changed_anywhere_is_refused_with_the_cure() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = model(folder.path(), "weights");
        let path = folder.path().join("index");
        write(&path, &model, Recipe { whitening: 2, ..Recipe::default() });
        let whole = fs::read(&path).expect("read");
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("written");
            let error = Index::open(&path).expect_err("refused").to_string();
            assert!(error.contains("planet retrieve index"), "{error}");
        };
        for end in [0, 1, 7, 63, 64, 70, whole.len() / 2, whole.len() - 1] {
            refused(&whole[..end]);
        }
        for at in (0..whole.len()).step_by(3) {
            let mut changed = whole.clone();
            changed[at] ^= 0x20;
            // Zeros between the first bytes and the vectors say nothing.
            if !(8..64).contains(&at) {
                refused(&changed);
            }
        }
        refused(b"PLANETIX");
        refused(&[whole.clone(), vec![0; 4]].concat());
    }
}

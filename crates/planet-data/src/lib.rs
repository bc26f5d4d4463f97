//! Photos and datasets: what every photo and every dataset becomes before PlaNet looks at it.
//!
//! A dataset is a [`PhotoRecord`] for each photo, whatever format it came in; a photo is the
//! same pixels in training, evaluation and use, because one [`Preprocess`] makes them all.
//!
//! | to | use |
//! |---|---|
//! | read position, time and camera of a photo | [`PhotoFacts`], of a folder [`scan`] |
//! | decode a photo | [`Photo`] |
//! | make a network's input of it | [`Preprocess`], of many photos a [`Loader`] |
//! | read and write manifests | [`Manifest`], [`ManifestReader`], [`ManifestWriter`] |
//! | read geotags from any table | [`read_geotags`] |
//! | divide and clean a dataset | [`Split`], [`near_pairs`], [`near_photos`], [`Enrich`] |
//! | make near-duplicates of a photo | [`Edit`], [`Edits`] |
//! | name a place | [`Gazetteer`] |
//! | write a file that is whole or absent | [`AtomicFile`], [`OutputFile`] |
//! | report progress and hear that work should end | [`Monitor`] |
//!
//! ```
//! use planet_data::{Photo, PixelBatch, Preprocess};
//!
//! // 40 × 30 grey pixels become a square input of 32 × 32, values around 0.
//! let photo = Photo::from_rgb(40, 30, vec![127; 3 * 40 * 30])?;
//! let preprocess = Preprocess::inception(32);
//! let mut batch = PixelBatch::with_capacity(1, 32, 32);
//! batch.push(&preprocess.apply(&photo));
//! assert_eq!((batch.photos(), batch.values().len()), (1, 3 * 32 * 32));
//! assert!(batch.values().iter().all(|value| value.abs() < 0.01));
//! # Ok::<(), planet_data::PhotoError>(())
//! ```

mod code;
mod duplicates;
mod edits;
mod enrich;
mod error;
mod gazetteer;
mod geotags;
mod guard;
mod import;
mod left_out;
mod loader;
mod local_features;
mod manifest;
mod monitor;
mod msgpack;
mod output;
mod output_folder;
mod owned_folder;
mod perceptual_hash;
mod photo;
mod photo_score;
mod photo_sketch;
mod pixels;
mod plain_lines;
mod preprocess;
mod record;
mod scan;
mod seams;
mod sheet;
mod split;
mod statistics;
mod store;
pub mod table;
mod time;
mod truth;

pub use code::{Code, NotACode};
pub use duplicates::{DEFAULT_DISTANCE, GREATEST_DISTANCE, NearPair, near_pairs, redundant};
pub use edits::{Edit, Edits};
pub use enrich::Enrich;
pub use error::{Cause, DataError};
pub use gazetteer::{COAST, Country, Gazetteer, NearbyPlace};
pub use geotags::{GeotagCount, GeotagOptions, SkipReason, Skipped, read_geotags};
pub use import::{ImportFormat, ImportOptions, Imported};
pub use left_out::{FileKind, LeftOut};
pub use loader::{
    Augment, Batch, Batches, FailedPhoto, FailedPhotos, Loader, LoaderError, LoaderOptions,
};
pub use local_features::{
    LocalFeatureIndex, LocalFeatures, LocalMatch, NearPhotos, PhotoList, near_photos,
};
pub use manifest::{Column, Manifest, ManifestReader, ManifestWriter};
pub use monitor::{Monitor, NoMonitor};
pub use output::{AtomicFile, Before, OutputFile, ResumeError, Settings};
pub use output_folder::{OutputFolder, OutputFolderError, ReadWritten, WrittenFiles, file_hash};
pub use owned_folder::OwnedFolder;
pub use perceptual_hash::perceptual_hash;
pub use photo::{
    Limits, Note, Photo, PhotoError, PhotoFacts, PhotoFormat, Problem, Rescue, sidecar_paths,
};
pub use photo_score::{PHOTOGRAPH_FROM, photo_score};
pub use photo_sketch::PhotoSketch;
pub use pixels::PixelBatch;
pub use preprocess::{
    ChannelOrder, Decoding, Fill, Filter, Fit, Layout, Occluder, PixelBox, Preprocess,
    PreprocessError,
};
pub use record::{PhotoRecord, PositionSource, TimeSource};
pub use scan::{Found, Scanned, common_root, photos_below, scan};
pub use sheet::{sample, thumbnail, thumbnail_jpeg};
pub use split::{PartShare, Split, SplitBy, SplitGroups, SplitParts};
pub use statistics::{SIDES, Statistics};
pub use store::{DiskStore, PathStore, PhotoStore};
pub use time::CaptureTime;
pub use truth::{TruthColumns, TruthRow, read_truth};

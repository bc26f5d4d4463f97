//! Photos and datasets: what every photo and every dataset becomes before PlaNet looks at it.
//!
//! A dataset is a [`PhotoRecord`] for each photo, whatever format it came in; a photo is the
//! same pixels in training, evaluation and use, because one [`Preprocess`] makes them all.

mod duplicates;
mod enrich;
mod error;
mod gazetteer;
mod geotags;
mod guard;
mod import;
mod left_out;
mod loader;
mod manifest;
mod monitor;
mod output;
mod output_folder;
mod owned_folder;
mod perceptual_hash;
mod photo;
mod photo_score;
mod pixels;
mod preprocess;
mod record;
mod scan;
mod sheet;
mod split;
mod statistics;
mod store;
pub mod table;
mod time;
mod truth;

pub use duplicates::{DEFAULT_DISTANCE, GREATEST_DISTANCE, NearPair, near_pairs, redundant};
pub use enrich::Enrich;
pub use error::{Cause, DataError};
pub use gazetteer::{COAST, Country, Gazetteer, NearbyPlace};
pub use geotags::{GeotagCount, GeotagOptions, SkipReason, Skipped, read_geotags};
pub use import::{ImportFormat, ImportOptions, Imported};
pub use left_out::{FileKind, LeftOut};
pub use loader::{
    Augment, Batch, Batches, FailedPhoto, FailedPhotos, Loader, LoaderError, LoaderOptions,
};
pub use manifest::{Column, Manifest, ManifestReader, ManifestWriter};
pub use monitor::{Monitor, NoMonitor};
pub use output::{AtomicFile, Before, OutputFile, ResumeError, Settings};
pub use output_folder::{OutputFolder, OutputFolderError, ReadWritten, WrittenFiles, file_hash};
pub use owned_folder::OwnedFolder;
pub use perceptual_hash::{NotAHash, PerceptualHash};
pub use photo::{Limits, Note, Photo, PhotoError, PhotoFacts, PhotoFormat, Problem, Rescue};
pub use photo_score::{PHOTOGRAPH_FROM, photo_score};
pub use pixels::PixelBatch;
pub use preprocess::{
    ChannelOrder, Fill, Filter, Fit, Layout, Occluder, PixelBox, Preprocess, PreprocessError,
};
pub use record::{PhotoRecord, PositionSource, TimeSource};
pub use scan::{Found, Scanned, common_root, photos_below, scan};
pub use sheet::{contact_sheet, sample, thumbnail_jpeg};
pub use split::{PartShare, Split, SplitBy, SplitGroups, SplitParts};
pub use statistics::{SIDES, Statistics};
pub use store::{DiskStore, PhotoStore};
pub use time::CaptureTime;
pub use truth::{TruthColumns, TruthRow, read_truth};

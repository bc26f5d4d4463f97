//! Datasets of other layouts, read into manifests: one file a layout, one line here.

mod columns;
mod holidays;
mod msgpack;
mod osv5m;
mod webdataset;
mod yfcc;

use std::path::{Path, PathBuf};

pub(crate) use columns::{ALBUM_NAMES, AUTHOR_NAMES, PHOTO_NAMES};

use crate::{DataError, PhotoRecord};

/// A layout that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFormat {
    /// CSV, TSV or Parquet with columns found by their usual names.
    Table,
    /// `IMG_ID,LAT,LON` (MP-16, Im2GPS, Im2GPS3k, YFCC4k).
    Im2gps,
    /// `id,latitude,longitude,…`, photos in numbered folders of the root or in the root itself.
    Osv5m,
    /// YFCC100M's table: tab-separated, without a header.
    Yfcc100m,
    /// Tar shards with `key.jpg` beside `key.json`.
    WebDataset,
    /// INRIA Holidays: a list of file names whose numbers say which belong together.
    Holidays,
    /// MessagePack shards (`.msg`) of maps with `id` and `image` (MP-16).
    Msgpack,
}

/// What of a dataset is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Least and greatest number of textual tags, for layouts that have them. The paper's
    /// Flickr set has 1 to 5 (section 4).
    pub tags: Option<(usize, usize)>,
    /// Table of positions and authors by the photos' ids, for MessagePack shards without.
    pub positions: Option<PathBuf>,
    /// Folder of the photos; by default the dataset's.
    pub root: Option<PathBuf>,
}

impl ImportOptions {
    /// The folder of the photos: the one given, or that of the dataset.
    pub fn root(&self, dataset: &Path) -> PathBuf {
        let own = if dataset.is_dir() { Some(dataset) } else { dataset.parent() };
        let own = own.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.root.clone().unwrap_or_else(|| own.to_owned())
    }
}

/// A dataset being read: photos one by one, or what is wrong with a row.
pub type Imported = Box<dyn Iterator<Item = Result<PhotoRecord, DataError>>>;

impl ImportFormat {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Table,
        Self::Im2gps,
        Self::Osv5m,
        Self::Yfcc100m,
        Self::WebDataset,
        Self::Holidays,
        Self::Msgpack,
    ];

    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Im2gps => "im2gps",
            Self::Osv5m => "osv5m",
            Self::Yfcc100m => "yfcc100m",
            Self::WebDataset => "webdataset",
            Self::Holidays => "holidays",
            Self::Msgpack => "msgpack",
        }
    }

    /// Reads a dataset. After an error about one row the reading goes on behind it.
    ///
    /// # Errors
    /// A file that is not of this layout.
    pub fn read(self, path: &Path, options: &ImportOptions) -> Result<Imported, DataError> {
        if options.tags.is_some() && self != Self::Yfcc100m {
            let what = "--tags applies only to yfcc100m";
            return Err(DataError::table(path.to_string_lossy(), what));
        }
        if options.positions.is_some() && self != Self::Msgpack {
            let what = "--positions applies only to msgpack";
            return Err(DataError::table(path.to_string_lossy(), what));
        }
        Ok(match self {
            Self::Table => Box::new(columns::read(path, &columns::TABLE)?),
            Self::Im2gps => Box::new(columns::read(path, &columns::IM2GPS)?),
            Self::Osv5m => Box::new(osv5m::read(path, &options.root(path))?),
            Self::Yfcc100m => Box::new(yfcc::read(path, options)?),
            Self::WebDataset => Box::new(webdataset::read(path)?),
            Self::Holidays => Box::new(holidays::read(path)?),
            Self::Msgpack => Box::new(msgpack::read(path, options.positions.as_deref())?),
        })
    }
}

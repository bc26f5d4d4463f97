//! The manifest: the one table that every dataset becomes. CSV, TSV or Parquet, each also
//! compressed; a row a photo; `photo` is the only column that must be there.

mod column;
mod parquet;
mod reader;
mod rows;
mod text;
mod writer;

use std::path::{Path, PathBuf};

pub use column::Column;
pub(crate) use column::Draft;
pub use reader::ManifestReader;
pub(crate) use rows::Rows;
pub use writer::ManifestWriter;

use crate::{DataError, PhotoRecord, table::TableSource};

/// A whole manifest in memory, for what needs all of it at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// The folder that photo ids are relative to.
    pub root: PathBuf,
    /// The photos, in the file's order.
    pub records: Vec<PhotoRecord>,
}

impl Manifest {
    /// Reads a manifest, or the rows of one split of it.
    ///
    /// # Errors
    /// The first row that is wrong, or a file that is.
    pub fn load(source: &TableSource, root: Option<&Path>) -> Result<Self, DataError> {
        let reader = ManifestReader::open(source, root)?;
        let root = reader.root().to_owned();
        Ok(Self { root, records: reader.collect::<Result<_, _>>()? })
    }

    /// Writes it; the format follows the name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DataError> {
        let mut other: Vec<String> = Vec::new();
        for record in &self.records {
            other.extend(
                record
                    .other
                    .keys()
                    .filter(|name| !other.contains(name))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        let mut writer = ManifestWriter::create(path, Some(&self.root), &other)?;
        for record in &self.records {
            writer.write(record)?;
        }
        writer.finish()
    }
}

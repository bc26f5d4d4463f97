use std::path::{Path, PathBuf};

use clap::Args;
use planet_data::{
    DataError, ManifestReader, ManifestWriter, Monitor, PhotoRecord,
    table::{STANDARD_STREAM, TableSource},
};

use crate::{commands::problems::Problems, failure::Failure, progress::Progress};

/// A manifest to read and one to write, shared by the commands that change one.
#[derive(Args, Debug)]
pub struct Change {
    /// Manifest: CSV, TSV or Parquet; FILE:SPLIT selects the rows of one split
    #[arg(value_name = "M")]
    manifest: String,
    /// Manifest to write; the extension selects the format
    #[arg(short, long, value_name = "M")]
    output: PathBuf,
    /// Folder of the photos, if the manifest does not state it
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Stop at the first invalid row, instead of counting it
    #[arg(long)]
    strict: bool,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

impl Change {
    /// Reads the manifest once before [`Change::run`], which must therefore be a file. Wrong rows
    /// are passed over here and reported there.
    pub fn read(
        &self,
        mut see: impl FnMut(&PhotoRecord) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let path = TableSource::parse(&self.manifest).path;
        if path.exists() && !path.is_file() || path.as_os_str() == STANDARD_STREAM {
            let what = format!(
                "{}: this command reads its input twice, so the input cannot be a pipe",
                path.display()
            );
            return Err(Failure::usage(what).hint("write it to a file and name the file"));
        }
        let progress = Progress::new("photos");
        for record in open(&self.manifest, self.root.as_deref())? {
            if progress.cancelled() {
                return Err(Failure::new(DataError::Cancelled));
            }
            progress.advance(1);
            match record {
                Ok(record) => see(&record)?,
                Err(error) if error.is_of_one_item() => {}
                Err(error) => return Err(Failure::new(error)),
            }
        }
        progress.finish();
        Ok(())
    }

    /// Passes every row through `change`, which returns it or `None` to drop it. New columns
    /// beyond the manifest's own are none. Returns how many were read and how many kept.
    pub fn run(
        &self,
        mut change: impl FnMut(PhotoRecord) -> Result<Option<PhotoRecord>, Failure>,
    ) -> Result<(u64, u64), Failure> {
        let reader = open(&self.manifest, self.root.as_deref())?;
        let root = absolute(reader.root());
        let mut writer = ManifestWriter::create(&self.output, Some(&root), &reader.other_columns())
            .map_err(Failure::new)?;
        let mut problems = Problems::new(self.strict, self.problems.as_deref())?;
        let progress = Progress::new("photos");
        let (mut read, mut kept) = (0, 0);
        for record in reader {
            if progress.cancelled() {
                return Err(Failure::new(DataError::Cancelled));
            }
            progress.advance(1);
            read += 1;
            let Some(record) = problems.sift(record)? else { continue };
            if let Some(record) = change(record)? {
                writer.write(&record).map_err(Failure::new)?;
                kept += 1;
            }
        }
        progress.finish();
        problems.report()?;
        writer.finish().map_err(Failure::new)?;
        Ok((read, kept))
    }
}

/// Opens a manifest as the user names it.
pub fn open(manifest: &str, root: Option<&Path>) -> Result<ManifestReader, Failure> {
    ManifestReader::open(&TableSource::parse(manifest), root).map_err(Failure::new)
}

/// A folder by its full path, so that a manifest may stand anywhere.
pub fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

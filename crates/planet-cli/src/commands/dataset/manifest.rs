use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet_data::{
    DataError, DiskStore, ManifestReader, ManifestWriter, Monitor, PhotoRecord,
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
    /// Stop at the first invalid row or photo, instead of counting it
    #[arg(long)]
    strict: bool,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// Photos that are worked on at once; their order is kept.
const BATCH: usize = 1024;

/// What a change has at hand.
pub struct Work<'a> {
    /// The photos.
    pub store: &'a Arc<DiskStore>,
    /// Where photos that cannot be read are counted.
    pub problems: &'a mut Problems,
    /// Where photos that are done are counted, and Ctrl-C is heard.
    pub progress: &'a Progress,
}

/// What became of a manifest.
pub struct Changed {
    /// Rows that were read.
    pub read: u64,
    /// Rows that were written.
    pub kept: u64,
    /// The photos.
    pub store: Arc<DiskStore>,
}

impl Change {
    /// The manifest as the user names it.
    pub fn manifest(&self) -> &str {
        &self.manifest
    }

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

    /// Passes every row through `change`, which returns it or `None` to drop it. Returns how many were
    /// read and how many kept.
    pub fn run(
        &self,
        mut change: impl FnMut(PhotoRecord) -> Result<Option<PhotoRecord>, Failure>,
    ) -> Result<(u64, u64), Failure> {
        let changed = self.open()?.run(Vec::new(), |records, work| {
            work.progress.advance(records.len() as u64);
            records.into_iter().filter_map(|record| change(record).transpose()).collect()
        })?;
        Ok((changed.read, changed.kept))
    }

    /// Opens the manifest.
    pub fn open(&self) -> Result<Opened<'_>, Failure> {
        Ok(Opened { change: self, reader: open(&self.manifest, self.root.as_deref())? })
    }
}

/// A manifest that is about to be changed.
pub struct Opened<'a> {
    change: &'a Change,
    reader: ManifestReader,
}

impl Opened<'_> {
    /// Names of its columns that PlaNet does not know.
    pub fn other_columns(&self) -> Vec<String> {
        self.reader.other_columns()
    }

    /// Passes rows through `change`, many at once, which returns those to be written and advances the
    /// progress. `new` names columns that the manifest does not have yet.
    pub fn run(
        mut self,
        new: Vec<String>,
        mut change: impl FnMut(Vec<PhotoRecord>, &mut Work<'_>) -> Result<Vec<PhotoRecord>, Failure>,
    ) -> Result<Changed, Failure> {
        let root = absolute(self.reader.root());
        let other = [self.other_columns(), new].concat();
        let mut writer = ManifestWriter::create(&self.change.output, Some(&root), &other)
            .map_err(Failure::new)?;
        let mut problems = Problems::new(self.change.strict, self.change.problems.as_deref())?;
        let progress = Progress::new("photos");
        let store = Arc::new(DiskStore::new(&root));
        let (mut read, mut kept) = (0, 0);
        loop {
            let rows: Vec<_> = self.reader.by_ref().take(BATCH).collect();
            if rows.is_empty() {
                break;
            }
            read += rows.len() as u64;
            let mut records = Vec::with_capacity(rows.len());
            for row in rows {
                records.extend(problems.sift(row)?);
            }
            let mut work = Work { store: &store, problems: &mut problems, progress: &progress };
            for record in change(records, &mut work)? {
                writer.write(&record).map_err(Failure::new)?;
                kept += 1;
            }
            if progress.cancelled() {
                return Err(Failure::new(DataError::Cancelled));
            }
        }
        progress.finish();
        problems.report()?;
        writer.finish().map_err(Failure::new)?;
        Ok(Changed { read, kept, store })
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

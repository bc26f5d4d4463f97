//! What was changed, so that it can be taken back.
//!
//! Before a file is changed, a line about it stands in the journal and its old bytes lie beside
//! it, both on disk. Whatever ends the process then, every file is the old one or the new one, and
//! the journal tells which.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use planet_data::AtomicFile;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A change of one file, as a line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The file that was changed, absolute.
    pub file: PathBuf,
    /// The library's folder, which is locked while it is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// The position that it stated.
    pub tags: Pair<Option<Tags>>,
    /// BLAKE3 of its bytes, hexadecimal; `null` where there was no file.
    pub hash: Pair<Option<String>>,
    /// When it was last modified before, in nanoseconds since 1970; `null` where there was no
    /// file, or in journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_ns: Option<u64>,
    /// When, ISO 8601.
    pub time: String,
    /// By which command.
    pub command: String,
}

/// Before and after a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair<T> {
    /// Before.
    pub before: T,
    /// After.
    pub after: T,
}

/// A position as it stands in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lng: f64,
    /// Its error in metres, where it is stated.
    pub accuracy_m: Option<f64>,
    /// How it was found, where that is stated.
    pub method: Option<String>,
}

/// Why a journal cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It or what lies beside it cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// A line that is no change.
    #[error("{}:{line}: not a line of a journal: {what}", path.display())]
    Line {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// A journal that changes are added to.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens a journal, or begins one. A last line that was cut off by a crash is ended, so that
    /// it does not run into the next one.
    ///
    /// # Errors
    /// The file or the folder of old bytes cannot be written.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let kept = kept(path);
        fs::create_dir_all(&kept).map_err(failed(&kept))?;
        let failed = failed(path);
        let mut file =
            OpenOptions::new().create(true).append(true).read(true).open(path).map_err(&failed)?;
        let whole = fs::read(path).map_err(&failed)?;
        if whole.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n").map_err(&failed)?;
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// The journal's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the old bytes of a change, where there was a file; to be called before
    /// [`Journal::begin`], from any thread.
    ///
    /// # Errors
    /// They cannot be written; then nothing may be changed.
    pub fn keep(&self, change: &Change, before: Option<&[u8]>) -> Result<(), JournalError> {
        let (Some(hash), Some(before)) = (&change.hash.before, before) else { return Ok(()) };
        let copy = kept(&self.path).join(hash);
        match copy.exists() {
            true => Ok(()),
            false => AtomicFile::write_all_at(&copy, before).map_err(failed(&copy)),
        }
    }

    /// Writes down a change that is about to be made. The change may be made once the old bytes
    /// are kept ([`Journal::keep`]) and [`Journal::sync`] has returned.
    ///
    /// # Errors
    /// It cannot be written; then nothing may be changed.
    pub fn begin(&mut self, change: &Change) -> Result<(), JournalError> {
        let mut line = serde_json::to_string(change).expect("a change is plain JSON");
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(failed(&self.path))
    }

    /// Brings what was written down to the disk.
    ///
    /// # Errors
    /// The disk fails; then nothing may be changed.
    pub fn sync(&self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(failed(&self.path))
    }

    /// The changes of a journal, in their order. A last line without an end was being written when
    /// the process ended; its change was never made.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no change.
    pub fn read(path: &Path) -> Result<Vec<Change>, JournalError> {
        let mut reader = BufReader::new(File::open(path).map_err(failed(path))?);
        let (mut changes, mut text, mut line) = (Vec::new(), Vec::new(), 0);
        loop {
            text.clear();
            if reader.read_until(b'\n', &mut text).map_err(failed(path))? == 0 {
                return Ok(changes);
            }
            line += 1;
            match serde_json::from_slice(&text) {
                Ok(change) => changes.push(change),
                Err(_) if text.last() != Some(&b'\n') => return Ok(changes),
                // A line that was cut off, and ended when the journal was opened again.
                Err(error) if error.is_eof() => {}
                Err(error) => {
                    let path = path.to_owned();
                    return Err(JournalError::Line { path, line, what: error.to_string() });
                }
            }
        }
    }

    /// The old bytes of a change.
    ///
    /// # Errors
    /// They were forgotten, or cannot be read.
    pub fn old_bytes(path: &Path, hash: &str) -> Result<Vec<u8>, JournalError> {
        let copy = kept(path).join(hash);
        fs::read(&copy).map_err(failed(&copy))
    }

    /// Size of all old bytes that a journal keeps.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn kept_bytes(path: &Path) -> Result<u64, JournalError> {
        let folder = kept(path);
        let all = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            all => all.map_err(failed(&folder))?,
        };
        let size = |entry: io::Result<fs::DirEntry>| Ok(entry?.metadata()?.len());
        all.map(size).sum::<io::Result<u64>>().map_err(failed(&folder))
    }

    /// Removes the old bytes: changes of files that existed can then no longer be undone.
    ///
    /// # Errors
    /// The folder cannot be removed.
    pub fn forget(path: &Path) -> Result<(), JournalError> {
        let folder = kept(path);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&folder)(error)),
            _ => Ok(()),
        }
    }
}

/// The folder of old bytes, by their hash.
fn kept(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".kept");
    PathBuf::from(name)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> JournalError {
    move |source| JournalError::File { path: path.to_owned(), source }
}

/// BLAKE3 of a file's bytes, as the journal states it.
pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

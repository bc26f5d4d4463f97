use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use crate::{
    DataError, LeftOut, Monitor, Note, PhotoError, PhotoFacts, PhotoFormat, PhotoRecord,
    guard::guarded, left_out::Beside,
};

/// Photos that are read between two looks at the monitor.
const BATCH: usize = 512;

/// One photo as a scan found it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// Its row.
    pub record: PhotoRecord,
    /// Values of its headers that were not used.
    pub notes: Vec<Note>,
}

/// What a scan meets.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A photo that was read.
    New(Box<Scanned>),
    /// The id of a photo that was known and is still there.
    Known(String),
}

/// The folder that holds all of these: photo ids are relative to it.
///
/// # Errors
/// A folder that is none.
pub fn common_root(folders: &[PathBuf]) -> Result<PathBuf, DataError> {
    let mut root: Option<PathBuf> = None;
    for folder in folders {
        let folder = folder.canonicalize().map_err(DataError::file(folder))?;
        if !folder.is_dir() {
            return Err(DataError::table(folder.to_string_lossy(), "is not a folder"));
        }
        root = Some(match root {
            None => folder,
            Some(root) => shared(&root, &folder),
        });
    }
    root.ok_or_else(|| DataError::table("scan", "needs a folder"))
}

fn shared(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

/// Paths of the photos below a folder, in order, told by their endings: hidden files and folders
/// are passed over, as [`scan`] does.
///
/// # Errors
/// The folder, or one below it, cannot be read.
pub fn photos_below(folder: &Path) -> Result<Vec<String>, DataError> {
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    let mut photos = Vec::new();
    for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || is_wanted(entry)) {
        let entry = entry.map_err(|error| refused(&error, folder))?;
        if is_photo(&entry) {
            photos.push(entry.path().to_string_lossy().into_owned());
        }
    }
    Ok(photos)
}

/// Reads the headers of every photo below some folders, on all cores, and hands them to `take`
/// in the order of their paths, folder by folder.
///
/// A photo's id is its path below `root`, its album the folder it lies in. Symbolic links are
/// followed, cycles of them are problems; hidden files and folders, and those that other
/// programs keep thumbnails in (`@eaDir`), are passed over. Photos whose id is in `known` are
/// not read again, only named: that is how a scan goes on where it was interrupted. Returns the
/// files that are no photos, by kind.
///
/// # Errors
/// What `take` returns, or [`DataError::Cancelled`]. What is wrong with a photo or a folder is
/// handed to `take`.
pub fn scan(
    folders: &[PathBuf],
    root: &Path,
    known: &HashSet<String>,
    monitor: &dyn Monitor,
    mut take: impl FnMut(Result<Found, DataError>) -> Result<(), DataError>,
) -> Result<LeftOut, DataError> {
    let (mut seen, mut beside) = (HashSet::new(), Beside::default());
    let mut other = HashSet::new();
    let mut batch = Vec::with_capacity(BATCH);
    for folder in folders {
        let folder = folder.canonicalize().map_err(DataError::file(folder))?;
        let walk = WalkDir::new(&folder).follow_links(true).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || is_wanted(entry)) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    take(Err(refused(&error, &folder)))?;
                    continue;
                }
            };
            // Folders that were named twice, or one inside the other, give each photo once.
            if is_photo(&entry) {
                if seen.insert(entry.path().to_owned()) {
                    batch.push(entry.into_path());
                }
            } else if !entry.file_type().is_dir() && other.insert(entry.path().to_owned()) {
                beside.add(entry.path());
            }
            if batch.len() == BATCH {
                read_batch(&mut batch, root, known, monitor, &mut take)?;
            }
        }
    }
    read_batch(&mut batch, root, known, monitor, &mut take)?;
    Ok(beside.count(&seen))
}

fn read_batch(
    batch: &mut Vec<PathBuf>,
    root: &Path,
    known: &HashSet<String>,
    monitor: &dyn Monitor,
    take: &mut impl FnMut(Result<Found, DataError>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    if monitor.cancelled() {
        return Err(DataError::Cancelled);
    }
    let read: Vec<_> = batch.par_iter().map(|path| read(path, root, known)).collect();
    for photo in read {
        take(photo)?;
    }
    monitor.advance(batch.len() as u64);
    batch.clear();
    Ok(())
}

fn read(path: &Path, root: &Path, known: &HashSet<String>) -> Result<Found, DataError> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let Some(parts) = below.iter().map(|part| part.to_str()).collect::<Option<Vec<_>>>() else {
        let what = "the file's name is not UTF-8; rename it";
        return Err(DataError::item(path.to_string_lossy(), what));
    };
    let id = parts.join("/");
    if known.contains(&id) {
        return Ok(Found::Known(id));
    }
    let mut facts = guarded(|| PhotoFacts::read(path))
        .unwrap_or_else(|message| Err(PhotoError::Panicked { message }))
        .map_err(|error| DataError::item(path.to_string_lossy(), error))?;
    let notes = std::mem::take(&mut facts.notes);
    let album = id.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let record = PhotoRecord { album, ..facts.into_record(id) };
    Ok(Found::New(Box::new(Scanned { record, notes })))
}

fn is_wanted(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_encoded_bytes();
    !name.starts_with(b".") && name != b"@eaDir" && !is_layers(entry)
}

/// The masks that `planet world draw --layers` writes beside its photos are none.
fn is_layers(entry: &DirEntry) -> bool {
    entry.file_name() == "layers" && entry.path().join("classes.json").is_file()
}

fn is_photo(entry: &DirEntry) -> bool {
    let ending = entry.path().extension().and_then(|ending| ending.to_str());
    let is_known = |ending: &str| {
        PhotoFormat::EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(ending))
    };
    entry.file_type().is_file() && ending.is_some_and(is_known)
}

fn refused(error: &walkdir::Error, folder: &Path) -> DataError {
    let path = error.path().unwrap_or(folder).to_string_lossy().into_owned();
    match error.loop_ancestor() {
        Some(ancestor) => {
            let what = format!("links back to {}; skipped", ancestor.display());
            DataError::item(path, what)
        }
        None => {
            let what = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
            DataError::item(path, what)
        }
    }
}

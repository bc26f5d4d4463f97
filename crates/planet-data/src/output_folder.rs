use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use thiserror::Error;

/// blake3 of each file that a folder's own description names, hexadecimal, by file name.
/// `None` is the description itself, which cannot hold its own hash.
pub type WrittenFiles = BTreeMap<String, Option<String>>;

/// Reads which files of a folder PlaNet wrote; `None` where the folder is not of this format.
pub type ReadWritten = fn(&Path) -> Option<WrittenFiles>;

/// A folder in the making: written under a temporary name beside its place and put there when
/// whole. A folder that stands there is replaced only where it is of the same format and holds
/// only files that were written with it; no other file is ever removed.
#[derive(Debug)]
#[must_use = "the folder appears only when it is finished"]
pub struct OutputFolder {
    place: PathBuf,
    folder: TempDir,
    read: ReadWritten,
}

/// Why a folder cannot be written or replaced.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputFolderError {
    /// Something stands there that is not of this format.
    #[error("{}: exists and was not written by this command; name another folder", path.display())]
    Foreign {
        /// The place.
        path: PathBuf,
    },
    /// The folder holds files that were not written with it, or were changed since.
    #[error(
        "{}: contains files that were added or changed since it was written: {}; move them or \
         name another folder",
        path.display(),
        names.join(", ")
    )]
    Unknown {
        /// The folder.
        path: PathBuf,
        /// The files, in order.
        names: Vec<String>,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
}

impl OutputFolder {
    /// Begins a folder that will stand at `place`.
    ///
    /// # Errors
    /// Something stands there that may not be replaced, or the folder above cannot be written.
    pub fn create(place: &Path, read: ReadWritten) -> Result<Self, OutputFolderError> {
        // Behind a symbolic link the folder itself is replaced, and the link stays.
        let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        recover(&place)?;
        removable(&place, read)?;
        let above = above(&place);
        let folder = tempfile::Builder::new().prefix(".planet-").suffix(".tmp").tempdir_in(above);
        let folder = folder.map_err(file(above))?;
        Ok(Self { place, folder, read })
    }

    /// Where files are to be written.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts the folder in its place, in one step where the system can exchange two folders. What
    /// was replaced is removed file by file; a file that arrived meanwhile is kept and named.
    ///
    /// # Errors
    /// The place was taken meanwhile, or cannot be written.
    pub fn finish(self) -> Result<(), OutputFolderError> {
        let Self { place, folder, read } = self;
        make_readable(folder.path()).map_err(file(folder.path()))?;
        let written = removable(&place, read)?;
        if written.is_empty() {
            // An empty folder, or nothing: renaming never replaces a folder with files.
            if cfg!(not(unix)) && place.exists() {
                fs::remove_dir(&place).map_err(file(&place))?;
            }
            fs::rename(folder.path(), &place).map_err(file(&place))?;
            // It is no longer there to be removed.
            let _ = folder.keep();
            return Ok(());
        }
        // From here on the temporary name may hold the old folder: it must not vanish by itself.
        let new = folder.keep();
        let old = match exchange(&new, &place) {
            Ok(old) => old,
            Err(source) => {
                // Still our own half-made folder.
                let _ = fs::remove_dir_all(&new);
                return Err(OutputFolderError::File { path: place, source });
            }
        };
        for name in &written {
            let path = old.join(name);
            fs::remove_file(&path).map_err(file(&path))?;
        }
        fs::remove_dir(&old).map_err(file(&old))
    }
}

/// blake3 of a file, hexadecimal.
///
/// # Errors
/// The file cannot be read.
pub fn file_hash(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Names of the files that may be removed to make room at `place`; none where it is free.
fn removable(place: &Path, read: ReadWritten) -> Result<Vec<String>, OutputFolderError> {
    if place.symlink_metadata().is_err() {
        return Ok(Vec::new());
    }
    let foreign = || OutputFolderError::Foreign { path: place.to_owned() };
    if !place.is_dir() {
        return Err(foreign());
    }
    let entries: Vec<fs::DirEntry> =
        fs::read_dir(place).and_then(Iterator::collect).map_err(file(place))?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let written = read(place).ok_or_else(foreign)?;
    let (mut ours, mut names) = (Vec::new(), Vec::new());
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let unchanged = match written.get(&name) {
            None => false,
            Some(None) => is_file,
            Some(Some(hash)) => is_file && file_hash(&entry.path()).is_ok_and(|it| it == *hash),
        };
        if unchanged { ours.push(name) } else { names.push(name) }
    }
    if names.is_empty() {
        return Ok(ours);
    }
    names.sort();
    Err(OutputFolderError::Unknown { path: place.to_owned(), names })
}

/// Exchanges two folders and says where the old one now stands.
fn exchange(new: &Path, place: &Path) -> io::Result<PathBuf> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::{fs::CWD, fs::RenameFlags, fs::renameat_with, io::Errno};
        match renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(new.to_owned()),
            // The file system cannot.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    rename_twice(new, place)
}

/// Where two folders cannot be exchanged: the old one gets a name under which [`recover`] finds
/// it, should the process end between the two renames.
fn rename_twice(new: &Path, place: &Path) -> io::Result<PathBuf> {
    let old = beside(place);
    fs::rename(place, &old)?;
    match fs::rename(new, place) {
        Ok(()) => Ok(old),
        Err(error) => fs::rename(&old, place).and(Err(error)),
    }
}

/// Puts a folder back that an ended process left between two renames.
fn recover(place: &Path) -> Result<(), OutputFolderError> {
    let old = beside(place);
    if place.symlink_metadata().is_err() && old.is_dir() {
        fs::rename(&old, place).map_err(file(&old))?;
    }
    Ok(())
}

/// Where [`rename_twice`] keeps the old folder of a place.
fn beside(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}.planet-old"))
}

fn above(place: &Path) -> &Path {
    match place.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    }
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> OutputFolderError {
    let path = path.to_owned();
    move |source| OutputFolderError::File { path, source }
}

/// A temporary folder is private; what is written is as public as any new folder.
#[cfg(unix)]
fn make_readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `list` names each file and its hash, a line each.
    fn read(folder: &Path) -> Option<WrittenFiles> {
        let text = fs::read_to_string(folder.join("list")).ok()?;
        let mut lines = text.lines();
        (lines.next()? == "test-1").then_some(())?;
        let file = |line: &str| line.split_once(' ').map(|(a, b)| (a.into(), Some(b.into())));
        let mut files: WrittenFiles = lines.map(file).collect::<Option<_>>()?;
        files.insert("list".to_owned(), None);
        Some(files)
    }

    fn write(place: &Path, text: &str) -> Result<(), OutputFolderError> {
        let new = OutputFolder::create(place, read)?;
        fs::write(new.path().join("data"), text).expect("written");
        let hash = file_hash(&new.path().join("data")).expect("read");
        fs::write(new.path().join("list"), format!("test-1\ndata {hash}\n")).expect("written");
        new.finish()
    }

    proptest! {
        #[test]
        fn no_file_that_was_not_written_by_the_command_is_ever_removed(
            ours in any::<bool>(),
            added in prop::collection::btree_map("data|list|notes|model\\.json", "[a-z]{0,9}", 0..4),
        ) {
            let above = tempfile::tempdir().expect("a folder");
            let place = above.path().join("out");
            if ours {
                write(&place, "old").expect("written");
            } else {
                fs::create_dir(&place).expect("a folder");
            }
            // Files of these names are its own there.
            let added: BTreeMap<&String, &String> = added
                .iter()
                .filter(|(name, _)| !ours || !matches!(name.as_str(), "data" | "list"))
                .collect();
            for (name, text) in &added {
                fs::write(place.join(name), text).expect("written");
            }
            let written = write(&place, "new");
            prop_assert_eq!(written.is_ok(), added.is_empty());
            for (name, text) in &added {
                prop_assert_eq!(&fs::read_to_string(place.join(name)).expect("kept"), *text);
            }
            // Nothing is left beside it either.
            prop_assert_eq!(fs::read_dir(above.path()).expect("listed").count(), 1);
        }
    }

    #[test]
    fn added_and_changed_files_are_named_and_the_old_folder_stays() {
        let above = tempfile::tempdir().expect("a folder");
        let place = above.path().join("out");
        write(&place, "old").expect("written");
        write(&place, "old").expect("replaced");
        fs::write(place.join("notes"), "mine").expect("written");
        fs::write(place.join("data"), "changed").expect("written");
        let error = write(&place, "new").expect_err("refused").to_string();
        assert!(error.contains("data, notes"), "{error}");
        assert_eq!(fs::read_to_string(place.join("data")).expect("kept"), "changed");
    }

    #[test]
    fn a_folder_left_between_two_renames_is_put_back() {
        let above = tempfile::tempdir().expect("a folder");
        let place = above.path().join("out");
        write(&place, "old").expect("written");
        fs::rename(&place, beside(&place)).expect("killed here");
        drop(OutputFolder::create(&place, read).expect("begun"));
        assert_eq!(fs::read_to_string(place.join("data")).expect("back"), "old");
    }
}

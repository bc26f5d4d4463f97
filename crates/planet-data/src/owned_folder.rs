use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{AtomicFile, OutputFolderError};

/// Names the files of a folder that PlaNet wrote, so that no other file is ever replaced.
const RECORD_FILE: &str = ".planet-folder.json";
/// The `format` of that file.
const FORMAT: &str = "planet-folder-1";

/// A folder that a command writes file by file: a report, a run. It may be new, empty, or one
/// that was written as the same kind before; then only the files that were written are replaced,
/// and files that the user added stay as they are. [`crate::OutputFolder`] is for folders that
/// are replaced whole.
///
/// The folder's own record of what was written stands in `.planet-folder.json`.
#[derive(Debug)]
pub struct OwnedFolder {
    path: PathBuf,
    record: Record,
}

/// What stands in the record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// [`FORMAT`].
    format: String,
    /// What the folder is: `report`, `run` …
    kind: String,
    /// Names of the files and folders in it that are ours.
    files: BTreeSet<String>,
}

impl OwnedFolder {
    /// Makes the folder where there is none, and records that these names in it (files or
    /// folders, without a path) are written by the command. Names of earlier claims of the same
    /// kind stay claimed.
    ///
    /// # Errors
    /// As [`OwnedFolder::check`]; the folder cannot be written.
    pub fn claim(path: &Path, kind: &str, names: &[&str]) -> Result<Self, OutputFolderError> {
        let mut record = claimable(path, kind, names)?;
        fs::create_dir_all(path).map_err(file(path))?;
        let known = record.files.len();
        record.files.extend(names.iter().map(|name| (*name).to_owned()));
        let at = path.join(RECORD_FILE);
        if record.files.len() > known || !at.exists() {
            let text = serde_json::to_vec_pretty(&record).expect("texts become JSON");
            // Before the first file, so that a command that was killed knows its own files.
            AtomicFile::write_all_at(&at, &text).map_err(file(&at))?;
        }
        Ok(Self { path: path.to_owned(), record })
    }

    /// Whether [`OwnedFolder::claim`] would succeed; nothing is written.
    ///
    /// # Errors
    /// The folder holds files and was not written as this kind, or one of these names in it was
    /// not written by the command. The error names the file.
    pub fn check(path: &Path, kind: &str, names: &[&str]) -> Result<(), OutputFolderError> {
        claimable(path, kind, names).map(|_| ())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of a claimed name, in place of the one that was written before.
    ///
    /// # Errors
    /// The file cannot be written, or a link stands in its place.
    ///
    /// # Panics
    /// The name was not claimed.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), OutputFolderError> {
        assert!(self.record.files.contains(name), "{name} was not claimed");
        let path = self.path.join(name);
        if path.is_symlink() {
            return Err(OutputFolderError::Foreign { path });
        }
        AtomicFile::write_all_at(&path, bytes).map_err(file(&path))
    }
}

/// The folder's record, or a new one where the folder is free.
fn claimable(path: &Path, kind: &str, names: &[&str]) -> Result<Record, OutputFolderError> {
    let record = match fs::read(path.join(RECORD_FILE)) {
        Ok(text) => serde_json::from_slice::<Record>(&text).ok(),
        Err(_) => None,
    };
    let record = record.filter(|it| it.format == FORMAT && it.kind == kind);
    let is_foreign = |name: &&&str| match path.join(name).symlink_metadata() {
        // Whatever a link leads to was not written by us.
        Ok(entry) => {
            entry.is_symlink() || record.as_ref().is_none_or(|it| !it.files.contains(**name))
        }
        Err(_) => false,
    };
    if let Some(name) = names.iter().find(is_foreign) {
        return Err(OutputFolderError::Foreign { path: path.join(name) });
    }
    match record {
        Some(record) => Ok(record),
        None if is_free(path)? => {
            let (format, kind) = (FORMAT.to_owned(), kind.to_owned());
            Ok(Record { format, kind, files: BTreeSet::new() })
        }
        None => Err(OutputFolderError::Foreign { path: path.to_owned() }),
    }
}

/// Whether there is nothing at the place, or an empty folder. What a killed process left under a
/// temporary name of ours does not count.
fn is_free(path: &Path) -> Result<bool, OutputFolderError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(!path.is_symlink()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(false),
        Err(error) => return Err(file(path)(error)),
    };
    for entry in entries {
        let name = entry.map_err(file(path))?.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with(".planet-") && name.ends_with(".tmp")) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> OutputFolderError {
    let path = path.to_owned();
    move |source| OutputFolderError::File { path, source }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 2] = ["index.html", "tables.md"];

    fn write(folder: &Path, text: &str) -> Result<(), OutputFolderError> {
        let folder = OwnedFolder::claim(folder, "report", &NAMES)?;
        NAMES.into_iter().try_for_each(|name| folder.write(name, text.as_bytes()))
    }

    proptest! {
        #[test]
        fn files_that_were_not_written_here_are_never_changed(
            ours in any::<bool>(),
            added in prop::collection::btree_map(
                "index\\.html|tables\\.md|\\.planet-folder\\.json|notes|a\\.csv", "[a-z]{0,9}", 0..4,
            ),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let own = |name: &str| NAMES.contains(&name) || name == RECORD_FILE;
            if ours {
                write(folder.path(), "old").expect("written");
            }
            let added: BTreeMap<&String, &String> =
                added.iter().filter(|(name, _)| !(ours && own(name))).collect();
            for (name, text) in &added {
                fs::write(folder.path().join(name), text).expect("written");
            }
            let written = write(folder.path(), "new");
            // Beside our own files any others may lie.
            prop_assert_eq!(written.is_ok(), ours || added.is_empty());
            for (name, text) in &added {
                let found = fs::read_to_string(folder.path().join(name)).expect("kept");
                prop_assert_eq!(&found, *text);
            }
        }
    }

    #[test]
    fn the_foreign_file_is_named_and_another_kind_of_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("index.html"), "mine").expect("written");
        let error = write(folder.path(), "new").expect_err("refused").to_string();
        assert!(error.contains("index.html") && error.contains("name another folder"), "{error}");
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "old").expect("written");
        assert!(OwnedFolder::claim(folder.path(), "run", &["config.toml"]).is_err());
        // A name that was not written before may be taken meanwhile.
        fs::write(folder.path().join("more.csv"), "mine").expect("written");
        assert!(OwnedFolder::check(folder.path(), "report", &["more.csv"]).is_err());
        let file = folder.path().join("index.html");
        assert!(OwnedFolder::check(&file, "report", &[]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_a_file_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = folder.path().join("report");
        write(&report, "old").expect("written");
        let mine = folder.path().join("mine");
        fs::write(&mine, "mine").expect("written");
        fs::remove_file(report.join("index.html")).expect("removed");
        std::os::unix::fs::symlink(&mine, report.join("index.html")).expect("linked");
        write(&report, "new").expect_err("refused");
        assert_eq!(fs::read_to_string(&mine).expect("kept"), "mine");
    }

    #[test]
    fn a_command_that_was_killed_finds_its_folder_free() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(".planet-a1.tmp"), "half").expect("written");
        write(folder.path(), "new").expect("written");
    }
}

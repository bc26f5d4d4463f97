use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// What an output is made with, by name: whatever must be the same when it is resumed.
pub type Settings = BTreeMap<String, String>;

/// Why an output cannot be begun or resumed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// Part of this output stands there already.
    #[error("{}: contains the output of an interrupted run", part.display())]
    Interrupted {
        /// The part.
        part: PathBuf,
    },
    /// The output is whole already: there is nothing to resume.
    #[error("{}: is complete", path.display())]
    Complete {
        /// The output.
        path: PathBuf,
    },
    /// The interrupted run had other settings.
    #[error("{}: was written with {name} {then}, not {now}", part.display())]
    OtherSettings {
        /// The part.
        part: PathBuf,
        /// The setting.
        name: String,
        /// What it was; `nothing` where it was not set.
        then: String,
        /// What it is; `nothing` where it is not set.
        now: String,
    },
    /// Nothing says with which settings the part was written.
    #[error("{}: its settings cannot be read from {}: {what}", part.display(), settings.display())]
    NoSettings {
        /// The part.
        part: PathBuf,
        /// Where its settings should stand.
        settings: PathBuf,
        /// Why they cannot be read.
        what: String,
    },
}

impl ResumeError {
    /// For `map_err` on what the system answers about a file.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}

/// Where an output stands until it is whole: `PATH.part`.
pub(super) fn part_of(path: &Path) -> PathBuf {
    with(path, ".part")
}

/// Where the settings of a part stand: `PATH.part.json`.
pub(super) fn settings_of(path: &Path) -> PathBuf {
    with(path, ".part.json")
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Checks that the part of an output was written with these settings.
pub(super) fn check(path: &Path, now: &Settings) -> Result<(), ResumeError> {
    let (part, file) = (part_of(path), settings_of(path));
    let unknown =
        |what: String| ResumeError::NoSettings { part: part.clone(), settings: file.clone(), what };
    let text = fs::read(&file).map_err(|error| unknown(error.to_string()))?;
    let then: Settings =
        serde_json::from_slice(&text).map_err(|error| unknown(error.to_string()))?;
    let value = |of: &Settings, name: &str| of.get(name).cloned().unwrap_or("nothing".into());
    let mut names = then.keys().chain(now.keys());
    match names.find(|name| then.get(*name) != now.get(*name)) {
        None => Ok(()),
        Some(name) => {
            let (then, now) = (value(&then, name), value(now, name));
            Err(ResumeError::OtherSettings { part, name: name.clone(), then, now })
        }
    }
}

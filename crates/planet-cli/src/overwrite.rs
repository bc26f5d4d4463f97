//! One rule for every file that a command writes: one that exists is replaced only with
//! `--overwrite`. Folders are guarded by what stands in them, in the libraries.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::{ArgMatches, Command};

use crate::failure::Failure;

/// Options that name a file to write.
const OUTPUTS: [&str; 5] = ["output", "map", "page", "problems", "review"];

/// What the help calls the value of an option that names a folder, which the libraries guard.
const FOLDERS: [&str; 5] = ["DIR", "FOLDER", "MODEL", "REPORT", "RUN"];

/// Whether files may be replaced.
static ALLOWED: AtomicBool = AtomicBool::new(false);

/// Refuses a command that would replace a file. It is asked before anything is read, so that no
/// work is lost.
pub fn check(command: &Command, matches: &ArgMatches) -> Result<(), Failure> {
    if let Some((name, below)) = matches.subcommand() {
        return command.find_subcommand(name).map_or(Ok(()), |command| check(command, below));
    }
    // What is resumed is there already, and checks by itself what it may replace.
    let resumed = matches.try_get_one::<bool>("resume").ok().flatten() == Some(&true);
    ALLOWED.store(resumed || matches.get_flag("overwrite"), Ordering::Relaxed);
    let is_folder = |name: &str| {
        let argument = command.get_arguments().find(|it| it.get_id() == name);
        let value = argument.and_then(|it| it.get_value_names()?.first());
        value.is_some_and(|value| FOLDERS.contains(&value.as_str()))
    };
    let named = |name: &str| matches.try_get_one::<PathBuf>(name).ok().flatten();
    let files = OUTPUTS.into_iter().filter(|name| !is_folder(name)).filter_map(named);
    files.into_iter().try_for_each(|path| file(path))
}

/// Refuses a file that exists and may not be replaced, for names that no option states in full.
pub fn file(path: &Path) -> Result<(), Failure> {
    // Devices and pipes are written, not replaced.
    if ALLOWED.load(Ordering::Relaxed) || !path.is_file() {
        return Ok(());
    }
    Err(Failure::new(format!("{}: the file already exists", path.display()))
        .hint("replace it with --overwrite, or name another file"))
}

//! One rule for every file that a command writes: one that exists is replaced only with
//! `--overwrite`. Folders are guarded by what stands in them, in the libraries.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::ArgMatches;

use crate::failure::Failure;

/// Options that name a file to write.
const OUTPUTS: [&str; 3] = ["output", "map", "problems"];

/// Whether files may be replaced.
static ALLOWED: AtomicBool = AtomicBool::new(false);

/// Refuses a command that would replace a file. It is asked before anything is read, so that no
/// work is lost.
pub fn check(matches: &ArgMatches) -> Result<(), Failure> {
    let mut command = matches;
    while let Some((_, below)) = command.subcommand() {
        command = below;
    }
    // What is resumed is there already, and checks by itself what it may replace.
    let resumed = command.try_get_one::<bool>("resume").ok().flatten() == Some(&true);
    ALLOWED.store(resumed || command.get_flag("overwrite"), Ordering::Relaxed);
    let named = |name: &&str| command.try_get_one::<PathBuf>(name).ok().flatten();
    OUTPUTS.iter().filter_map(named).try_for_each(|path| file(path))
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

//! One rule for every file that a command writes: one that exists is replaced only with
//! `--overwrite`. Folders are guarded by what stands in them, in the libraries.

use std::path::PathBuf;

use clap::ArgMatches;

use crate::failure::Failure;

/// Options that name a file to write.
const OUTPUTS: [&str; 3] = ["output", "map", "problems"];

/// Refuses a command that would replace a file. It is asked before anything is read, so that no
/// work is lost.
pub fn check(matches: &ArgMatches) -> Result<(), Failure> {
    let mut command = matches;
    while let Some((_, below)) = command.subcommand() {
        command = below;
    }
    // What is resumed is there already, and checks by itself what it may replace.
    let resumed = command.try_get_one::<bool>("resume").ok().flatten() == Some(&true);
    if command.get_flag("overwrite") || resumed {
        return Ok(());
    }
    let named = |name: &&str| command.try_get_one::<PathBuf>(name).ok().flatten();
    // Devices and pipes are written, not replaced.
    match OUTPUTS.iter().filter_map(named).find(|path| path.is_file()) {
        Some(path) => Err(Failure::new(format!("{}: exists already", path.display()))
            .hint("--overwrite replaces it; or name another file")),
        None => Ok(()),
    }
}

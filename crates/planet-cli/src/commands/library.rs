//! `planet library`: a user's own photos: located from known positions, times and, if given, a model;
//! positions written into sidecars and taken back.

mod locate;
mod page;
mod undo;
mod write;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::album::{clocks, validate};
use crate::failure::Failure;

/// `planet library …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Locate the photos of a library from times, known positions and, optionally, a model
    Locate(Box<locate::Arguments>),
    /// Estimate by how much the clocks of cameras are wrong; no file is changed
    Clocks(Box<clocks::Arguments>),
    /// Mask known positions, locate their photos, and report the accuracy
    Validate(Box<validate::Arguments>),
    /// Write estimated positions into XMP sidecars; without --apply, show what would be written
    Write(Box<write::Arguments>),
    /// Take the changes of planet library write back
    Undo(undo::UndoArguments),
    /// List the photos whose position is an estimate
    Status(undo::StatusArguments),
    /// Remove the earlier sidecars that a journal keeps for undo
    Forget(undo::ForgetArguments),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Locate(arguments) => locate::run(arguments),
        Command::Clocks(arguments) => clocks::run(arguments),
        Command::Validate(arguments) => validate::run(arguments),
        Command::Write(arguments) => write::run(arguments),
        Command::Undo(arguments) => undo::run_undo(arguments),
        Command::Status(arguments) => undo::run_status(arguments),
        Command::Forget(arguments) => undo::run_forget(arguments),
    }
}

/// A file that must not lie in the library; `options` name another place.
pub fn outside(file: PathBuf, library: &Path, options: &str) -> Result<PathBuf, Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(Failure::file(folder))?;
    if folder.starts_with(library) {
        let what = format!("{} would lie in the library", file.display());
        return Err(Failure::usage(what).hint(format!("name another place with {options}")));
    }
    Ok(file)
}

//! `planet library undo`, `forget` and `status`: what was written, and how it is taken back.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_data::{Monitor, PhotoFacts, PositionSource, photos_below};
use planet_library::writing::{Journal, LibraryLock, Undone, undo};

use crate::{failure::Failure, progress::Progress};

/// `planet library undo JOURNAL`
#[derive(Args, Debug)]
pub struct UndoArguments {
    /// Journal of planet library write
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
}

/// `planet library forget JOURNAL`
#[derive(Args, Debug)]
pub struct ForgetArguments {
    /// Journal of planet library write
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
}

/// `planet library status DIR`
#[derive(Args, Debug)]
pub struct StatusArguments {
    /// Folder of the library
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn run_undo(arguments: &UndoArguments) -> Result<(), Failure> {
    let changes = Journal::read(&arguments.journal).map_err(Failure::new)?;
    let root = changes.iter().find_map(|change| change.root.as_deref());
    let _lock = root.map(LibraryLock::take).transpose().map_err(Failure::new)?;
    let progress = Progress::new("changes");
    let (mut restored, mut as_before, mut others, mut failed) = (0u64, 0u64, Vec::new(), 0u64);
    let ended = undo(&arguments.journal, &progress, |change, result| match result {
        Ok(Undone::Restored) => restored += 1,
        Ok(Undone::AsBefore) => as_before += 1,
        Ok(Undone::ChangedSince) => others.push(change.file.clone()),
        Err(error) => {
            failed += 1;
            progress.say(&error.to_string());
        }
    });
    progress.finish();
    let mut out = io::stdout().lock();
    writeln!(out, "restored        {restored:>8}")?;
    writeln!(out, "as before       {as_before:>8}")?;
    writeln!(out, "changed since   {:>8}", others.len())?;
    for file in &others {
        writeln!(out, "  {}", file.display())?;
    }
    ended.map_err(|error| Failure::new(error).hint("run the same command again to continue"))?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} files could not be restored"))),
    }
}

pub fn run_forget(arguments: &ForgetArguments) -> Result<(), Failure> {
    // A name that is none must not be taken for a journal that keeps nothing.
    Journal::read(&arguments.journal).map_err(Failure::new)?;
    let bytes = Journal::kept_bytes(&arguments.journal).map_err(Failure::new)?;
    Journal::forget(&arguments.journal).map_err(Failure::new)?;
    anstream::eprintln!(
        "{bytes} bytes of earlier sidecars removed; changes of sidecars that existed before can no \
         longer be undone"
    );
    Ok(())
}

pub fn run_status(arguments: &StatusArguments) -> Result<(), Failure> {
    let photos = photos_below(&arguments.folder).map_err(Failure::new)?;
    let progress = Progress::new("photos");
    progress.expect(photos.len() as u64);
    let mut out = io::stdout().lock();
    let (mut known, mut unknown, mut unreadable) = (0u64, 0u64, 0u64);
    let mut levels: BTreeMap<String, u64> = BTreeMap::new();
    for photo in &photos {
        if progress.cancelled() {
            return Err(Failure::new("interrupted"));
        }
        progress.advance(1);
        match PhotoFacts::read(photo.as_ref()) {
            Err(_) => unreadable += 1,
            Ok(facts) => match (facts.position, facts.position_source) {
                (None, _) => unknown += 1,
                (Some(position), Some(PositionSource::Estimate)) => {
                    let method = facts.processing_method.unwrap_or_default();
                    writeln!(
                        out,
                        "{photo}\t{:.6}\t{:.6}\t{}\t{method}",
                        position.lat(),
                        position.lng(),
                        facts.accuracy_m.map_or_else(String::new, |metres| format!("{metres:.0}")),
                    )?;
                    let kind = method.split(':').next().unwrap_or_default();
                    let kind = kind.split(',').next().unwrap_or_default().trim_end_matches(')');
                    *levels.entry(kind.to_owned()).or_default() += 1;
                }
                (Some(_), _) => known += 1,
            },
        }
    }
    progress.finish();
    drop(out);
    anstream::eprintln!("{known} photos with a known position, {unknown} without");
    for (kind, photos) in levels {
        let kind = if kind.is_empty() { "estimate of an unnamed method" } else { &kind };
        anstream::eprintln!("{photos} photos: {kind}{}", if kind.contains('(') { ")" } else { "" });
    }
    if unreadable > 0 {
        anstream::eprintln!("{unreadable} files cannot be read; planet dataset scan lists them");
    }
    Ok(())
}

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use planet_data::{AtomicFile, Monitor};

use super::{
    Change, Journal, JournalError, WriteError, journal::hash, sidecar_writer::remove_unfinished,
};

/// What became of one change of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The file is as it was before.
    Restored,
    /// It was so already: the change had not been made, or was taken back.
    AsBefore,
    /// The file was changed since by another program; it is left alone.
    ChangedSince,
}

/// Takes all changes of a journal back, the last one first; `on_file` hears what became of each.
/// It may be called again: what is as before stays so. The library should be locked
/// ([`super::LibraryLock`]).
///
/// # Errors
/// The journal cannot be read, or the monitor ended it. What is wrong with one file is its result.
pub fn undo(
    journal: &Path,
    monitor: &dyn Monitor,
    mut on_file: impl FnMut(&Change, Result<Undone, WriteError>),
) -> Result<(), WriteError> {
    let changes = Journal::read(journal)?;
    monitor.expect(changes.len() as u64);
    remove_unfinished(changes.iter().map(|change| change.file.as_path()));
    for change in changes.iter().rev() {
        if monitor.cancelled() {
            return Err(WriteError::Cancelled);
        }
        on_file(change, take_back(journal, change));
        monitor.advance(1);
    }
    Ok(())
}

fn take_back(journal: &Path, change: &Change) -> Result<Undone, WriteError> {
    let failed = |source| WriteError::File { path: change.file.clone(), source };
    let now = match fs::read(&change.file) {
        Ok(bytes) => Some(hash(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if now == change.hash.before {
        return Ok(Undone::AsBefore);
    }
    if now != change.hash.after {
        return Ok(Undone::ChangedSince);
    }
    match &change.hash.before {
        None => fs::remove_file(&change.file).map_err(failed)?,
        Some(stated) => {
            let old = Journal::old_bytes(journal, stated)?;
            if hash(&old) != *stated {
                let source = io::Error::other("the kept copy is damaged");
                return Err(JournalError::File { path: journal.to_owned(), source }.into());
            }
            let permissions = fs::metadata(&change.file).map_err(failed)?.permissions();
            AtomicFile::write_all_at(&change.file, &old).map_err(failed)?;
            fs::set_permissions(&change.file, permissions).map_err(failed)?;
            if let Some(since_1970) = change.modified_ns.map(Duration::from_nanos) {
                let file = fs::File::options().append(true).open(&change.file).map_err(failed)?;
                file.set_modified(SystemTime::UNIX_EPOCH + since_1970).map_err(failed)?;
            }
        }
    }
    Ok(Undone::Restored)
}

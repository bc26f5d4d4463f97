use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Held by the one process that may write to a library. The system takes it back when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct LibraryLock {
    _file: File,
}

/// Why a library cannot be locked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process writes to it.
    #[error("process {process} is writing to this library; wait until it ends")]
    Held {
        /// The other process's number, as it said itself.
        process: String,
    },
    /// The lock cannot be made.
    #[error("{}: {source}", path.display())]
    File {
        /// The lock's file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
}

impl LibraryLock {
    /// Locks the library in a folder; the lock lies in the system's folder of temporary files.
    ///
    /// # Errors
    /// Another process holds it, or the file cannot be written.
    pub fn take(root: &Path) -> Result<Self, LockError> {
        let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
        let path = std::env::temp_dir().join(format!("planet-library-{}.lock", &name[..16]));
        let failed = |source| LockError::File { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let process = std::process::id().to_string();
                file.set_len(0).map_err(failed)?;
                file.write_all(process.as_bytes()).map_err(failed)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                let read = file.rewind().and_then(|()| file.read_to_string(&mut process));
                if read.is_err() || process.is_empty() {
                    process = "another".to_owned();
                }
                Err(LockError::Held { process })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_written_to_by_one_process_that_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = LibraryLock::take(folder.path()).expect("free");
        let error = LibraryLock::take(folder.path()).expect_err("held").to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(held);
        LibraryLock::take(folder.path()).expect("free again");
    }
}

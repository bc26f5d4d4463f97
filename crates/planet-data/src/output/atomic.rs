use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::TempPath;

use super::resume::{part_of, settings_of};

/// A file in the making: written under a temporary name beside its place and renamed when
/// whole, so that a crash, a full disk or Ctrl-C never leaves half a file or harms the old one.
///
/// A symbolic link keeps pointing where it does: the file behind it is replaced. Devices and
/// pipes (`/dev/null`, `/dev/stdout`) cannot be replaced and are written directly.
#[derive(Debug)]
#[must_use = "the file appears only when it is finished"]
pub struct AtomicFile {
    path: PathBuf,
    file: BufWriter<File>,
    place: Place,
}

/// Where the bytes are until the file is whole.
#[derive(Debug)]
enum Place {
    /// Under a name that vanishes with the process's interest in it.
    Temporary(TempPath),
    /// Under the name with `.part` behind it, which stays: the output can be resumed.
    Part(PathBuf),
    /// In a device or a pipe.
    Direct,
}

impl AtomicFile {
    /// Begins a file that will stand at `path`.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written, or `path` is a folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        let path = destination(path)?;
        if is_special(&path) {
            let file = OpenOptions::new().write(true).open(&path)?;
            return Ok(Self::new(path, file, Place::Direct));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".planet-").suffix(".tmp");
        // A temporary file is private by default; what we write is as public as any new file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let (file, temporary) = builder.tempfile_in(folder)?.into_parts();
        Ok(Self::new(path, file, Place::Temporary(temporary)))
    }

    /// Begins a file whose bytes stay in `PATH.part` where it is never finished.
    pub(super) fn create_part(path: &Path) -> io::Result<Self> {
        let path = destination(path)?;
        if is_special(&path) {
            return Self::create(&path);
        }
        let part = part_of(&path);
        let file = OpenOptions::new().write(true).create_new(true).open(&part)?;
        Ok(Self::new(path, file, Place::Part(part)))
    }

    fn new(path: PathBuf, file: File, place: Place) -> Self {
        Self { path, file: BufWriter::with_capacity(1 << 16, file), place }
    }

    /// The whole of a small file at once.
    ///
    /// # Errors
    /// As [`AtomicFile::create`] and [`AtomicFile::finish`].
    pub fn write_all_at(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = Self::create(path)?;
        file.write_all(bytes)?;
        file.finish()
    }

    /// What is written so far takes the place of `PATH.part` and stays there from now on.
    pub(super) fn become_part(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let part = part_of(&self.path);
        match std::mem::replace(&mut self.place, Place::Part(part.clone())) {
            Place::Temporary(temporary) => temporary.persist(&part).map_err(|error| error.error),
            place => {
                self.place = place;
                Ok(())
            }
        }
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// What is still buffered cannot be written (a full disk), or the place cannot be taken.
    pub fn finish(self) -> io::Result<()> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        match self.place {
            Place::Direct => return Ok(()),
            Place::Temporary(temporary) => {
                file.sync_data()?;
                temporary.persist(&self.path)?;
            }
            Place::Part(part) => {
                file.sync_data()?;
                fs::rename(&part, &self.path)?;
                match fs::remove_file(settings_of(&self.path)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The file itself, for writers that need to seek; whatever was written so far is flushed.
    ///
    /// # Errors
    /// What is buffered cannot be written.
    pub fn as_file(&mut self) -> io::Result<&File> {
        self.file.flush()?;
        Ok(self.file.get_ref())
    }
}

/// The file behind a symbolic link; a path that is no link stays as it is.
pub(super) fn destination(path: &Path) -> io::Result<PathBuf> {
    if path.is_dir() {
        let what = "is a folder; name a file";
        return Err(io::Error::new(io::ErrorKind::IsADirectory, what));
    }
    let is_link = fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    // What leads to a pipe (/dev/stdout) cannot be resolved, and need not.
    Ok(if is_link {
        fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.into()
    })
}

/// Whether a path is that of a device or a pipe.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_finished_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cells.csv");
        AtomicFile::write_all_at(&path, b"old").expect("written");
        let mut half = AtomicFile::create(&path).expect("begun");
        half.write_all(b"new").expect("buffered");
        drop(half);
        assert_eq!(fs::read(&path).expect("read"), b"old");
        assert_eq!(fs::read_dir(&folder).expect("listed").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_its_target_and_a_device_is_not_replaced() {
        use std::os::unix::fs::{FileTypeExt, symlink};

        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("a.csv"), folder.path().join("link.csv"));
        fs::write(&file, "old").expect("written");
        symlink(&file, &link).expect("linked");
        AtomicFile::write_all_at(&link, b"new").expect("written");
        assert_eq!(fs::read(&file).expect("read"), b"new");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        AtomicFile::write_all_at(Path::new("/dev/null"), b"gone").expect("written");
        let about = fs::metadata("/dev/null").expect("there");
        assert!(about.file_type().is_char_device());
    }

    #[test]
    fn a_folder_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = AtomicFile::create(folder.path()).expect_err("a folder");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert!(error.to_string().contains("name a file"), "{error}");
    }
}

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::WorldError;

/// Fills a folder under a temporary name beside its place, and puts it there when it is whole.
///
/// # Errors
/// The folder holds something already or cannot be written, or `fill` fails.
pub(crate) fn in_new_folder<T>(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<T, WorldError>,
) -> Result<T, WorldError> {
    let at = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source| WorldError::File { path, source }
    };
    let is_taken = folder.is_file() || folder.read_dir().is_ok_and(|mut all| all.next().is_some());
    if is_taken {
        let why = "holds something already: name a new folder";
        return Err(at(folder)(io::Error::new(io::ErrorKind::AlreadyExists, why)));
    }
    let beside = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(beside).map_err(at(beside))?;
    let unfinished =
        tempfile::Builder::new().prefix(".planet-world-").tempdir_in(beside).map_err(at(beside))?;
    let made = fill(unfinished.path())?;
    if folder.exists() {
        fs::remove_dir(folder).map_err(at(folder))?;
    }
    let whole = unfinished.keep();
    make_public(&whole).map_err(at(&whole))?;
    fs::rename(&whole, folder).map_err(at(folder))?;
    Ok(made)
}

/// A temporary folder is private; what is made is as public as any new folder.
#[cfg(unix)]
fn make_public(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_public(_folder: &Path) -> io::Result<()> {
    Ok(())
}

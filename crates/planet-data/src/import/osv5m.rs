use std::{collections::HashMap, fs, path::Path};

use super::columns;
use crate::{DataError, PhotoRecord};

/// Which numbered folder (`00`, `01`, …) holds the photo of which number.
struct Folders {
    names: Vec<String>,
    of: HashMap<u64, u16>,
}

/// The table, with each photo's path below `root`. Its archives hold numbered folders of photos; where there
/// are none, the photos lie in `root` itself.
pub(super) fn read(
    path: &Path,
    root: &Path,
) -> Result<impl Iterator<Item = Result<PhotoRecord, DataError>> + use<>, DataError> {
    let folders = Folders::below(root)?;
    let root = root.to_string_lossy().into_owned();
    let rows = columns::read(path, &columns::OSV5M)?;
    Ok(rows.map(move |row| {
        let mut record = row?;
        let Some(folders) = &folders else { return Ok(record) };
        let folder = number(&record.photo).and_then(|number| folders.of.get(&number));
        let Some(folder) = folder else {
            let what = format!("is in no numbered folder of {root}; unpack every archive there");
            return Err(DataError::item(record.photo, what));
        };
        record.photo = format!("{}/{}", folders.names[usize::from(*folder)], record.photo);
        Ok(record)
    }))
}

impl Folders {
    /// `None` where there is no numbered folder.
    fn below(root: &Path) -> Result<Option<Self>, DataError> {
        let is_number = |name: &str| !name.is_empty() && name.bytes().all(|c| c.is_ascii_digit());
        let mut names = Vec::new();
        for entry in fs::read_dir(root).map_err(DataError::file(root))? {
            let entry = entry.map_err(DataError::file(root))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_number(&name) && entry.path().is_dir() {
                names.push(name);
            }
        }
        if names.is_empty() {
            return Ok(None);
        }
        names.sort();
        let mut of = HashMap::new();
        for (at, name) in (0..=u16::MAX).zip(&names) {
            let folder = root.join(name);
            for entry in fs::read_dir(&folder).map_err(DataError::file(&folder))? {
                let entry = entry.map_err(DataError::file(&folder))?;
                of.extend(number(&entry.file_name().to_string_lossy()).map(|number| (number, at)));
            }
        }
        Ok(Some(Self { names, of }))
    }
}

/// The number of `NUMBER.jpg`.
fn number(photo: &str) -> Option<u64> {
    photo.strip_suffix(".jpg")?.parse().ok()
}

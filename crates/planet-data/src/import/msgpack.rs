use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use planet_geo::LatLng;

use super::{
    columns::{self, with_sources},
    webdataset::{record, shards},
};
use crate::{DataError, PhotoRecord, msgpack::PackedPhotos};

/// MessagePack shards being read, one after the other.
pub(super) struct Imported {
    shards: VecDeque<PathBuf>,
    root: PathBuf,
    table: Option<Positions>,
    /// What is wrong with rows of the table.
    wrong: VecDeque<DataError>,
    open: Option<(PathBuf, PackedPhotos)>,
}

/// One shard, or every `.msg` in a folder, by name. Positions and authors stand in the shards or in a table.
pub(super) fn read(path: &Path, positions: Option<&Path>) -> Result<Imported, DataError> {
    let (root, shards) = shards(path, "msg")?;
    let mut wrong = VecDeque::new();
    let table = positions.map(|table| Positions::read(table, &mut wrong)).transpose()?;
    Ok(Imported { shards: shards.into(), root, table, wrong, open: None })
}

impl Iterator for Imported {
    type Item = Result<PhotoRecord, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.wrong.pop_front() {
            return Some(Err(error));
        }
        loop {
            if let Some((shard, photos)) = &mut self.open {
                match photos.next() {
                    None => self.open = None,
                    Some(Ok(photo)) => {
                        let name = shard.strip_prefix(&self.root).unwrap_or(shard);
                        let made = record(&format!("{}!{}", name.display(), photo.id), photo.facts);
                        let item = format!("{}!{}", shard.display(), photo.id);
                        let made = made.map_err(|what| DataError::item(item, what));
                        return Some(made.map(|record| match &mut self.table {
                            Some(table) => table.place(record, &photo.id),
                            None => record,
                        }));
                    }
                    Some(Err(error)) => {
                        let what = match error.kind() {
                            ErrorKind::UnexpectedEof => "the shard is truncated".to_owned(),
                            _ => error.to_string(),
                        };
                        return Some(Err(DataError::item(shard.to_string_lossy(), what)));
                    }
                }
            }
            let Some(shard) = self.shards.pop_front() else {
                return self.table.take().and_then(Positions::absent).map(Err);
            };
            match PackedPhotos::open(&shard) {
                Ok(photos) => self.open = Some((shard, photos)),
                Err(error) => {
                    let item = shard.to_string_lossy().into_owned();
                    return Some(Err(DataError::item(item, error)));
                }
            }
        }
    }
}

/// Positions and authors by the photos' ids: of a table of millions, no more than this is kept.
struct Positions {
    name: String,
    known: HashMap<Box<str>, Known>,
}

struct Known {
    position: Option<LatLng>,
    author: Option<Arc<str>>,
    /// The photo stands in the shards.
    met: bool,
}

impl Positions {
    fn read(path: &Path, wrong: &mut VecDeque<DataError>) -> Result<Self, DataError> {
        let mut known = HashMap::new();
        let mut authors: HashSet<Arc<str>> = HashSet::new();
        for row in columns::read(path, &columns::TABLE)? {
            let row = match row {
                Ok(row) => row,
                Err(error @ (DataError::Row { .. } | DataError::Item { .. })) => {
                    wrong.push_back(error);
                    continue;
                }
                Err(fatal) => return Err(fatal),
            };
            let author = row.author.map(|name| {
                let name: Arc<str> = name.into();
                let kept = authors.get(&name).cloned();
                kept.unwrap_or_else(|| {
                    authors.insert(Arc::clone(&name));
                    name
                })
            });
            let row_of = Known { position: row.position, author, met: false };
            known.insert(row.photo.into_boxed_str(), row_of);
        }
        Ok(Self { name: path.to_string_lossy().into_owned(), known })
    }

    /// The photo with what the table knows of it; the shard's own values stay.
    fn place(&mut self, mut record: PhotoRecord, id: &str) -> PhotoRecord {
        let Some(known) = self.known.get_mut(id) else { return record };
        known.met = true;
        record.position = record.position.or(known.position);
        record.author = record.author.or_else(|| known.author.as_deref().map(str::to_owned));
        with_sources(record)
    }

    /// Says how many rows have no photo.
    fn absent(self) -> Option<DataError> {
        let absent = self.known.values().filter(|known| !known.met).count();
        let what = format!("{absent} of {} rows have no photo in the shards", self.known.len());
        (absent > 0).then(|| DataError::item(self.name, what))
    }
}

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{PhotoStore, shard::ShardIndex};
use crate::{Limits, Photo, PhotoError, Preprocess};

/// Shards whose indices are kept at once. A loader has a few in use, an index takes some
/// hundred kilobytes.
const KEPT_SHARDS: usize = 64;

/// Photos under one folder: files by their relative path, members of tar shards as
/// `shard.tar!key.jpg`, and photos of MessagePack shards as `shard.msg!id`.
///
/// An id cannot lead out of the root. Symbolic links within it are the owner's and are followed.
#[derive(Debug)]
pub struct DiskStore {
    root: PathBuf,
    limits: Limits,
    /// The latest used last.
    shards: Mutex<Vec<Arc<ShardIndex>>>,
}

impl DiskStore {
    /// Photos under `root`, within the default limits. Nothing is read yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::with_limits(root, Limits::default())
    }

    /// Photos under `root`, within these limits.
    pub fn with_limits(root: impl Into<PathBuf>, limits: Limits) -> Self {
        Self { root: root.into(), limits, shards: Mutex::default() }
    }

    /// The folder that ids are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether this is the id of a photo in a shard, which is no file of its own.
    pub fn is_in_shard(id: &str) -> bool {
        split_member(id).is_some()
    }

    /// How large a photo may be.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The bytes of a photo's file.
    ///
    /// # Errors
    /// The id leads out of the root, there is no such file, it cannot be read, or it is larger
    /// than the limits allow.
    pub fn bytes(&self, id: &str) -> Result<Vec<u8>, PhotoError> {
        let Some((shard, key)) = split_member(id) else {
            let file = File::open(self.path(id, id)?)?;
            let length = file.metadata()?.len();
            return self.read(file, length);
        };
        let path = self.path(shard, id)?;
        let index = self.shard(path)?;
        let member = index.member(key)?;
        let mut file = File::open(index.path())?;
        file.seek(SeekFrom::Start(member.offset))?;
        self.read(file, member.bytes)
    }

    /// The path of a relative name, if it stays within the root.
    fn path(&self, relative: &str, id: &str) -> Result<PathBuf, PhotoError> {
        let mut inside = false;
        for component in Path::new(relative).components() {
            match component {
                Component::Normal(_) => inside = true,
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(PhotoError::OutsideRoot { id: id.to_owned() });
                }
            }
        }
        if !inside {
            return Err(PhotoError::OutsideRoot { id: id.to_owned() });
        }
        Ok(self.root.join(relative))
    }

    /// The index of a shard, read on first use.
    fn shard(&self, path: PathBuf) -> io::Result<Arc<ShardIndex>> {
        // The list is whole at every moment, so that a panic elsewhere does not harm it.
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = shards.iter().rposition(|shard| shard.path() == path) {
            let shard = shards.remove(at);
            shards.push(Arc::clone(&shard));
            return Ok(shard);
        }
        let shard = Arc::new(ShardIndex::read(path)?);
        if shards.len() == KEPT_SHARDS {
            shards.remove(0);
        }
        shards.push(Arc::clone(&shard));
        Ok(shard)
    }

    /// So many bytes, if the limits allow. A file that is growing is read as long as it was.
    fn read(&self, file: File, bytes: u64) -> Result<Vec<u8>, PhotoError> {
        if bytes > self.limits.bytes {
            return Err(PhotoError::TooManyBytes { bytes, limit: self.limits.bytes });
        }
        if bytes > self.limits.memory {
            return Err(PhotoError::TooMuchMemory { needs: bytes, limit: self.limits.memory });
        }
        let mut content = Vec::with_capacity(bytes as usize);
        file.take(bytes).read_to_end(&mut content)?;
        Ok(content)
    }
}

impl PhotoStore for DiskStore {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        Photo::decode(&self.bytes(id)?, &self.limits)
    }

    fn photo_for(&self, id: &str, preprocess: &Preprocess) -> Result<Photo, PhotoError> {
        Photo::decode_for(&self.bytes(id)?, &self.limits, preprocess)
    }
}

/// Shard and key of a member's id.
pub(crate) fn split_member(id: &str) -> Option<(&str, &str)> {
    let at = [".tar!", ".msg!"].into_iter().filter_map(|mark| id.find(mark)).min()?;
    let end = at + ".tar".len();
    Some((&id[..end], &id[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_lead_out_of_the_root() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = DiskStore::new(folder.path().join("photos"));
        std::fs::write(folder.path().join("secret.jpg"), b"secret").expect("written");
        let absolute = folder.path().join("secret.jpg").display().to_string();
        let escapes = [
            "../secret.jpg",
            "a/../../secret.jpg",
            &absolute,
            "",
            ".",
            "../s.tar!a.jpg",
            "/s.tar!a",
        ];
        for id in escapes {
            assert!(matches!(store.bytes(id), Err(PhotoError::OutsideRoot { .. })), "{id}");
        }
    }

    #[test]
    fn a_missing_photo_and_a_folder_are_errors_with_the_systems_word() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = DiskStore::new(folder.path());
        std::fs::create_dir(folder.path().join("album")).expect("a folder");
        for id in ["missing.jpg", "album", "missing.tar!a.jpg"] {
            assert!(matches!(store.photo(id), Err(PhotoError::Io(_))), "{id}");
        }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_by_its_length() {
        let folder = tempfile::tempdir().expect("a folder");
        let limits = Limits { bytes: 10, ..Limits::default() };
        std::fs::write(folder.path().join("large.jpg"), [0; 11]).expect("written");
        let store = DiskStore::with_limits(folder.path(), limits);
        let error = store.photo("large.jpg").expect_err("too large");
        assert!(matches!(error, PhotoError::TooManyBytes { bytes: 11, limit: 10 }));
    }
}

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use crate::{PhotoError, msgpack::PackedPhotos};

/// Where each member of a shard lies, so that photos can be read in any order.
#[derive(Debug)]
pub(crate) struct ShardIndex {
    path: PathBuf,
    length: u64,
    members: HashMap<Box<str>, Member>,
    /// The walk through the headers ended before the archive did.
    cut: bool,
}

/// One file within a shard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

impl ShardIndex {
    /// Walks the headers of a shard, skipping what lies between them. A shard cut in the
    /// middle keeps the members before the cut.
    pub(super) fn read(path: PathBuf) -> io::Result<Self> {
        match path.extension().is_some_and(|ending| ending == "msg") {
            true => Self::of_messages(path),
            false => Self::of_tar(path),
        }
    }

    fn of_messages(path: PathBuf) -> io::Result<Self> {
        let length = path.metadata()?.len();
        let mut index = Self { length, members: HashMap::new(), cut: false, path };
        for photo in PackedPhotos::open(&index.path)? {
            let Ok(photo) = photo else {
                index.cut = true;
                break;
            };
            let member = Member { offset: photo.offset, bytes: photo.bytes };
            index.members.insert(photo.id.into(), member);
        }
        Ok(index)
    }

    fn of_tar(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        let mut index = Self { path, length, members: HashMap::new(), cut: false };
        let mut archive = tar::Archive::new(file);
        for entry in archive.entries_with_seek()? {
            let Ok(entry) = entry else {
                index.cut = true;
                break;
            };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            // Names that are not UTF-8 cannot be asked for: ids are text.
            if let Ok(key) = std::str::from_utf8(&entry.path_bytes()) {
                let member = Member { offset: entry.raw_file_position(), bytes: entry.size() };
                index.members.insert(key.trim_start_matches("./").into(), member);
            }
        }
        Ok(index)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a member lies, if the whole of it is there.
    pub(super) fn member(&self, key: &str) -> Result<Member, PhotoError> {
        let shard = || self.path.clone();
        let key_owned = || key.to_owned();
        match self.members.get(key) {
            Some(member) if member.offset.saturating_add(member.bytes) <= self.length => {
                Ok(*member)
            }
            None if !self.cut => Err(PhotoError::NoSuchMember { shard: shard(), key: key_owned() }),
            _ => Err(PhotoError::CutShard { shard: shard(), key: key_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DiskStore;

    fn shard(folder: &Path) -> PathBuf {
        let path = folder.join("a.tar");
        let mut builder = tar::Builder::new(File::create(&path).expect("created"));
        for (key, content) in
            [("./one.jpg", "first"), ("deep/two.jpg", "second"), ("3.jpg", "third")]
        {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, key, content.as_bytes()).expect("appended");
        }
        builder.finish().expect("finished");
        path
    }

    #[test]
    fn members_of_a_shard_are_read_in_any_order() {
        let folder = tempfile::tempdir().expect("a folder");
        shard(folder.path());
        let store = DiskStore::new(folder.path());
        for (id, content) in
            [("a.tar!3.jpg", "third"), ("a.tar!one.jpg", "first"), ("a.tar!deep/two.jpg", "second")]
        {
            assert_eq!(store.bytes(id).expect("read"), content.as_bytes());
        }
        assert!(matches!(store.bytes("a.tar!4.jpg"), Err(PhotoError::NoSuchMember { .. })));
    }

    #[test]
    fn a_shard_cut_in_the_middle_keeps_what_lies_before_the_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = shard(folder.path());
        // The third member's content begins at 5 * 512.
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..5 * 512 + 3]).expect("cut");
        let store = DiskStore::new(folder.path());
        assert_eq!(store.bytes("a.tar!one.jpg").expect("whole"), b"first");
        assert!(matches!(store.bytes("a.tar!3.jpg"), Err(PhotoError::CutShard { .. })));
    }

    #[test]
    fn rubbish_named_as_a_shard_holds_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = DiskStore::new(folder.path());
        for name in ["a.tar", "a.msg"] {
            std::fs::write(folder.path().join(name), [7; 3000]).expect("written");
            let id = format!("{name}!one.jpg");
            assert!(matches!(store.bytes(&id), Err(PhotoError::CutShard { .. })), "{name}");
        }
    }

    #[test]
    fn photos_of_messages_are_read_in_any_order_up_to_a_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes =
            b"\x82\xa2id\xa8ab/1.jpg\xa5image\xc4\x05first\x82\xa5image\xa6second\xa2id\xa12";
        std::fs::write(folder.path().join("shard_0.msg"), bytes).expect("written");
        std::fs::write(folder.path().join("cut.msg"), &bytes[..36]).expect("written");
        let store = DiskStore::new(folder.path());
        assert_eq!(store.bytes("shard_0.msg!2").expect("read"), b"second");
        assert_eq!(store.bytes("shard_0.msg!ab/1.jpg").expect("read"), b"first");
        assert!(matches!(store.bytes("shard_0.msg!3"), Err(PhotoError::NoSuchMember { .. })));
        assert_eq!(store.bytes("cut.msg!ab/1.jpg").expect("read"), b"first");
        assert!(matches!(store.bytes("cut.msg!2"), Err(PhotoError::CutShard { .. })));
    }
}

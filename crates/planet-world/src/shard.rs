use std::{io, io::Write, path::PathBuf};

use planet_data::AtomicFile;

const BLOCK: usize = 512;

/// Photos in a shard.
const MEMBERS: usize = 1000;

/// Tar files with `key.jpg` beside `key.json`, as WebDataset reads them (ustar).
pub(crate) struct Shards {
    folder: PathBuf,
    open: Option<(AtomicFile, usize)>,
    count: usize,
}

impl Shards {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, open: None, count: 0 }
    }

    /// Appends a photo and what is known of it; returns the shard's name.
    pub(crate) fn add(&mut self, key: &str, jpeg: &[u8], json: &[u8]) -> io::Result<String> {
        if self.open.as_ref().is_some_and(|(_, members)| *members >= MEMBERS) {
            self.close()?;
        }
        let name = format!("shard-{:05}.tar", self.count);
        if self.open.is_none() {
            self.open = Some((AtomicFile::create(&self.folder.join(&name))?, 0));
        }
        let (file, members) = self.open.as_mut().expect("a shard was opened just now");
        member(file, &format!("{key}.jpg"), jpeg)?;
        member(file, &format!("{key}.json"), json)?;
        *members += 1;
        Ok(name)
    }

    /// Ends the open shard.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        if let Some((mut file, _)) = self.open.take() {
            file.write_all(&[0; 2 * BLOCK])?;
            file.finish()?;
            self.count += 1;
        }
        Ok(())
    }
}

fn member(file: &mut impl Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    // Our keys are short: author, album and number.
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", bytes.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    file.write_all(&header)?;
    file.write_all(bytes)?;
    file.write_all(&[0; BLOCK][..bytes.len().next_multiple_of(BLOCK) - bytes.len()])
}

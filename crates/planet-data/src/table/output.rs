use std::{
    io::{self, BufWriter, Stdout, Write},
    path::Path,
};

use flate2::write::GzEncoder;

use super::{Compression, STANDARD_STREAM};
use crate::NewFile;

/// A file in the making that is compressed as its name says (`.gz`, `.zst`); `-` is standard
/// output. As with [`NewFile`], a file appears only when [`OutputFile::finish`] is called.
pub struct OutputFile(Sink);

enum Sink {
    Stdout(BufWriter<Stdout>),
    Plain(NewFile),
    Gzip(GzEncoder<NewFile>),
    Zstd(zstd::stream::write::Encoder<'static, NewFile>),
}

impl OutputFile {
    /// Begins a file that will stand at `path`.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == STANDARD_STREAM {
            return Ok(Self(Sink::Stdout(BufWriter::new(io::stdout()))));
        }
        let file = NewFile::create(path)?;
        Ok(Self(match Compression::of_name(&path.to_string_lossy()).0 {
            Compression::None => Sink::Plain(file),
            Compression::Gzip => Sink::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Compression::Zstd => Sink::Zstd(zstd::stream::write::Encoder::new(file, 0)?),
        }))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// What is still buffered cannot be written, or the place cannot be taken.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Sink::Stdout(mut stdout) => stdout.flush(),
            Sink::Plain(file) => file.finish(),
            Sink::Gzip(encoder) => encoder.finish()?.finish(),
            Sink::Zstd(encoder) => encoder.finish()?.finish(),
        }
    }

    fn sink(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            Sink::Stdout(stdout) => stdout,
            Sink::Plain(file) => file,
            Sink::Gzip(encoder) => encoder,
            Sink::Zstd(encoder) => encoder,
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_name_says_the_compression() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, magic) in
            [("a.csv", &b"lat"[..]), ("a.csv.gz", &[0x1f, 0x8b]), ("a.csv.zst", &[0x28, 0xb5])]
        {
            let path = folder.path().join(name);
            let mut file = OutputFile::create(&path).expect("begun");
            file.write_all(b"lat,lng\n").expect("written");
            assert!(!path.exists(), "{name} stands before it is whole");
            file.finish().expect("finished");
            let mut start = vec![0; magic.len()];
            std::fs::File::open(&path).expect("there").read_exact(&mut start).expect("bytes");
            assert_eq!(start, magic, "{name}");
        }
    }
}

use std::{
    fs,
    io::{self, BufRead, BufWriter, Stdout, Write},
    path::Path,
};

use flate2::write::GzEncoder;

use super::{
    AtomicFile, ResumeError, Settings,
    atomic::destination,
    resume::{check, part_of, settings_of},
};
use crate::{
    DataError,
    table::{Compression, STANDARD_STREAM, open_text},
};

/// The one way to write a file that a user names: compressed as its name says (`.gz`, `.zst`),
/// `-` is standard output. As with [`AtomicFile`], a file appears only when
/// [`OutputFile::finish`] is called.
///
/// An output that takes long can be made resumable: then what was written stays beside its
/// place, in `PATH.part`, with its settings in `PATH.part.json`.
#[must_use = "the file appears only when it is finished"]
pub struct OutputFile(Sink);

/// What an interrupted run has written, uncompressed. It may end in the middle of a row, or with
/// an error of the kind `UnexpectedEof`.
pub type Before = Box<dyn BufRead + Send>;

enum Sink {
    Stdout(BufWriter<Stdout>),
    Plain(AtomicFile),
    Gzip(GzEncoder<AtomicFile>),
    Zstd(zstd::stream::write::Encoder<'static, AtomicFile>),
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
        Self::over(AtomicFile::create(path)?, path)
    }

    /// Begins a file whose bytes stay in `PATH.part` where it is never finished.
    ///
    /// # Errors
    /// Such a part stands there already, the folder does not exist or cannot be written.
    pub fn create_resumable(path: &Path, settings: &Settings) -> Result<Self, ResumeError> {
        if path.as_os_str() == STANDARD_STREAM {
            return Self::create(path).map_err(ResumeError::file(path));
        }
        let place = destination(path).map_err(ResumeError::file(path))?;
        let part = part_of(&place);
        if part.exists() {
            return Err(ResumeError::Interrupted { part });
        }
        write_settings(&place, settings)?;
        let begun = AtomicFile::create_part(&place).and_then(|file| Self::over(file, path));
        begun.map_err(ResumeError::file(&part))
    }

    /// Resumes a file of [`OutputFile::create_resumable`]: gives what was written before, and a
    /// file for the caller to copy of it what is sound; [`OutputFile::replace_part`] then puts
    /// it in the place of the old part, which stays untouched until then. Where there is
    /// nothing to resume, the file is begun.
    ///
    /// # Errors
    /// The part was written with other settings, or the file is complete.
    pub fn resume(path: &Path, settings: &Settings) -> Result<(Self, Option<Before>), ResumeError> {
        let place = destination(path).map_err(ResumeError::file(path))?;
        let part = part_of(&place);
        if !part.exists() {
            return match place.exists() {
                true => Err(ResumeError::Complete { path: place }),
                false => Ok((Self::create_resumable(path, settings)?, None)),
            };
        }
        check(&place, settings)?;
        let before = open_text(&part).map_err(|error| match error {
            DataError::File { path, source } => ResumeError::File { path, source },
            error => ResumeError::File { path: part.clone(), source: io::Error::other(error) },
        })?;
        let begun = AtomicFile::create(&place).and_then(|file| Self::over(file, path));
        Ok((begun.map_err(ResumeError::file(&part))?, Some(before)))
    }

    /// Puts what is written so far in the place of the old part; it stays there where the file
    /// is never finished.
    ///
    /// # Errors
    /// What is buffered cannot be written, or the place cannot be taken.
    pub fn replace_part(&mut self) -> io::Result<()> {
        self.flush()?;
        match &mut self.0 {
            Sink::Stdout(_) => Ok(()),
            Sink::Plain(file) => file.become_part(),
            Sink::Gzip(encoder) => encoder.get_mut().become_part(),
            Sink::Zstd(encoder) => encoder.get_mut().become_part(),
        }
    }

    /// Compressed as the name that the user gave says.
    fn over(file: AtomicFile, path: &Path) -> io::Result<Self> {
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

fn write_settings(place: &Path, settings: &Settings) -> Result<(), ResumeError> {
    let file = settings_of(place);
    let text = serde_json::to_vec_pretty(settings).expect("texts become JSON");
    // A leftover of a run that was killed between its last two steps is replaced.
    fs::write(&file, text).map_err(ResumeError::file(&file))
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

    fn settings(top: &str) -> Settings {
        Settings::from([("--top".to_owned(), top.to_owned())])
    }

    /// What an interrupted run leaves, and what it had flushed.
    fn interrupted(path: &Path) {
        let mut file = OutputFile::create_resumable(path, &settings("5")).expect("begun");
        file.write_all(b"one\ntwo\n").expect("written");
        file.flush().expect("flushed");
        file.write_all(b"thr").expect("written");
        // As a process that is killed: nothing is tidied up.
        std::mem::forget(file);
    }

    #[test]
    fn an_interrupted_output_is_resumed_under_every_compression() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
            let path = folder.path().join(name);
            interrupted(&path);
            assert!(!path.exists(), "{name} stands before it is whole");
            let (mut file, before) = OutputFile::resume(&path, &settings("5")).expect("resumed");
            let mut lines = before.expect("a part").lines();
            assert_eq!(lines.next().expect("a line").expect("whole"), "one");
            assert_eq!(lines.next().expect("a line").expect("whole"), "two");
            file.write_all(b"one\ntwo\n").expect("copied");
            file.replace_part().expect("kept");
            file.write_all(b"three\n").expect("written");
            file.finish().expect("finished");
            let text = std::io::read_to_string(open_text(&path).expect("there")).expect("whole");
            assert_eq!(text, "one\ntwo\nthree\n", "{name}");
            let left: Vec<_> = fs::read_dir(&folder).expect("listed").collect();
            assert_eq!(left.len(), 1, "{left:?}");
            fs::remove_file(path).expect("removed");
        }
    }

    #[test]
    fn other_settings_a_complete_output_and_a_second_run_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        interrupted(&path);
        let error = OutputFile::resume(&path, &settings("3")).err().expect("other settings");
        assert!(error.to_string().ends_with("a.jsonl.part: was written with --top 5, not 3"));
        let again = OutputFile::create_resumable(&path, &settings("5")).err().expect("a part");
        assert!(matches!(again, ResumeError::Interrupted { .. }), "{again}");
        fs::remove_file(settings_of(&path)).expect("removed");
        let error = OutputFile::resume(&path, &settings("5")).err().expect("unknown settings");
        assert!(matches!(error, ResumeError::NoSettings { .. }), "{error}");
        fs::rename(part_of(&path), &path).expect("complete");
        let error = OutputFile::resume(&path, &settings("5")).err().expect("complete");
        assert!(matches!(error, ResumeError::Complete { .. }), "{error}");
    }

    #[test]
    fn a_part_stays_until_what_is_sound_of_it_was_copied() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.jsonl");
        interrupted(&path);
        let part = fs::read(part_of(&path)).expect("a part");
        drop(OutputFile::resume(&path, &settings("5")).expect("resumed"));
        assert_eq!(fs::read(part_of(&path)).expect("a part"), part);
    }

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

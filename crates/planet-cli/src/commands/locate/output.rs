use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use planet::{
    Offered, Prediction, PredictionFormat, PredictionReader, PredictionWriter, WriterOptions,
};
use planet_geo::Scale;

use super::text;
use crate::failure::Failure;

/// Predictions between two flushes to the disk.
const FLUSHED: u64 = 64;

/// Where predictions go: standard output, or a file that has `.part` behind its name until it
/// is whole.
pub struct Output {
    writer: Writer,
    offer: Offer,
    /// What was offered for writing into photos, where that is what the output is for.
    offered: Option<OfferedCounts>,
    file: Option<PathBuf>,
    done: HashSet<String>,
    written: u64,
}

/// What is offered for writing into photos.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Share of probability that makes a level certain.
    pub certain: f64,
    /// The coarsest level.
    pub coarsest: Scale,
}

impl Default for Offer {
    fn default() -> Self {
        Self { certain: 0.5, coarsest: Scale::City }
    }
}

/// How many photos got a position offered at each level, and how many none, by the reason.
#[derive(Default)]
struct OfferedCounts {
    levels: [u64; Scale::ALL.len()],
    coarser: [u64; Scale::ALL.len()],
    uncertain: u64,
    known: u64,
}

impl OfferedCounts {
    fn add(&mut self, offered: Offered<'_>) {
        let of = |level: Scale| Scale::ALL.iter().position(|it| *it == level).unwrap_or_default();
        match offered {
            Offered::Position(certain) => self.levels[of(certain.level)] += 1,
            Offered::Coarser(level) => self.coarser[of(level)] += 1,
            Offered::Uncertain => self.uncertain += 1,
            Offered::Known => self.known += 1,
            Offered::Impossible => {}
        }
    }

    /// So that nothing becomes coarser, or is left out, in silence.
    fn sentence(&self, offer: Offer) -> String {
        let by_level = |counts: &[u64; Scale::ALL.len()]| {
            let levels = Scale::ALL.iter().zip(counts).filter(|(_, count)| **count > 0);
            let parts = levels.map(|(level, count)| format!("{count} {}", level.name()));
            parts.collect::<Vec<_>>().join(", ")
        };
        let count = |counts: &[u64]| counts.iter().sum::<u64>();
        let mut text = format!("{} positions written", count(&self.levels));
        if count(&self.levels) > 0 {
            text.push_str(&format!(" ({})", by_level(&self.levels)));
        }
        let mut left = Vec::new();
        if count(&self.coarser) > 0 {
            let (coarser, level) = (count(&self.coarser), offer.coarsest.name());
            let by_level = by_level(&self.coarser);
            left.push(format!("{coarser} coarser than --level {level} ({by_level})"));
        }
        if self.uncertain > 0 {
            let share = text::percent(offer.certain);
            left.push(format!("{} for which no level reaches {share} %", self.uncertain));
        }
        if self.known > 0 {
            left.push(format!("{} that have a position", self.known));
        }
        if !left.is_empty() {
            text.push_str(&format!("; not written: {}", left.join(", ")));
        }
        text
    }
}

enum Writer {
    Text(Box<dyn Write>),
    Format(Box<PredictionWriter<Box<dyn Write>>>),
}

impl Output {
    pub fn open(
        path: Option<&Path>,
        format: Option<PredictionFormat>,
        root: &Path,
        resume: bool,
        offer: Offer,
    ) -> Result<Self, Failure> {
        let path = path.filter(|path| *path != Path::new("-"));
        let mut done = HashSet::new();
        let (out, file): (Box<dyn Write>, _) = match path {
            None => (Box::new(anstream::AutoStream::auto(io::stdout())), None),
            Some(path) => {
                let part = part_of(path);
                if resume {
                    let format = format
                        .filter(|format| format.resumable())
                        .ok_or_else(|| Failure::usage("only jsonl and csv can be gone on with"))?;
                    done = finished(&part, format)?;
                }
                let failed = |error| Failure::new(format!("{}: {error}", part.display()));
                let mut options = OpenOptions::new();
                if done.is_empty() {
                    options.create(true).write(true).truncate(true);
                } else {
                    options.append(true);
                }
                let file = options.open(&part).map_err(failed)?;
                (Box::new(BufWriter::new(file)), Some(path.to_owned()))
            }
        };
        let writer = match format {
            None => Writer::Text(out),
            Some(format) => {
                let (root, resumed) = (root.to_owned(), !done.is_empty());
                let options = WriterOptions { root, resumed, coarsest: offer.coarsest };
                Writer::Format(Box::new(PredictionWriter::new(out, format, options)?))
            }
        };
        let for_photos = format == Some(PredictionFormat::ExiftoolCsv);
        let offered = for_photos.then(OfferedCounts::default);
        Ok(Self { writer, offer, offered, file, done, written: 0 })
    }

    /// Photos that have their answer already.
    pub fn done(&self) -> &HashSet<String> {
        &self.done
    }

    pub fn write(&mut self, prediction: &Prediction) -> Result<(), Failure> {
        if let Some(counts) = &mut self.offered {
            counts.add(Offered::of(prediction, self.offer.coarsest));
        }
        match &mut self.writer {
            Writer::Text(out) => text::write(prediction, self.offer.certain, out)?,
            Writer::Format(writer) => {
                writer.write(prediction)?;
                self.written += 1;
                // What streams to another program should not wait.
                if self.written.is_multiple_of(FLUSHED) || self.file.is_none() {
                    writer.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Writes the end and puts the file in its place.
    pub fn finish(self) -> Result<(), Failure> {
        let mut out = match self.writer {
            Writer::Text(out) => out,
            Writer::Format(writer) => writer.finish()?,
        };
        out.flush()?;
        drop(out);
        if let Some(path) = &self.file {
            let failed = |error| Failure::new(format!("{}: {error}", path.display()));
            fs::rename(part_of(path), path).map_err(failed)?;
        }
        if let Some(counts) = &self.offered {
            anstream::eprintln!("{}", counts.sentence(self.offer));
        }
        Ok(())
    }

    /// What to say where the user ended it.
    pub fn interrupted(mut self) -> Failure {
        if let Writer::Format(writer) = &mut self.writer
            && let Err(error) = writer.flush()
        {
            return error.into();
        }
        let failure = Failure::new("interrupted");
        match &self.file {
            Some(_) => failure.hint("the same command with --resume goes on"),
            None => failure,
        }
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    name.into()
}

/// The photos of an interrupted output. What was half written at its end is cut off: an
/// unfinished line, and of a table the last photo's rows, of which some may be missing.
fn finished(part: &Path, format: PredictionFormat) -> Result<HashSet<String>, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", part.display()));
    let mut file = match OpenOptions::new().read(true).write(true).open(part) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(error) => return Err(failed(&error)),
    };
    cut_last_line(&mut file).map_err(|error| failed(&error))?;
    if file.metadata().map_err(|error| failed(&error))?.len() == 0 {
        return Ok(HashSet::new());
    }
    let mut photos = Vec::new();
    // The reader tells the format by the name, which `.part` hides.
    let named = part.with_extension(format.name());
    fs::rename(part, &named).map_err(|error| failed(&error))?;
    let read = PredictionReader::open(&named, None).and_then(|reader| {
        for prediction in reader {
            photos.push(prediction?.photo);
        }
        Ok(())
    });
    fs::rename(&named, part).map_err(|error| failed(&error))?;
    read.map_err(|error| failed(&error))?;
    if format == PredictionFormat::Csv
        && let Some(last) = photos.pop()
    {
        cut_rows_of(&mut file, &last).map_err(|error| failed(&error))?;
    }
    Ok(photos.into_iter().collect())
}

/// Cuts off what stands behind the last line end.
fn cut_last_line(file: &mut File) -> io::Result<()> {
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let block = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return file.set_len(start + at as u64 + 1);
        }
        end = start;
    }
    file.set_len(0)
}

/// Cuts off the table's last rows, which are those of this photo.
fn cut_rows_of(file: &mut File, photo: &str) -> io::Result<()> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    let mut keep = text.len();
    let quoted = format!("\"{}\",", photo.replace('"', "\"\""));
    let plain = format!("{photo},");
    while keep > 0 {
        let start = text[..keep - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = &text[start..keep];
        if !line.starts_with(plain.as_bytes()) && !line.starts_with(quoted.as_bytes()) {
            break;
        }
        keep = start;
    }
    file.set_len(keep as u64)
}

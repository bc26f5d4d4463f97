use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet_data::{DataError, Found, LeftOut, ManifestWriter, PhotoRecord, common_root, scan};
use serde::{Deserialize, Serialize};

use crate::{commands::problems::Problems, failure::Failure, progress::Progress};

/// `planet dataset scan DIR... -o M`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folders of photos
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Manifest to write; the extension selects the format
    #[arg(short, long, value_name = "M")]
    output: PathBuf,
    /// Stop at the first photo that cannot be read, instead of counting it
    #[arg(long)]
    strict: bool,
    /// Write a table of everything that was skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// Reads the headers of every photo. An interrupted scan leaves what it has in a journal beside
/// the manifest and goes on from there when it is called again.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let root = common_root(&arguments.folders).map_err(Failure::new)?;
    let mut journal = Journal::open(&arguments.output, &root)?;
    let mut problems = Problems::new(arguments.strict, arguments.problems.as_deref())?;
    let progress = Progress::new("photos");
    let known: HashSet<String> = journal.before.keys().cloned().collect();
    let mut failure = None;
    let scanned = scan(&arguments.folders, &root, &known, &progress, |found| {
        take(found, &mut journal, &mut problems).map_err(|error| {
            failure = Some(error);
            DataError::Cancelled
        })
    });
    progress.finish();
    journal.flush()?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let left_out = scanned.map_err(|error| interrupted(error, &journal))?;
    problems.report()?;
    if journal.entries.is_empty() {
        journal.remove()?;
        let among = match left_out.total() {
            0 => String::new(),
            _ => format!(", only {left_out}"),
        };
        let what = format!("{}: no photos found{among}", arguments.folders[0].display());
        return Err(Failure::new(what)
            .hint("the extensions of photos are .jpg, .png, .webp, .tiff, .heic and others"));
    }
    write(&arguments.output, &root, &mut journal.entries)?;
    summary(&journal, &problems, &left_out)?;
    journal.remove()?;
    Ok(())
}

/// Every file that the scan met is in one of these counts.
fn summary(journal: &Journal, problems: &Problems, left_out: &LeftOut) -> io::Result<()> {
    let photos = &journal.entries;
    let located = photos.iter().filter(|photo| photo.record.position.is_some()).count();
    let mut err = io::stderr().lock();
    writeln!(err, "{} photos, {located} with a position", photos.len())?;
    if journal.resumed > 0 {
        let resumed = journal.resumed;
        writeln!(err, "{resumed} of them were read by an earlier, interrupted scan")?;
    }
    for (count, what) in [
        (problems.noted(), "photos have invalid or contradictory metadata, which was ignored"),
        (problems.skipped(), "files or folders cannot be read and were skipped"),
        (left_out.sidecars(), "sidecars were read together with their photos"),
    ] {
        if count > 0 {
            writeln!(err, "{count} {what}")?;
        }
    }
    if left_out.total() > 0 {
        writeln!(err, "{left_out} were skipped")?;
    }
    Ok(())
}

fn take(
    found: Result<Found, DataError>,
    journal: &mut Journal,
    problems: &mut Problems,
) -> Result<(), Failure> {
    let entry = match problems.sift(found)? {
        None => return Ok(()),
        Some(Found::Known(photo)) => journal.keep(&photo),
        Some(Found::New(scanned)) => {
            let notes = scanned.notes.iter().map(|note| Remark {
                what: note.to_string(),
                cure: note.problem.cure().to_owned(),
            });
            journal.add(Entry { notes: notes.collect(), record: scanned.record })?
        }
    };
    let Some(entry) = entry else { return Ok(()) };
    let notes = entry.notes.iter().map(|note| (note.what.as_str(), note.cure.as_str()));
    problems.note(&entry.record.photo, notes)
}

fn interrupted(error: DataError, journal: &Journal) -> Failure {
    let hint =
        format!("run the same command again to continue after {} photos", journal.entries.len());
    match error {
        DataError::Cancelled => Failure::new("interrupted").hint(hint),
        error => Failure::new(error).hint(hint),
    }
}

fn write(path: &Path, root: &Path, photos: &mut [Entry]) -> Result<(), Failure> {
    photos.sort_by(|a, b| a.record.photo.cmp(&b.record.photo));
    let mut writer = ManifestWriter::create(path, Some(root), &[]).map_err(Failure::new)?;
    for photo in photos.iter() {
        writer.write(&photo.record).map_err(Failure::new)?;
    }
    writer.finish().map_err(Failure::new)
}

/// One photo in the journal.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    record: PhotoRecord,
    #[serde(default)]
    notes: Vec<Remark>,
}

/// A note on a photo: which value is invalid and ignored, and what can be done.
#[derive(Debug, Serialize, Deserialize)]
struct Remark {
    what: String,
    cure: String,
}

/// The photos of a scan that is under way, a JSON line each, so that a line that was cut off by
/// a crash harms no other.
struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
    /// What an earlier scan left, by id. It counts only for photos that this scan meets too:
    /// other folders may have been named then.
    before: HashMap<String, Entry>,
    /// The photos of this scan.
    entries: Vec<Entry>,
    /// How many of them an earlier scan had read.
    resumed: u64,
    /// Photos since the last flush.
    unflushed: usize,
}

impl Journal {
    /// Opens the journal beside a manifest, with what an earlier scan of the same root left.
    fn open(manifest: &Path, root: &Path) -> Result<Self, Failure> {
        let mut name = OsString::from(manifest);
        name.push(".scanning");
        let path = PathBuf::from(name);
        let cannot = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
        // Another version may read photos differently.
        let version = env!("CARGO_PKG_VERSION");
        let head = serde_json::json!({ "root": root, "version": version }).to_string();
        let mut before = HashMap::new();
        let mut same = false;
        if let Ok(old) = File::open(&path) {
            let mut lines = BufReader::new(old).lines().map_while(Result::ok);
            same = lines.next().is_some_and(|line| line == head);
            if same {
                let entries = lines.filter_map(|line| serde_json::from_str::<Entry>(&line).ok());
                before = entries.map(|entry| (entry.record.photo.clone(), entry)).collect();
            }
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(same).truncate(!same);
        let mut file = BufWriter::new(options.open(&path).map_err(cannot)?);
        // A line that was cut off ends here.
        writeln!(file, "{}", if same { "" } else { &head })?;
        Ok(Self { path, file, before, entries: Vec::new(), resumed: 0, unflushed: 0 })
    }

    /// Takes over a photo that an earlier scan had read.
    fn keep(&mut self, photo: &str) -> Option<&Entry> {
        self.entries.push(self.before.remove(photo)?);
        self.resumed += 1;
        self.entries.last()
    }

    /// Takes a photo that was read just now.
    fn add(&mut self, entry: Entry) -> Result<Option<&Entry>, Failure> {
        serde_json::to_writer(&mut self.file, &entry).map_err(io::Error::from)?;
        writeln!(self.file)?;
        self.entries.push(entry);
        self.unflushed += 1;
        if self.unflushed == 1000 {
            self.flush()?;
        }
        Ok(self.entries.last())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.unflushed = 0;
        Ok(self.file.flush()?)
    }

    fn remove(self) -> io::Result<()> {
        drop(self.file);
        std::fs::remove_file(self.path)
    }
}

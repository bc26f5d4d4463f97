use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet_data::{DataError, ManifestWriter, PhotoRecord, Scanned, common_root, scan};

use super::problems::Problems;
use crate::{failure::Failure, progress::Progress};

/// `planet dataset scan DIR... -o M`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folders of photos
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The manifest to write; the format follows the name
    #[arg(short, long, value_name = "M")]
    output: PathBuf,
    /// End with an error at the first photo that cannot be read, instead of counting it
    #[arg(long)]
    strict: bool,
}

/// Reads the headers of every photo. An interrupted scan leaves what it has in a journal beside
/// the manifest and goes on from there when it is called again.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let root = common_root(&arguments.folders).map_err(Failure::new)?;
    let mut journal = Journal::open(&arguments.output, &root)?;
    let mut problems = Problems::new(arguments.strict);
    let progress = Progress::new("photos");
    let known: HashSet<String> = journal.records.iter().map(|r| r.photo.clone()).collect();
    let resumed = known.len();
    let mut failure = None;
    let mut noted = 0_u64;
    let scanned = scan(&arguments.folders, &root, &known, &progress, |photo| {
        let taken = take(photo, &mut journal, &mut problems, &mut noted);
        taken.map_err(|error| {
            failure = Some(error);
            DataError::Cancelled
        })
    });
    progress.finish();
    journal.flush()?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    scanned.map_err(|error| interrupted(error, &journal))?;
    problems.report()?;
    if journal.records.is_empty() {
        journal.remove()?;
        let what = format!("{}: no photo there", arguments.folders[0].display());
        return Err(Failure::new(what).hint("photos end in .jpg, .png, .webp, .tiff, .heic …"));
    }
    let photos = journal.records.len();
    let located = journal.records.iter().filter(|record| record.position.is_some()).count();
    write(&arguments.output, &root, &mut journal.records)?;
    journal.remove()?;
    let mut err = io::stderr().lock();
    writeln!(err, "{photos} photos, {located} with a position")?;
    if resumed > 0 {
        writeln!(err, "{resumed} of them were read by a scan that was interrupted")?;
    }
    if noted > 0 {
        writeln!(err, "{noted} photos say something that was not believed")?;
    }
    Ok(())
}

fn take(
    photo: Result<Scanned, DataError>,
    journal: &mut Journal,
    problems: &mut Problems,
    noted: &mut u64,
) -> Result<(), Failure> {
    if let Some(Scanned { record, notes }) = problems.sift(photo)? {
        if let Some(first) = notes.first() {
            *noted += 1;
            if *noted <= 5 {
                writeln!(io::stderr(), "note: {}: {first}", record.photo)?;
            }
        }
        journal.add(record)?;
    }
    Ok(())
}

fn interrupted(error: DataError, journal: &Journal) -> Failure {
    let hint = format!("the same command goes on after {} photos", journal.records.len());
    match error {
        DataError::Cancelled => Failure::new("interrupted").hint(hint),
        error => Failure::new(error).hint(hint),
    }
}

fn write(path: &Path, root: &Path, records: &mut [PhotoRecord]) -> Result<(), Failure> {
    records.sort_by(|a, b| a.photo.cmp(&b.photo));
    let mut writer = ManifestWriter::create(path, Some(root), &[]).map_err(Failure::new)?;
    for record in records.iter() {
        writer.write(record).map_err(Failure::new)?;
    }
    writer.finish().map_err(Failure::new)
}

/// The photos of a scan that is under way, a JSON line each, so that a line that was cut off by
/// a crash harms no other.
struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
    records: Vec<PhotoRecord>,
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
        let head = serde_json::json!({ "root": root }).to_string();
        let mut records = Vec::new();
        let mut same = false;
        if let Ok(old) = File::open(&path) {
            let mut lines = BufReader::new(old).lines().map_while(Result::ok);
            same = lines.next().is_some_and(|line| line == head);
            if same {
                records = lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
            }
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(same).truncate(!same);
        let mut file = BufWriter::new(options.open(&path).map_err(cannot)?);
        // A line that was cut off ends here.
        writeln!(file, "{}", if same { "" } else { &head })?;
        Ok(Self { path, file, records, unflushed: 0 })
    }

    fn add(&mut self, record: PhotoRecord) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.file, &record).map_err(io::Error::from)?;
        writeln!(self.file)?;
        self.records.push(record);
        self.unflushed += 1;
        if self.unflushed == 1000 { self.flush() } else { Ok(()) }
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

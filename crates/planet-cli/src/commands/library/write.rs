//! `planet library write`: positions into sidecars; a dry run unless `--apply` is given.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use planet::{Prediction, PredictionReader};
use planet_data::Gazetteer;
use planet_library::writing::{
    Action, ExifTool, Journal, LibraryLock, PhotoWriter, PlannedWrite, Proposal, ProposalOptions,
    ProposalSource, SidecarName, SidecarWriter, SkipReason, WriteError,
};

use super::{outside, page};
use crate::{
    commands::{album::common::check_certain, locate::LevelName},
    failure::Failure,
    progress::Progress,
};

/// Photos that are named for each reason that nothing is written for.
const NAMED: usize = 5;

/// `planet library write FOUND.jsonl [--root DIR] [--apply]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Answers of planet library locate (.jsonl)
    #[arg(value_name = "FOUND")]
    found: PathBuf,
    /// Folder of the library, which the photos' names are relative to
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Where positions are written: XMP sidecars, or the photos themselves, through exiftool
    /// (JPEG, PNG, WebP, HEIC, AVIF)
    #[arg(long, value_enum, default_value_t = Into::Sidecars)]
    into: Into,
    /// exiftool's program; by default the one that is installed
    #[arg(long, value_name = "FILE", default_value = "exiftool")]
    exiftool: PathBuf,
    /// Write; without this, only show what would be written
    #[arg(long)]
    apply: bool,
    /// Coarsest level at which a position is written
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LevelName::City)]
    level: LevelName,
    /// Minimum probability of that level. The answers state one level per photo, the finest that
    /// reached their own minimum: locate with the same --certain
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    certain: f64,
    /// Also write city, state and country, where the sidecar names none
    #[arg(long)]
    names: bool,
    /// Write only measured positions, those of GPS tracks and of Google Takeout, and no estimates
    #[arg(long)]
    exact_only: bool,
    /// Name of new sidecars
    #[arg(long, value_enum, default_value_t = SidecarNameName::Extension)]
    sidecar_name: SidecarNameName,
    /// Journal of the changes, which planet library undo takes back; by default FOUND with
    /// .journal behind it. It must not lie in the library
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Write a page (.html) with a map, thumbnails and evidence of what is proposed
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Into {
    /// XMP files beside the photos
    Sidecars,
    /// The photos' EXIF
    Photos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SidecarNameName {
    /// photo.jpg.xmp (digiKam, darktable, Immich)
    Extension,
    /// photo.xmp (Lightroom, Capture One)
    Adobe,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    check_certain(arguments.certain)?;
    let root = arguments.root.canonicalize().map_err(Failure::file(&arguments.root))?;
    let journal = arguments.journal_outside(&root)?;
    let _lock = LibraryLock::take(&root).map_err(Failure::new)?;
    let mut writer = arguments.writer(&root)?;
    let mut counts = Counts::default();
    let planned = arguments.plan(&root, &mut counts, |proposal| writer.plan(proposal))?;
    counts.print(&planned, &arguments.found)?;
    if let Some(page) = &arguments.page {
        page::write(page, &root, &planned)?;
    }
    let changes = planned.iter().filter(|it| is_change(it)).count();
    if changes == 0 {
        return Ok(());
    }
    if !arguments.apply {
        anstream::eprintln!("nothing was written; add --apply to write {changes} files");
        return Ok(());
    }
    apply(&mut writer, &planned, &journal)
}

/// What writes.
enum Writer {
    Sidecars(SidecarWriter),
    Photos(PhotoWriter),
}

impl Writer {
    fn plan(&self, proposal: Proposal) -> PlannedWrite {
        match self {
            Self::Sidecars(writer) => writer.plan(proposal),
            Self::Photos(writer) => writer.plan(proposal),
        }
    }
}

impl Arguments {
    fn writer(&self, root: &Path) -> Result<Writer, Failure> {
        let located = std::fs::metadata(&self.found).and_then(|about| about.modified()).ok();
        let failed = Failure::file(root);
        if self.into == Into::Sidecars {
            let name = match self.sidecar_name {
                SidecarNameName::Extension => SidecarName::WithExtension,
                SidecarNameName::Adobe => SidecarName::Adobe,
            };
            return SidecarWriter::new(root, name, located).map(Writer::Sidecars).map_err(failed);
        }
        let exiftool = ExifTool::start(&self.exiftool).map_err(|error| {
            Failure::new(format!("{}: {error}", self.exiftool.display())).hint(
                "install exiftool (exiftool.org; Debian: libimage-exiftool-perl), name it with \
                 --exiftool FILE, or write sidecars",
            )
        })?;
        PhotoWriter::new(root, located, exiftool).map(Writer::Photos).map_err(failed)
    }

    /// The journal's place.
    fn journal_outside(&self, root: &Path) -> Result<PathBuf, Failure> {
        let journal = self.journal.clone().unwrap_or_else(|| {
            let mut name = self.found.as_os_str().to_owned();
            name.push(".journal");
            PathBuf::from(name)
        });
        outside(journal, root, "--journal FILE")
    }

    fn plan(
        &self,
        root: &Path,
        counts: &mut Counts,
        plan: impl Fn(Proposal) -> PlannedWrite,
    ) -> Result<Vec<PlannedWrite>, Failure> {
        let options = ProposalOptions {
            coarsest: self.level.scale(),
            certain: self.certain,
            names: self.names,
            exact_only: self.exact_only,
        };
        let gazetteer = Gazetteer::new();
        let progress = Progress::new("photos");
        let mut planned = Vec::new();
        for prediction in PredictionReader::open(&self.found, None).map_err(Failure::new)? {
            if crate::progress::was_interrupted() {
                return Err(Failure::new("interrupted"));
            }
            let prediction: Prediction = prediction.map_err(Failure::new)?;
            counts.photos += 1;
            match Proposal::in_library(root, &prediction, &options, &gazetteer) {
                Ok(proposal) => planned.push(plan(proposal)),
                Err(reason) => *counts.not_proposed.entry(reason.name()).or_default() += 1,
            }
            planet_data::Monitor::advance(&progress, 1);
        }
        progress.finish();
        let missing = |it: &&PlannedWrite| it.action == Action::Skip(SkipReason::Missing);
        if !planned.is_empty() && planned.iter().filter(missing).count() == planned.len() {
            let what = format!(
                "{} has no photo of {}, such as {}",
                root.display(),
                self.found.display(),
                planned[0].proposal.photo
            );
            return Err(Failure::new(what).hint("name the library's folder with --root DIR"));
        }
        Ok(planned)
    }
}

fn is_change(planned: &PlannedWrite) -> bool {
    matches!(planned.action, Action::Create(_) | Action::Change(_))
}

/// What was found of the answers.
#[derive(Default)]
struct Counts {
    photos: u64,
    not_proposed: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn print(&self, planned: &[PlannedWrite], found: &Path) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        writeln!(out, "{:<28} {:>8}", format!("photos in {}", found.display()), self.photos)?;
        for (reason, photos) in &self.not_proposed {
            writeln!(out, "  {reason:<26} {photos:>8}")?;
        }
        let mut sources: BTreeMap<ProposalSource, usize> = BTreeMap::new();
        planned.iter().for_each(|it| *sources.entry(it.proposal.source).or_default() += 1);
        for (source, photos) in sources {
            writeln!(out, "  {:<26} {photos:>8}", source.name())?;
        }
        let mut line = |name: &str, wanted: &dyn Fn(&Action) -> bool| {
            let photos = planned.iter().filter(|it| wanted(&it.action)).count();
            writeln!(out, "  {name:<26} {photos:>8}")
        };
        line("new sidecars", &|it| matches!(it, Action::Create(_)))?;
        line("files to change", &|it| matches!(it, Action::Change(_)))?;
        line("written already", &|it| matches!(it, Action::Written(_)))?;
        let mut skipped: BTreeMap<&str, Vec<(&str, &SkipReason)>> = BTreeMap::new();
        for PlannedWrite { proposal, action } in planned {
            if let Action::Skip(reason) = action {
                skipped.entry(reason.name()).or_default().push((&proposal.photo, reason));
            }
        }
        for (name, photos) in skipped {
            writeln!(out, "  {name:<26} {:>8}", photos.len())?;
            for (photo, reason) in photos.iter().take(NAMED) {
                match reason {
                    SkipReason::Sidecar(error) => writeln!(out, "    {photo}: {error}")?,
                    SkipReason::Unreadable(error) => writeln!(out, "    {photo}: {error}")?,
                    _ => writeln!(out, "    {photo}")?,
                }
            }
            if photos.len() > NAMED {
                writeln!(out, "    and {} more", photos.len() - NAMED)?;
            }
        }
        Ok(())
    }
}

fn apply(writer: &mut Writer, planned: &[PlannedWrite], path: &Path) -> Result<(), Failure> {
    let mut journal = Journal::open(path).map_err(Failure::new)?;
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let command: Vec<String> = std::env::args().collect();
    let about = (time.as_str(), command.join(" "));
    let progress = Progress::new("files");
    let (mut written, mut failed) = (0u64, 0u64);
    let on_result = |_: &PlannedWrite, result: Result<(), WriteError>| match result {
        Ok(()) => written += 1,
        Err(error) => {
            failed += 1;
            progress.say(&error.to_string());
        }
    };
    let about = (about.0, about.1.as_str());
    let ended = match writer {
        Writer::Sidecars(writer) => {
            writer.apply(planned, &mut journal, about, &progress, on_result)
        }
        Writer::Photos(writer) => writer.apply(planned, &mut journal, about, &progress, on_result),
    };
    progress.finish();
    let kept = Journal::kept_bytes(path).map_err(Failure::new)?;
    let place = path.display();
    anstream::eprintln!(
        "{written} files written; planet library undo {place} takes them back. {kept} bytes of \
         earlier files are kept for that until planet library forget {place}"
    );
    ended.map_err(|error| {
        Failure::new(error).hint("run the same command again to write the rest")
    })?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} files could not be written"))),
    }
}

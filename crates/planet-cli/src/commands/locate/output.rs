use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use planet::{
    LocateError, Offered, Prediction, PredictionFile, PredictionFileError, PredictionFormat,
    WriterOptions,
};
use planet_data::{OutputFile, ResumeError, Settings};
use planet_geo::Scale;

use super::text;
use crate::failure::Failure;

/// Where predictions go: standard output or a file, as text or in a format.
pub struct Output {
    writer: Writer,
    offer: Offer,
    /// What was offered for writing into photos, where that is what the output is for.
    offered: Option<OfferedCounts>,
    file: Option<PathBuf>,
    /// Whether an interrupted output can be resumed.
    kept: bool,
}

/// What is offered for writing into photos.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Minimum probability for reporting a level.
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
            left.push(format!("{} without a level that reaches {share} %", self.uncertain));
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
    Screen(anstream::AutoStream<io::Stdout>),
    Text(Box<OutputFile>),
    Format(Box<PredictionFile>),
}

/// How an output is resumed that was interrupted.
pub struct Resume<'a> {
    /// What the predictions depend on.
    pub settings: &'a Settings,
    /// Whether to resume, or to begin.
    pub wanted: bool,
    /// Gets what was written before.
    pub seen: &'a mut dyn FnMut(Prediction),
}

impl Output {
    /// Begins an output, or resumes it; `None` where it cannot be resumed.
    pub fn open(
        path: Option<&Path>,
        format: Option<PredictionFormat>,
        root: &Path,
        offer: Offer,
        resume: Option<Resume<'_>>,
    ) -> Result<Self, OpenError> {
        let file = path.filter(|path| *path != Path::new("-"));
        let place = file.unwrap_or(Path::new("-"));
        let resume = resume.filter(|_| file.is_some());
        let kept = resume.is_some() && format.is_some_and(PredictionFormat::resumable);
        let options =
            WriterOptions { root: root.to_owned(), coarsest: offer.coarsest, resumed: false };
        let writer = match (format, file, resume) {
            (None, _, Some(Resume { wanted: true, .. })) => {
                return Err(
                    Failure::usage("text output cannot be resumed; use jsonl or csv").into()
                );
            }
            (None, None, _) => Writer::Screen(anstream::AutoStream::auto(io::stdout())),
            (None, Some(path), _) => {
                let file = OutputFile::create(path).map_err(Failure::file(path))?;
                Writer::Text(Box::new(file))
            }
            (Some(format), _, Some(resume)) => Writer::Format(Box::new(match resume.wanted {
                true => {
                    PredictionFile::resume(place, format, options, resume.settings, resume.seen)?
                }
                false => PredictionFile::create_resumable(place, format, options, resume.settings)?,
            })),
            (Some(format), _, None) => {
                Writer::Format(Box::new(PredictionFile::create(place, format, options)?))
            }
        };
        let for_photos = format == Some(PredictionFormat::ExiftoolCsv);
        let offered = for_photos.then(OfferedCounts::default);
        Ok(Self { writer, offer, offered, file: file.map(Path::to_owned), kept })
    }

    /// Writes one photo's prediction.
    pub fn write(&mut self, prediction: &Prediction) -> Result<(), Failure> {
        if let Some(counts) = &mut self.offered {
            counts.add(Offered::of(prediction, self.offer.coarsest));
        }
        let certain = self.offer.certain;
        let written = match &mut self.writer {
            Writer::Screen(out) => text::write(prediction, certain, out),
            Writer::Text(out) => plain(prediction, certain).and_then(|text| out.write_all(&text)),
            Writer::Format(file) => file.write(prediction),
        };
        written.map_err(|error| failed(self.file.as_deref(), error))
    }

    /// Writes the end and puts the file in its place.
    pub fn finish(self) -> Result<(), Failure> {
        let finished = match self.writer {
            Writer::Screen(mut out) => out.flush(),
            Writer::Text(out) => out.finish(),
            Writer::Format(file) => file.finish(),
        };
        finished.map_err(|error| failed(self.file.as_deref(), error))?;
        if let Some(counts) = &self.offered {
            anstream::eprintln!("{}", counts.sentence(self.offer));
        }
        Ok(())
    }

    /// Finishes the output as the locating ended.
    pub fn end<E: Into<Failure>>(self, ended: Result<(), LocateError<E>>) -> Result<(), Failure> {
        match ended {
            Ok(()) => self.finish(),
            Err(LocateError::Cancelled) => Err(self.interrupted()),
            Err(error) => Err(error.into()),
        }
    }

    /// What to say where the user ended it.
    fn interrupted(mut self) -> Failure {
        if let Writer::Format(file) = &mut self.writer
            && let Err(error) = file.flush()
        {
            return failed(self.file.as_deref(), error);
        }
        let failure = Failure::new("interrupted");
        if self.kept {
            failure.hint("run the same command with --resume to continue")
        } else {
            failure
        }
    }
}

/// Text without the colours that a terminal would show.
fn plain(prediction: &Prediction, certain: f64) -> io::Result<Vec<u8>> {
    let mut text = anstream::StripStream::new(Vec::new());
    text::write(prediction, certain, &mut text)?;
    Ok(text.into_inner())
}

fn failed(file: Option<&Path>, error: io::Error) -> Failure {
    match file {
        Some(path) => Failure::file(path)(error),
        None => error.into(),
    }
}

/// Why an output cannot be opened.
pub enum OpenError {
    /// The output to be resumed is complete.
    Complete(PathBuf),
    Failure(Failure),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// For outputs that are not resumed: none of them is found to be complete.
impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Complete(path) => Self::new(format!("{} is complete", path.display())),
            OpenError::Failure(failure) => failure,
        }
    }
}

impl From<PredictionFileError> for OpenError {
    fn from(error: PredictionFileError) -> Self {
        let hint = match &error {
            PredictionFileError::Resume(ResumeError::Complete { path }) => {
                return Self::Complete(path.clone());
            }
            PredictionFileError::Format(_) => return Failure::usage(error).into(),
            PredictionFileError::Resume(ResumeError::Interrupted { .. }) => {
                "continue with --resume, or remove this file to start again"
            }
            PredictionFileError::Resume(ResumeError::OtherSettings { .. }) => {
                "resume with the original settings, or remove this file to start again"
            }
            PredictionFileError::Resume(ResumeError::NoSettings { .. })
            | PredictionFileError::Before(_) => "remove the .part file to start again",
            _ => return Failure::new(error).into(),
        };
        Failure::new(error).hint(hint).into()
    }
}

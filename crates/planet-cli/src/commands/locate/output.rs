use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use planet::{Prediction, PredictionFile, PredictionFileError, PredictionFormat};
use planet_data::{OutputFile, ResumeError, Settings};

use super::text;
use crate::failure::Failure;

/// Where predictions go: standard output or a file, as text or in a format.
pub struct Output {
    writer: Writer,
    file: Option<PathBuf>,
    /// Whether an interrupted output can be resumed.
    kept: bool,
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
        resume: Option<Resume<'_>>,
    ) -> Result<Self, OpenError> {
        let file = path.filter(|path| *path != Path::new("-"));
        let place = file.unwrap_or(Path::new("-"));
        let resume = resume.filter(|_| file.is_some());
        let kept = resume.is_some() && format.is_some_and(PredictionFormat::resumable);
        let writer = match (format, file, resume) {
            (None, _, Some(Resume { wanted: true, .. })) => {
                return Err(Failure::usage("text cannot be resumed; jsonl and csv can").into());
            }
            (None, None, _) => Writer::Screen(anstream::AutoStream::auto(io::stdout())),
            (None, Some(path), _) => {
                let file = OutputFile::create(path).map_err(Failure::file(path))?;
                Writer::Text(Box::new(file))
            }
            (Some(format), _, Some(resume)) => Writer::Format(Box::new(match resume.wanted {
                true => PredictionFile::resume(place, format, root, resume.settings, resume.seen)?,
                false => PredictionFile::create_resumable(place, format, root, resume.settings)?,
            })),
            (Some(format), _, None) => {
                Writer::Format(Box::new(PredictionFile::create(place, format, root)?))
            }
        };
        Ok(Self { writer, file: file.map(Path::to_owned), kept })
    }

    /// Writes what is said of one photo.
    pub fn write(&mut self, prediction: &Prediction) -> Result<(), Failure> {
        let written = match &mut self.writer {
            Writer::Screen(out) => text::write(prediction, out),
            Writer::Text(out) => plain(prediction).and_then(|text| out.write_all(&text)),
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
        finished.map_err(|error| failed(self.file.as_deref(), error))
    }

    /// What to say where the user ended it.
    pub fn interrupted(mut self) -> Failure {
        if let Writer::Format(file) = &mut self.writer
            && let Err(error) = file.flush()
        {
            return failed(self.file.as_deref(), error);
        }
        let failure = Failure::new("interrupted");
        if self.kept {
            failure.hint("the same command with --resume continues it")
        } else {
            failure
        }
    }
}

/// Text without the colours that a terminal would show.
fn plain(prediction: &Prediction) -> io::Result<Vec<u8>> {
    let mut text = anstream::StripStream::new(Vec::new());
    text::write(prediction, &mut text)?;
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
                "continue it with --resume, or remove that file to start again"
            }
            PredictionFileError::Resume(ResumeError::OtherSettings { .. }) => {
                "resume it with the settings that it had, or remove that file to start again"
            }
            PredictionFileError::Resume(ResumeError::NoSettings { .. })
            | PredictionFileError::Before(_) => "remove the .part file to start again",
            _ => return Failure::new(error).into(),
        };
        Failure::new(error).hint(hint).into()
    }
}

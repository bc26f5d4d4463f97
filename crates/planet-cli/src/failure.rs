use std::{fmt, io, path::Path};

use anstyle::{AnsiColor, Style};
use planet::{LocateError, album::AlbumError};

use crate::progress;

/// A shell's exit status of a process that Ctrl-C ended: 128 plus the signal's number.
pub const INTERRUPTED: u8 = 130;

/// Why a command ended without doing what was asked: rendered once, here, to stderr.
#[derive(Debug)]
pub struct Failure {
    what: String,
    hint: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Something failed: exit code 1, or 130 after Ctrl-C.
    Failed,
    /// The arguments make no sense together: exit code 2.
    Usage,
    /// The reader closed our output, which is not an error.
    BrokenPipe,
}

impl Failure {
    /// Something failed, in the error's own words.
    pub fn new(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), hint: None, kind: Kind::Failed }
    }

    /// The arguments make no sense.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), hint: None, kind: Kind::Usage }
    }

    /// What went wrong with a file, by its name.
    pub fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::new(format!("{}: {error}", path.display()))
    }

    /// With a cure.
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Says it on stderr and gives the exit code.
    pub fn report(&self) -> u8 {
        if self.kind == Kind::BrokenPipe {
            return 0;
        }
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let cyan = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        anstream::eprintln!("{red}error:{red:#} {}", self.what);
        if let Some(hint) = &self.hint {
            anstream::eprintln!("{cyan}hint:{cyan:#} {hint}");
        }
        match self.kind {
            Kind::Usage => 2,
            // Every library says in its own words that it was told to stop.
            _ if progress::was_interrupted() => INTERRUPTED,
            Kind::Failed | Kind::BrokenPipe => 1,
        }
    }
}

/// Writing to standard output failed. What goes wrong with a file is [`Failure::file`]'s.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::BrokenPipe => Kind::BrokenPipe,
            _ => Kind::Failed,
        };
        Self { what: format!("cannot write to standard output: {error}"), hint: None, kind }
    }
}

impl<E: Into<Failure>> From<LocateError<E>> for Failure {
    fn from(error: LocateError<E>) -> Self {
        match error {
            LocateError::Taken(error) => error.into(),
            LocateError::Engine(error) => Self::new(error),
            LocateError::Loader(error) => Self::new(error),
            LocateError::Cancelled => Self::new("interrupted"),
        }
    }
}

impl From<AlbumError> for Failure {
    fn from(error: AlbumError) -> Self {
        match error {
            AlbumError::Cancelled => Self::new("interrupted"),
            error => Self::new(error),
        }
    }
}

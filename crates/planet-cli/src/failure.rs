use std::{fmt, io, process::ExitCode};

use anstyle::{AnsiColor, Style};

/// Why a command ended without doing what was asked: rendered once, here, to stderr.
#[derive(Debug)]
pub struct Failure {
    what: String,
    hint: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Something failed: exit code 1.
    Failed,
    /// The arguments make no sense together: exit code 2.
    Usage,
    /// Whoever reads our output has seen enough, which is no error.
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

    /// With a cure.
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Says it on stderr and gives the exit code.
    pub fn report(&self) -> ExitCode {
        if self.kind == Kind::BrokenPipe {
            return ExitCode::SUCCESS;
        }
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let cyan = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        anstream::eprintln!("{red}error:{red:#} {}", self.what);
        if let Some(hint) = &self.hint {
            anstream::eprintln!("{cyan}hint:{cyan:#} {hint}");
        }
        ExitCode::from(if self.kind == Kind::Usage { 2 } else { 1 })
    }
}

/// Writing our output failed.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::BrokenPipe => Kind::BrokenPipe,
            _ => Kind::Failed,
        };
        Self { what: format!("cannot write the output: {error}"), hint: None, kind }
    }
}

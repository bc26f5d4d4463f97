use std::{
    ffi::OsStr,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A running exiftool, which takes one command after another (its option `-stay_open`).
///
/// Photos are never rewritten by our own code: exiftool handles what each camera writes into its
/// files.
#[derive(Debug)]
pub struct ExifTool {
    program: PathBuf,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    number: u64,
}

impl ExifTool {
    /// Starts the program of this path; this crate does not search for it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(["-config", "", "-stay_open", "True", "-@", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("exiftool has no standard input and output"));
        };
        let output = BufReader::new(output);
        Ok(Self { program: program.to_owned(), child, input, output, number: 0 })
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Runs a command with these arguments and gives what it printed.
    ///
    /// # Errors
    /// An argument holds a line break; exiftool has ended.
    pub fn run<A: AsRef<OsStr>>(
        &mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> io::Result<String> {
        let mut command = Vec::new();
        for argument in arguments {
            let argument = argument.as_ref().as_encoded_bytes();
            if argument.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
                return Err(io::Error::other("its name holds a line break"));
            }
            command.extend_from_slice(argument);
            command.push(b'\n');
        }
        self.number += 1;
        command.extend_from_slice(format!("-execute{}\n", self.number).as_bytes());
        self.input.write_all(&command)?;
        self.input.flush()?;
        let end = format!("{{ready{}}}", self.number);
        let mut printed = Vec::new();
        loop {
            let from = printed.len();
            if self.output.read_until(b'\n', &mut printed)? == 0 {
                let program = self.program.display();
                return Err(io::Error::other(format!("{program} has ended")));
            }
            if String::from_utf8_lossy(&printed[from..]).trim_end() == end {
                printed.truncate(from);
                return Ok(String::from_utf8_lossy(&printed).into_owned());
            }
        }
    }
}

impl Drop for ExifTool {
    /// Asks it to end, and waits for that.
    fn drop(&mut self) {
        let asked = self.input.write_all(b"-stay_open\nFalse\n").and_then(|()| self.input.flush());
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

use std::io::{BufRead, Read};

use crate::PartitionError;

/// Longest line that is read, in bytes: a class of 50,000 cells.
const LONGEST_LINE: u64 = 1 << 20;

/// The lines of a text file that hold something, with their numbers.
pub(super) struct Lines<'a, R> {
    reader: R,
    name: &'a str,
    number: u64,
}

/// One line, without its end.
pub(super) struct Line {
    pub number: u64,
    pub text: String,
}

impl Line {
    /// The line's cells, without spaces or quotes around them.
    pub(super) fn cells(&self, delimiter: char) -> impl Iterator<Item = &str> {
        self.text.split(delimiter).map(|cell| cell.trim().trim_matches('"'))
    }
}

impl<'a, R: BufRead + Read> Lines<'a, R> {
    pub(super) fn new(reader: R, name: &'a str) -> Self {
        Self { reader, name, number: 0 }
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// The next line that is not blank.
    pub(super) fn next_line(&mut self) -> Result<Option<Line>, PartitionError> {
        loop {
            let mut bytes = Vec::new();
            let mut bounded = self.reader.by_ref().take(LONGEST_LINE);
            let count = bounded
                .read_until(b'\n', &mut bytes)
                .map_err(|source| PartitionError::Read { file: self.name.to_owned(), source })?;
            if count == 0 {
                return Ok(None);
            }
            self.number += 1;
            if count as u64 == LONGEST_LINE {
                return Err(PartitionError::row(
                    self.name,
                    self.number,
                    "the line is longer than 1 MiB",
                ));
            }
            let text = String::from_utf8(bytes).map_err(|_| {
                let what = "the line is not UTF-8 text; check that the file is a partition";
                PartitionError::row(self.name, self.number, what)
            })?;
            let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
            if !text.trim().is_empty() {
                return Ok(Some(Line { number: self.number, text: text.to_owned() }));
            }
        }
    }
}

use std::{
    io::{BufRead, Read},
    path::Path,
};

use super::{open_text, text::LONGEST_ROW};
use crate::DataError;

/// The next line without its end, at most 1 MiB; bytes that are not UTF-8 become `�`.
/// `None` at the end.
pub(crate) fn read_line(
    lines: &mut impl BufRead,
    file: &str,
    line: u64,
) -> Result<Option<String>, DataError> {
    let mut bytes = Vec::new();
    let read = lines.by_ref().take(LONGEST_ROW as u64).read_until(b'\n', &mut bytes);
    let read = read.map_err(|error| DataError::row(file, line, error))?;
    if read == LONGEST_ROW {
        let what = format!("the line is longer than {} MiB", LONGEST_ROW >> 20);
        return Err(DataError::row(file, line, what));
    }
    while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok((read > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// All lines of a text file without their ends, plain or compressed; `-` is standard input. Bytes that
/// are not UTF-8 become `�`.
///
/// # Errors
/// A file that cannot be read, or a line of more than 1 MiB.
pub fn read_lines(path: &Path) -> Result<Vec<String>, DataError> {
    let (mut reader, name) = (open_text(path)?, path.to_string_lossy());
    let mut lines = Vec::new();
    while let Some(line) = read_line(&mut reader, &name, lines.len() as u64 + 1)? {
        lines.push(line);
    }
    Ok(lines)
}

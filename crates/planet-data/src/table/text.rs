use std::{
    io::{self, BufRead, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use csv::ByteRecord;

use super::Columns;
use crate::DataError;

/// Longest row that is read, in bytes. Longer ones are an error, not gigabytes of memory: an
/// unclosed quote swallows the rest of a file.
pub const LONGEST_ROW: usize = 1 << 20;

/// Bytes that the CSV parser may read ahead of a row's end.
const READ_AHEAD: usize = 1 << 16;

/// A CSV or TSV file that is read row by row: leading `# key=value` lines, a header, rows.
///
/// Fields may be quoted; quoted fields may span lines. A row is at most 1 MiB long.
pub struct TextTable {
    name: String,
    metadata: Vec<(String, String)>,
    columns: Columns,
    reader: csv::Reader<Bounded>,
    budget: Arc<AtomicUsize>,
    /// Lines before the header.
    lines_before: u64,
    /// Set where the first row turned out to be data.
    first_row: Option<ByteRecord>,
}

impl TextTable {
    /// Reads the metadata lines and the header. `name` stands in errors.
    ///
    /// # Errors
    /// An empty table, a header that is not UTF-8 or longer than 1 MiB, or a failing reader.
    pub fn new(
        mut reader: Box<dyn BufRead + Send>,
        name: &str,
        delimiter: u8,
    ) -> Result<Self, DataError> {
        let failed = |error: io::Error| DataError::table(name, error);
        skip_byte_order_mark(&mut reader).map_err(failed)?;
        let (metadata, lines_before) = read_metadata(&mut reader, name)?;
        let budget = Arc::new(AtomicUsize::new(LONGEST_ROW + READ_AHEAD));
        let bounded = Bounded { reader, budget: Arc::clone(&budget) };
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(READ_AHEAD)
            .from_reader(bounded);
        let mut table = Self {
            name: name.to_owned(),
            metadata,
            columns: Columns::default(),
            reader,
            budget,
            lines_before,
            first_row: None,
        };
        let mut header = ByteRecord::new();
        if table.read(&mut header)?.is_none() {
            return Err(DataError::table(name, "is empty; a table begins with its column names"));
        }
        let names = header.iter().map(|cell| std::str::from_utf8(cell).map(str::to_owned));
        let names: Result<Vec<String>, _> = names.collect();
        let not_text = "the header is not UTF-8 text; is this a CSV or TSV file?";
        table.columns = Columns::new(names.map_err(|_| DataError::table(name, not_text))?);
        table.first_row = Some(header);
        Ok(table)
    }

    /// The file, as the user named it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The leading `# key=value` lines, in order.
    pub fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    /// The columns that the header names.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The first row as it stands: the header, unless the caller knows better. A caller that
    /// finds it to be data has the only chance to take it before the first [`TextTable::read`].
    pub fn take_first_row(&mut self) -> Option<ByteRecord> {
        self.first_row.take()
    }

    /// Reads the next row and returns its line, counted from 1; `None` at the end.
    ///
    /// # Errors
    /// A row longer than 1 MiB, or a failing reader (a cut-off gzip file).
    pub fn read(&mut self, row: &mut ByteRecord) -> Result<Option<u64>, DataError> {
        self.first_row = None;
        self.budget.store(LONGEST_ROW + READ_AHEAD, Ordering::Relaxed);
        let begun = self.reader.position().line();
        match self.reader.read_byte_record(row) {
            Ok(true) => {
                let ended = self.reader.position().line();
                let line = if ended <= begun + 1 { begun } else { first_line(row, ended) };
                Ok(Some(self.lines_before + line))
            }
            Ok(false) => Ok(None),
            Err(error) => {
                let what = match error.into_kind() {
                    csv::ErrorKind::Io(error) => error.to_string(),
                    other => format!("{other:?}"),
                };
                Err(DataError::row(&self.name, self.lines_before + begun, what))
            }
        }
    }
}

/// Line at which a row begins that ends before line `ended`: empty lines before it and lines
/// inside its quoted fields lie between.
fn first_line(row: &ByteRecord, ended: u64) -> u64 {
    let inside = row.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
    ended.saturating_sub(1 + inside)
}

fn skip_byte_order_mark(reader: &mut impl BufRead) -> io::Result<()> {
    let mark = reader.fill_buf()?.starts_with(b"\xef\xbb\xbf");
    reader.consume(if mark { 3 } else { 0 });
    Ok(())
}

/// Leading lines that begin with `#`, and how many lines they are.
fn read_metadata(
    reader: &mut impl BufRead,
    name: &str,
) -> Result<(Vec<(String, String)>, u64), DataError> {
    let (mut metadata, mut lines) = (Vec::new(), 0);
    let failed = |error: io::Error| DataError::table(name, error);
    while reader.fill_buf().map_err(failed)?.first() == Some(&b'#') {
        lines += 1;
        let mut line = Vec::new();
        reader.by_ref().take(LONGEST_ROW as u64).read_until(b'\n', &mut line).map_err(failed)?;
        if line.len() == LONGEST_ROW {
            return Err(DataError::row(name, lines, too_long()));
        }
        let text = String::from_utf8_lossy(&line);
        if let Some((key, value)) = text.trim_start_matches('#').split_once('=') {
            metadata.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok((metadata, lines))
}

fn too_long() -> String {
    format!("the row is longer than {} MiB; is a quote not closed?", LONGEST_ROW >> 20)
}

/// A reader that fails when a row takes more bytes than it may, and that ends lines with `\n`
/// alone, by which lines are counted.
struct Bounded {
    reader: Box<dyn BufRead + Send>,
    budget: Arc<AtomicUsize>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, too_long()));
        }
        let room = buffer.len().min(left);
        let mut count = self.reader.read(&mut buffer[..room])?;
        if memchr::memchr(b'\r', &buffer[..count]).is_some() {
            count = self.without_carriage_returns(buffer, count)?;
        }
        self.budget.store(left - count, Ordering::Relaxed);
        Ok(count)
    }
}

impl Bounded {
    /// Takes the `\r` of every `\r\n` off; at least one byte remains, since none means the end.
    fn without_carriage_returns(&mut self, buffer: &mut [u8], count: usize) -> io::Result<usize> {
        let newline_follows =
            buffer[count - 1] == b'\r' && self.reader.fill_buf()?.first() == Some(&b'\n');
        let mut kept = 0;
        for index in 0..count {
            let next = buffer[..count].get(index + 1);
            let ends_line = next.map_or(newline_follows, |&next| next == b'\n');
            if buffer[index] != b'\r' || !ends_line {
                buffer[kept] = buffer[index];
                kept += 1;
            }
        }
        if kept == 0 {
            self.reader.consume(1);
            buffer[0] = b'\n';
            kept = 1;
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: impl Into<Vec<u8>>) -> Result<TextTable, DataError> {
        TextTable::new(Box::new(io::Cursor::new(text.into())), "t.csv", b',')
    }

    #[test]
    fn metadata_header_and_rows_are_told_apart_and_lines_counted() {
        let mut table =
            table("\u{feff}# root=a b\n# hello\nx,y\r\n1,\"2\n2\"\n\n3,4\n").expect("ok");
        assert_eq!(table.metadata(), [("root".to_owned(), "a b".to_owned())]);
        assert_eq!(table.columns().names(), ["x", "y"]);
        let mut row = ByteRecord::new();
        assert_eq!(table.read(&mut row).expect("a row"), Some(4));
        assert_eq!(&row[1], b"2\n2");
        assert_eq!(table.read(&mut row).expect("a row"), Some(7));
        assert_eq!(table.read(&mut row).expect("the end"), None);
    }

    #[test]
    fn a_line_of_gigabytes_is_refused_while_memory_stays_small() {
        let endless =
            io::BufReader::new(io::Cursor::new(b"x,y\n1,\"".to_vec()).chain(io::repeat(b'7')));
        let mut table = TextTable::new(Box::new(endless), "t.csv", b',').expect("a header");
        let error = table.read(&mut ByteRecord::new()).expect_err("it never ends");
        assert_eq!(
            error.to_string(),
            "t.csv:2: the row is longer than 1 MiB; is a quote not closed?"
        );
        let endless = Box::new(io::BufReader::new(io::repeat(b'#')));
        assert!(TextTable::new(endless, "t.csv", b',').is_err());
    }

    #[test]
    fn an_empty_table_and_a_picture_are_refused() {
        assert!(table("").is_err());
        assert!(table("# only=metadata\n").is_err());
        assert!(table(vec![0xff, 0xd8, 0xff, 0xe0, b'\n']).is_err());
    }
}

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
/// Fields may be quoted; quoted fields may span lines. A row is at most 1 MiB long. What separates
/// columns is told from the header: in countries of decimal commas, programs write `;`.
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
    /// Set where nothing behind an error can be read.
    broken: bool,
}

impl TextTable {
    /// Reads the metadata lines and the header. `name` stands in errors; `delimiter` is what
    /// separates columns where the header does not say otherwise.
    ///
    /// # Errors
    /// An empty table, a table in UTF-16, a header that is not UTF-8 or longer than 1 MiB, or a
    /// failing reader.
    pub fn new(
        mut reader: Box<dyn BufRead + Send>,
        name: &str,
        delimiter: u8,
    ) -> Result<Self, DataError> {
        let failed = |error: io::Error| DataError::table(name, error);
        skip_byte_order_mark(&mut reader).map_err(failed)?;
        let start = reader.fill_buf().map_err(failed)?;
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(DataError::table(name, format!("is UTF-16 text; {SAVE_AS_UTF8}")));
        }
        let (metadata, mut lines_before) = read_metadata(&mut reader, name)?;
        let stated = read_stated_separator(&mut reader).map_err(failed)?;
        lines_before += u64::from(stated.is_some());
        let header = reader.fill_buf().map_err(failed)?;
        let delimiter = stated.unwrap_or_else(|| separator(header, delimiter));
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
            broken: false,
        };
        let mut header = ByteRecord::new();
        if table.read(&mut header)?.is_none() {
            return Err(DataError::table(name, "is empty; a table starts with its column names"));
        }
        let names = header.iter().map(|cell| std::str::from_utf8(cell).map(str::to_owned));
        let names: Result<Vec<String>, _> = names.collect();
        let not_text = || {
            let what = format!("the header is not UTF-8 text; if this is a table, {SAVE_AS_UTF8}");
            DataError::table(name, what)
        };
        let names = names.ok().filter(|names| !names.iter().any(|name| name.contains('\0')));
        table.columns = Columns::new(names.ok_or_else(not_text)?);
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
    /// A row longer than 1 MiB, or a failing reader (a cut-off gzip file); the table ends there.
    pub fn read(&mut self, row: &mut ByteRecord) -> Result<Option<u64>, DataError> {
        self.first_row = None;
        if self.broken {
            return Ok(None);
        }
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
                self.broken = true;
                let line = self.lines_before + begun;
                Err(DataError::table(format!("{}:{line}", self.name), what))
            }
        }
    }
}

/// How a table in another encoding becomes one that can be read.
const SAVE_AS_UTF8: &str = "save it as UTF-8 (in spreadsheets `CSV UTF-8`, in a shell \
                            `iconv -f WINDOWS-1252 -t UTF-8`, or `-f UTF-16`)";

/// A table of which this line is not UTF-8 text. To guess the encoding would change names of
/// photos and people in silence.
pub(crate) fn not_utf8(name: &str, line: u64) -> DataError {
    DataError::table(format!("{name}:{line}"), format!("is not UTF-8 text; {SAVE_AS_UTF8}"))
}

/// A number with a point or a decimal comma, for columns in which a comma can be nothing else.
///
/// ```
/// use planet_data::table::decimal;
///
/// assert_eq!(decimal("48,8583"), Some(48.8583));
/// assert_eq!(decimal("1,2,3"), None);
/// ```
pub fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let (whole, fraction) = text.split_once(',')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_decimal = digits(whole.trim_start_matches(['-', '+'])) && digits(fraction);
        is_decimal.then(|| format!("{whole}.{fraction}").parse().ok()).flatten()
    })
}

/// The line `sep=;` by which spreadsheets are told what separates columns.
fn read_stated_separator(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    let (separator, length) = match reader.fill_buf()? {
        [b's', b'e', b'p', b'=', separator, b'\r', b'\n', ..] => (*separator, 7),
        [b's', b'e', b'p', b'=', separator, b'\n', ..] => (*separator, 6),
        _ => return Ok(None),
    };
    reader.consume(length);
    Ok(Some(separator))
}

/// What may separate columns.
const MARKS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What separates columns: the usual mark for such a table if the header holds it, else the one
/// that the header holds most of. Tabs are in no name, but commas may be in names between `;`.
fn separator(start: &[u8], usual: u8) -> u8 {
    let header = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut counts = [0_usize; MARKS.len()];
    let mut quoted = false;
    for byte in header {
        quoted ^= *byte == b'"';
        if let Some(mark) = MARKS.iter().position(|mark| mark == byte).filter(|_| !quoted) {
            counts[mark] += 1;
        }
    }
    let count = |mark: u8| MARKS.iter().position(|&it| it == mark).map_or(0, |at| counts[at]);
    if usual == b'\t' && count(usual) > 0 {
        return usual;
    }
    // The last of the greatest, so that the usual one wins a tie.
    let candidates = MARKS.into_iter().filter(|&mark| mark != usual).chain([usual]);
    candidates.max_by_key(|&mark| count(mark)).unwrap_or(usual)
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
    format!(
        "the row is longer than {} MiB; check for a quote that is not closed",
        LONGEST_ROW >> 20
    )
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
    fn what_separates_columns_is_told_from_the_header() {
        let cases = [
            ("photo;lat;lng\na;1,5;2,5\n", 3),
            ("photo\tlat\tlng\n", 3),
            ("photo|lat\n", 2),
            ("\"a;b;c\",lat\n", 2),
            ("name, given;lat;lng\n", 3),
            ("photo\n", 1),
            ("sep=;\r\nphoto;lat\r\n", 2),
        ];
        for (text, columns) in cases {
            assert_eq!(table(text).expect(text).columns().names().len(), columns, "{text}");
        }
        let mut stated = table("# root=x\nsep=;\na;b\n1;2\n").expect("a table");
        assert_eq!(stated.read(&mut ByteRecord::new()).expect("a row"), Some(4));
        let reader = Box::new(io::Cursor::new(b"a\tb, c, d\n".to_vec()));
        let tabs = TextTable::new(reader, "t.tsv", b'\t').expect("a table");
        assert_eq!(tabs.columns().names(), ["a", "b, c, d"]);
    }

    #[test]
    fn a_table_in_another_encoding_is_refused_with_the_cure() {
        let utf16 = "photo,lat\n".encode_utf16();
        let marked: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(utf16.clone().flat_map(u16::to_le_bytes)).collect();
        let bare: Vec<u8> = utf16.flat_map(u16::to_be_bytes).collect();
        for bytes in [marked, bare, b"photo,lat,Stra\xDFe\n".to_vec()] {
            let Err(error) = table(bytes) else { panic!("it was read") };
            assert!(error.to_string().contains("iconv"), "{error}");
        }
    }

    #[test]
    fn numbers_may_have_a_decimal_comma() {
        let cases = [("48,8583", Some(48.8583)), ("-0,5", Some(-0.5)), ("1.5", Some(1.5))];
        for (text, wanted) in cases {
            assert_eq!(decimal(text), wanted, "{text}");
        }
        for none in ["1,2,3", "1,5N", ",", "1 000,5", "1.000,5", "--1,5", "", "a,b"] {
            assert_eq!(decimal(none), None, "{none}");
        }
    }

    #[test]
    fn a_line_of_gigabytes_is_refused_while_memory_stays_small() {
        let endless =
            io::BufReader::new(io::Cursor::new(b"x,y\n1,\"".to_vec()).chain(io::repeat(b'7')));
        let mut table = TextTable::new(Box::new(endless), "t.csv", b',').expect("a header");
        let error = table.read(&mut ByteRecord::new()).expect_err("it never ends");
        assert_eq!(
            error.to_string(),
            "t.csv:2: the row is longer than 1 MiB; check for a quote that is not closed"
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

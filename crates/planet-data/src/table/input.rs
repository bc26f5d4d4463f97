use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use super::{Compression, Format, Kind, STANDARD_STREAM, TextTable};
use crate::DataError;

/// A table that is open for reading.
pub enum Table {
    /// CSV or TSV, read row by row.
    Text(Box<TextTable>),
    /// Parquet: a file that can be sought in, at its beginning.
    Parquet(File),
}

/// Opens a table: a file whose name says its kind, or standard input.
///
/// Parquet needs to be sought in, so that Parquet from standard input or inside gzip or zstd
/// goes through an unnamed temporary file.
///
/// # Errors
/// A file that cannot be opened, a name that says no kind, or a text table without a header.
pub fn open(path: &Path) -> Result<Table, DataError> {
    let name = path.to_string_lossy().into_owned();
    if name == STANDARD_STREAM {
        return open_stream(
            Box::new(BufReader::with_capacity(1 << 16, io::stdin())),
            "stdin",
            path,
        );
    }
    let kind = Format::of(path)?.kind;
    let mut file = File::open(path).map_err(DataError::file(path))?;
    if file.metadata().map_err(DataError::file(path))?.is_dir() {
        return Err(DataError::table(name, "is a folder; name a table"));
    }
    let compression =
        Compression::of_content(&first_bytes(&mut file).map_err(DataError::file(path))?);
    if kind == Kind::Parquet && compression == Compression::None {
        return Ok(Table::Parquet(file));
    }
    let reader = decompressed(Box::new(BufReader::with_capacity(1 << 16, file)), compression)
        .map_err(DataError::file(path))?;
    table_of(kind, reader, &name, path)
}

/// Opens a text that is no table (a partition has its own reader), plain or compressed, from a
/// file or standard input.
///
/// # Errors
/// A file that cannot be opened.
pub fn open_text(path: &Path) -> Result<Box<dyn BufRead + Send>, DataError> {
    let mut stream: Box<dyn BufRead + Send> = if path.as_os_str() == STANDARD_STREAM {
        Box::new(BufReader::with_capacity(1 << 16, io::stdin()))
    } else {
        let file = File::open(path).map_err(DataError::file(path))?;
        Box::new(BufReader::with_capacity(1 << 16, file))
    };
    let compression = Compression::of_content(stream.fill_buf().map_err(DataError::file(path))?);
    decompressed(stream, compression).map_err(DataError::file(path))
}

/// A stream without a name: its kind is told from its first bytes.
fn open_stream(
    mut stream: Box<dyn BufRead + Send>,
    name: &str,
    path: &Path,
) -> Result<Table, DataError> {
    let compression = Compression::of_content(stream.fill_buf().map_err(DataError::file(path))?);
    let mut reader = decompressed(stream, compression).map_err(DataError::file(path))?;
    let kind = kind_of_content(reader.fill_buf().map_err(DataError::file(path))?);
    table_of(kind, reader, name, path)
}

fn table_of(
    kind: Kind,
    reader: Box<dyn BufRead + Send>,
    name: &str,
    path: &Path,
) -> Result<Table, DataError> {
    match kind {
        Kind::Parquet => Ok(Table::Parquet(spooled(reader).map_err(DataError::file(path))?)),
        Kind::Csv => TextTable::new(reader, name, b',').map(Box::new).map(Table::Text),
        Kind::Tsv => TextTable::new(reader, name, b'\t').map(Box::new).map(Table::Text),
    }
}

fn decompressed(
    reader: Box<dyn BufRead + Send>,
    compression: Compression,
) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match compression {
        Compression::None => reader,
        Compression::Gzip => {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader)))
        }
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            Box::new(BufReader::with_capacity(1 << 16, decoder))
        }
    })
}

fn first_bytes(file: &mut File) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(start)
}

/// Parquet begins with its magic; a text whose first line after the metadata holds a tab is
/// tab-separated; anything else is taken for CSV.
fn kind_of_content(start: &[u8]) -> Kind {
    if start.starts_with(b"PAR1") {
        return Kind::Parquet;
    }
    let header = start.split(|&byte| byte == b'\n').find(|line| !line.starts_with(b"#"));
    if header.is_some_and(|line| line.contains(&b'\t')) { Kind::Tsv } else { Kind::Csv }
}

fn spooled(mut reader: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut reader, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn rows_of(table: Table) -> Vec<Vec<String>> {
        let Table::Text(mut table) = table else { panic!("a text table") };
        let mut rows = vec![table.columns().names().to_vec()];
        let mut row = csv::ByteRecord::new();
        while table.read(&mut row).expect("readable").is_some() {
            rows.push(row.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect());
        }
        rows
    }

    #[test]
    fn compressed_tables_read_like_plain_ones_from_files_and_streams() {
        let text = b"# root=/photos\nlat\tlng\n1\t2\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).expect("written to memory");
        let gzip = gzip.finish().expect("written to memory");
        let zstd = zstd::encode_all(&text[..], 1).expect("written to memory");
        let folder = tempfile::tempdir().expect("a folder");
        let whole: Vec<Vec<String>> =
            vec![vec!["lat".into(), "lng".into()], vec!["1".into(), "2".into()]];
        for (bytes, name) in [(&text[..], "a.tsv"), (&gzip, "a.tsv.gz"), (&zstd, "a.tsv.zst")] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            assert_eq!(rows_of(open(&path).expect("opened")), whole, "{name}");
            let stream = Box::new(io::Cursor::new(bytes.to_vec()));
            let table = open_stream(stream, "stdin", Path::new("-")).expect("opened");
            assert_eq!(rows_of(table), whole, "{name} as a stream");
        }
    }

    #[test]
    fn a_cut_off_gzip_file_is_an_error_and_not_a_short_table() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all("lat,lng\n".as_bytes()).expect("written to memory");
        for row in 0..5000 {
            writeln!(gzip, "{},{}", f64::from(row).sin(), f64::from(row).cos()).expect("written");
        }
        let bytes = gzip.finish().expect("written to memory");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv.gz");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
        let Table::Text(mut table) = open(&path).expect("the header is whole") else {
            panic!("a text table")
        };
        let mut row = csv::ByteRecord::new();
        let error = loop {
            match table.read(&mut row) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the table ended as if it were whole"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("a.csv.gz:"), "{error}");
    }
}

use std::path::Path;

use crate::DataError;

/// How the rows of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

/// How the bytes of a file are compressed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, `.gz`.
    Gzip,
    /// Zstandard, `.zst` or `.zstd`.
    Zstd,
}

impl Compression {
    /// Told from the first bytes of the content.
    pub fn of_content(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// Told from a file's name, with the name that remains without the ending.
    pub fn of_name(name: &str) -> (Self, &str) {
        let lower = name.to_ascii_lowercase();
        for (ending, compression) in
            [(".gz", Self::Gzip), (".zst", Self::Zstd), (".zstd", Self::Zstd)]
        {
            if lower.ends_with(ending) {
                return (compression, &name[..name.len() - ending.len()]);
            }
        }
        (Self::None, name)
    }
}

/// A table's format: how rows are written and how the file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// How rows are written.
    pub kind: Kind,
    /// How the file is compressed.
    pub compression: Compression,
}

impl Format {
    /// The format that a file's name stands for: `photos.csv`, `photos.tsv.gz`,
    /// `photos.parquet`. A name that ends in `.txt` is tab-separated.
    ///
    /// # Errors
    /// Another ending.
    pub fn of(path: &Path) -> Result<Self, DataError> {
        let name = path.to_string_lossy();
        let (compression, bare) = Compression::of_name(&name);
        let ending = bare.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let kind = match ending.as_deref() {
            Some("csv") => Kind::Csv,
            Some("tsv" | "txt" | "tab") => Kind::Tsv,
            Some("parquet" | "pq") => Kind::Parquet,
            _ => {
                let what = "the extension of a table must be .csv, .tsv or .parquet, \
                            followed by .gz or .zst if it is compressed";
                return Err(DataError::table(name, what));
            }
        };
        Ok(Self { kind, compression })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_how_rows_are_written_and_compressed() {
        let of = |name: &str| Format::of(Path::new(name)).expect("a table's name");
        assert_eq!(of("a.csv"), Format { kind: Kind::Csv, compression: Compression::None });
        assert_eq!(of("a.b.TSV.gz"), Format { kind: Kind::Tsv, compression: Compression::Gzip });
        assert_eq!(of("d/a.csv.zst").compression, Compression::Zstd);
        assert_eq!(of("a.parquet").kind, Kind::Parquet);
    }

    #[test]
    fn a_name_without_a_known_ending_is_refused_with_the_cure() {
        let error = Format::of(Path::new("photos.xlsx")).expect_err("no table of ours");
        assert!(error.to_string().contains(".parquet"), "{error}");
    }
}

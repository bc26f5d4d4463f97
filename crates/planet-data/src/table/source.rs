use std::{fmt, path::PathBuf};

use super::STANDARD_STREAM;

/// A table as the user names it: `FILE`, or `FILE:SPLIT` for the rows of one split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSource {
    /// The file, or `-` for standard input.
    pub path: PathBuf,
    /// Only rows whose `split` column says this.
    pub split: Option<String>,
}

impl TableSource {
    /// Reads `FILE` or `FILE:SPLIT`. A colon belongs to the file's name where a file of the
    /// whole name exists, and where what follows it holds a slash, a backslash or a dot.
    pub fn parse(text: &str) -> Self {
        if text == STANDARD_STREAM || PathBuf::from(text).exists() {
            return Self { path: text.into(), split: None };
        }
        match text.rsplit_once(':') {
            Some((path, split))
                if (path.len() > 1 || path == STANDARD_STREAM)
                    && !split.is_empty()
                    && !split.contains(['/', '\\', '.']) =>
            {
                Self { path: path.into(), split: Some(split.to_owned()) }
            }
            _ => Self { path: text.into(), split: None },
        }
    }

    /// Whether it is standard input.
    pub fn is_standard_input(&self) -> bool {
        self.path.as_os_str() == STANDARD_STREAM
    }
}

impl fmt::Display for TableSource {
    /// As the user named it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)?;
        self.split.as_ref().map_or(Ok(()), |split| write!(f, ":{split}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_told_from_a_colon_in_a_path() {
        let split = |text: &str| TableSource::parse(text).split;
        assert_eq!(split("photos.parquet:train").as_deref(), Some("train"));
        assert_eq!(split("photos.parquet"), None);
        assert_eq!(split("trip 12:30/photos.csv"), None);
        assert_eq!(split("C:photos"), None);
        assert_eq!(split("-"), None);
        assert_eq!(TableSource::parse("-:test").path, PathBuf::from("-"));
    }
}

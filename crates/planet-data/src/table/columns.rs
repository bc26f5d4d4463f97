use crate::DataError;

/// The names of a table's columns, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    names: Vec<String>,
}

impl Columns {
    /// Columns of these names.
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Index of the column of exactly this name.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|column| column == name)
    }

    /// Index of the column that goes by one of these names, whatever its case; the earlier
    /// name wins. `None` where there is none.
    ///
    /// # Errors
    /// Two columns go by the same name.
    pub fn find(&self, file: &str, names: &[&str]) -> Result<Option<usize>, DataError> {
        for name in names {
            let mut matching =
                self.names.iter().enumerate().filter(|(_, c)| c.trim().eq_ignore_ascii_case(name));
            if let Some((index, _)) = matching.next() {
                if matching.next().is_some() {
                    let what = format!("two columns are named '{name}'; rename one");
                    return Err(DataError::table(file, what));
                }
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// `a, b, c`, for error messages; long lists are cut.
    pub fn listed(&self) -> String {
        const SHOWN: usize = 12;
        let short = |name: &String| name.chars().take(40).collect::<String>();
        let mut text = self.names.iter().take(SHOWN).map(short).collect::<Vec<_>>().join(", ");
        if self.names.len() > SHOWN {
            text.push_str(&format!(" and {} more", self.names.len() - SHOWN));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Columns {
        Columns::new(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_earlier_name_wins_whatever_its_case() {
        let table = columns(&["Latitude", "LAT", "x"]);
        assert_eq!(table.find("t", &["lat", "latitude"]).expect("one each"), Some(1));
        assert_eq!(table.find("t", &["lng"]).expect("none"), None);
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        let error = columns(&["lat", "Lat"]).find("t.csv", &["lat"]).expect_err("which of them?");
        assert_eq!(error.to_string(), "t.csv: two columns are named 'lat'; rename one");
    }
}

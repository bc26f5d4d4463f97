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
    /// name wins. Where there is none, spaces, underscores, a group before a colon and a unit in
    /// brackets are no difference either: `GPS Latitude (°)`, `EXIF:GPSLatitude`. `None` where
    /// there is none even so.
    ///
    /// # Errors
    /// Two columns go by the same name.
    pub fn find(&self, file: &str, names: &[&str]) -> Result<Option<usize>, DataError> {
        let loose: [fn(&str, &str) -> bool; 2] = [
            |column, name| column.trim().eq_ignore_ascii_case(name),
            |column, name| letters(column).eq(letters(name)),
        ];
        for is_named in loose {
            for name in names {
                let columns = self.names.iter().enumerate();
                let mut matching = columns.filter(|(_, column)| is_named(column, name));
                if let Some((index, _)) = matching.next() {
                    if matching.next().is_some() {
                        let what = format!("two columns are named '{name}'; rename one");
                        return Err(DataError::table(file, what));
                    }
                    return Ok(Some(index));
                }
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

/// Letters and digits of a name, lower case, without a group before it or a unit behind it.
fn letters(name: &str) -> impl Iterator<Item = char> {
    let bare = name.rsplit(':').next().unwrap_or(name);
    let bare = bare.split(['(', '[']).next().unwrap_or(bare);
    bare.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
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
    fn spaces_units_and_groups_are_no_part_of_a_name() {
        let names = ["gps_latitude", "latitude"];
        for spelled in ["GPS Latitude", "Latitude (°)", "EXIF:GPSLatitude", "gps-latitude [deg]"] {
            assert_eq!(
                columns(&["x", spelled]).find("t", &names).expect("one"),
                Some(1),
                "{spelled}"
            );
        }
        let both = columns(&["GPS Latitude", "latitude"]).find("t", &names);
        assert_eq!(both.expect("the plain one"), Some(1));
        assert_eq!(columns(&["", "(latitude)"]).find("t", &names).expect("none"), None);
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        let error = columns(&["lat", "Lat"]).find("t.csv", &["lat"]).expect_err("which of them?");
        assert_eq!(error.to_string(), "t.csv: two columns are named 'lat'; rename one");
    }
}

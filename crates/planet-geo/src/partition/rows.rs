use super::Partition;
use crate::{Class, GeoError, LatLng, PartitionError, PartitionInfo};

/// A position from two cells of a row; both may be empty.
pub(super) fn position(lat: &str, lng: &str) -> Result<Option<LatLng>, String> {
    if lat.is_empty() && lng.is_empty() {
        return Ok(None);
    }
    let degrees = |text: &str| {
        text.parse::<f64>().map_err(|_| format!("'{text}' is not a number of degrees"))
    };
    let position = LatLng::new(degrees(lat)?, degrees(lng)?);
    position.map(Some).map_err(|error| error.to_string())
}

/// Classes with the lines on which they stand.
#[derive(Default)]
pub(super) struct Rows {
    classes: Vec<Class>,
    lines: Vec<u64>,
}

impl Rows {
    pub(super) fn push(&mut self, line: u64, class: Class) {
        self.classes.push(class);
        self.lines.push(line);
    }

    pub(super) fn into_partition(
        self,
        name: &str,
        info: PartitionInfo,
    ) -> Result<Partition, PartitionError> {
        Partition::new(info, self.classes).map_err(|error| match error {
            GeoError::Overlap { first, second, .. } => {
                let what = format!("{error} (line {}); remove one of them", self.lines[first]);
                PartitionError::row(name, self.lines[second], what)
            }
            error => PartitionError::file(name, error.to_string()),
        })
    }
}

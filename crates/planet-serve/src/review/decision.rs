//! What the owner of a library decides, and the file that keeps it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

use planet_geo::LatLng;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;

/// What an owner decided about a photo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// Nothing yet.
    #[default]
    Open,
    /// The proposed position is right.
    Accepted,
    /// It is wrong.
    Rejected,
    /// Another position is right.
    Corrected,
}

/// A decision, as it is sent and kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Decided {
    pub decision: Decision,
    /// Where the decision is `corrected`: degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Where the decision is `corrected`: degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lng: Option<f64>,
}

impl Decided {
    /// The corrected position.
    ///
    /// # Errors
    /// It is missing or none.
    pub(crate) fn position(&self) -> Result<Option<LatLng>, ApiError> {
        if self.decision != Decision::Corrected {
            return Ok(None);
        }
        let missing = || ApiError::bad_request("a corrected position needs lat and lng");
        let (lat, lng) = self.lat.zip(self.lng).ok_or_else(missing)?;
        LatLng::new(lat, lng).map(Some).map_err(ApiError::bad_request)
    }
}

/// A line of the file of decisions.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    pub photo: String,
    #[serde(flatten)]
    pub decided: Decided,
}

/// The decisions of earlier runs; a last line that a crash cut off was never answered.
pub(super) fn kept_decisions(path: &Path) -> io::Result<Vec<Line>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut lines = Vec::new();
    for line in BufReader::new(file).lines() {
        if let Ok(line) = serde_json::from_str(&line?) {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Keeps lines for good, or none of them.
///
/// # Errors
/// The file cannot be written.
pub(super) fn append(path: &Path, lines: &str) -> Result<(), ApiError> {
    let failed = |error: io::Error| {
        let (file, reason) = (path.display(), error.to_string());
        ApiError::storage(&error)
            .said(format!("{file}: {reason}; the decision is not kept"))
            .hint("make room or change the file's rights, then decide again")
    };
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?.len();
    // A line that was cut off must not swallow the next one.
    let is_cut = fs::read(path).map_err(failed)?.last().is_some_and(|last| *last != b'\n');
    let lines = format!("{}{lines}", if is_cut { "\n" } else { "" });
    let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
    written.map_err(|error| {
        // What was refused must not be read as a decision at the next start.
        let _ = file.set_len(before);
        failed(error)
    })
}

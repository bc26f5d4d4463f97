use std::collections::HashMap;

use jiff::civil::DateTime;
use planet_data::Manifest;

use crate::{
    WorldError,
    truth::{SyntheticTruth, Truth},
};

/// One photo of a manifest with what is true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenPhoto {
    /// Row of the manifest.
    pub row: usize,
    /// What was drawn.
    pub drawn: SyntheticTruth,
    /// Local time in the manifest.
    pub time: Option<DateTime>,
    /// Whether the manifest gives its position, so that models are scored on it.
    pub scored: bool,
    /// Whether it is a copy of another photo.
    pub is_copy: bool,
}

/// The photos of a manifest from a world folder, as its `truth.csv` knows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GivenPhotos {
    /// In the manifest's order.
    pub photos: Vec<GivenPhoto>,
    /// Rows of `photos` by album, each in the order of time; a photo without an album is one of
    /// its own.
    pub albums: Vec<Vec<usize>>,
    /// Rows of the manifest that are no photographs; they are left out.
    pub non_photos: usize,
}

impl GivenPhotos {
    /// Looks up every row of a manifest in the truth of its root folder.
    ///
    /// # Errors
    /// The truth cannot be read, or does not know a photo of the manifest.
    pub fn of(manifest: &Manifest) -> Result<Self, WorldError> {
        let truths = Truth::read_all(&manifest.root)?;
        let mut given = Self::default();
        let mut album_rows: HashMap<String, usize> = HashMap::new();
        for (manifest_row, record) in manifest.records.iter().enumerate() {
            let truth = truths
                .get(&record.photo)
                .ok_or_else(|| WorldError::Unknown { photo: record.photo.clone() })?;
            let Some(drawn) = truth.drawn else {
                given.non_photos += 1;
                continue;
            };
            // A photo without an album is an album of its own, under a name no album has.
            let album = record.album.clone().unwrap_or_else(|| format!("\0{}", record.photo));
            let row = *album_rows.entry(album).or_insert_with(|| {
                given.albums.push(Vec::new());
                given.albums.len() - 1
            });
            given.albums[row].push(given.photos.len());
            given.photos.push(GivenPhoto {
                row: manifest_row,
                drawn,
                time: record.time.as_ref().and_then(|time| time.parse().ok()),
                scored: record.position.is_some(),
                is_copy: truth.duplicate_of.is_some(),
            });
        }
        for album in &mut given.albums {
            album.sort_by_key(|row| given.photos[*row].time);
        }
        Ok(given)
    }
}

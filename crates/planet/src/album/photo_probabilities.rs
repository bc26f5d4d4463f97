use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex},
};

use planet_data::{DiskStore, Manifest, Monitor};

use super::Embeddings;
use crate::{LocateError, LocateOptions, Model};

/// A network's output on many photos: a probability for every class, in a temporary file, since
/// over 26,000 classes it is 100 kB for each photo.
#[derive(Debug)]
pub struct PhotoProbabilities {
    file: Mutex<File>,
    classes: usize,
    /// Row in the file of each photo; `None` for one that has none.
    rows: Vec<Option<u64>>,
    written: u64,
    failed: Vec<(usize, String)>,
}

impl PhotoProbabilities {
    /// Runs a model over the photos of a manifest that `wanted` chooses by their row. The photos'
    /// embeddings are added to `embeddings` where it is given.
    ///
    /// # Errors
    /// The engine fails, the temporary file cannot be written, or the monitor ended it.
    pub fn compute(
        model: &mut Model,
        manifest: &Manifest,
        wanted: impl Fn(usize) -> bool,
        mut embeddings: Option<&mut Embeddings>,
        monitor: &dyn Monitor,
    ) -> Result<Self, LocateError<io::Error>> {
        let records = &manifest.records;
        let rows: Vec<usize> = (0..records.len()).filter(|row| wanted(*row)).collect();
        let photos: Vec<String> = rows.iter().map(|row| records[*row].photo.clone()).collect();
        let locator = model.locator();
        let mut computed =
            Self::new(records.len(), locator.partition().len()).map_err(LocateError::Taken)?;
        monitor.expect(photos.len() as u64);
        let options = LocateOptions { embedding: embeddings.is_some(), ..LocateOptions::default() };
        let store = Arc::new(DiskStore::new(&manifest.root));
        model.locate(store, &photos, options, monitor, |at, prediction, logits| {
            if let (Some(embeddings), Some(embedding)) = (&mut embeddings, &prediction.embedding) {
                embeddings.add(&prediction.photo, embedding);
            }
            match (prediction.error, locator.probabilities(logits)) {
                (None, Ok(probabilities)) => computed.put(rows[at], probabilities.values())?,
                (error, _) => computed.failed.push((rows[at], error.unwrap_or_default())),
            }
            Ok(())
        })?;
        Ok(computed)
    }

    /// Of distributions that are there already, `[classes]` each; `None` for a photo without one.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn of(
        classes: usize,
        photos: impl ExactSizeIterator<Item = Option<Vec<f32>>>,
    ) -> io::Result<Self> {
        let mut computed = Self::new(photos.len(), classes)?;
        for (row, probabilities) in photos.enumerate() {
            if let Some(probabilities) = probabilities {
                computed.put(row, &probabilities)?;
            }
        }
        Ok(computed)
    }

    /// For so many photos and classes; the file has no name and is gone with the process.
    fn new(photos: usize, classes: usize) -> io::Result<Self> {
        let file = Mutex::new(tempfile::tempfile()?);
        Ok(Self { file, classes, rows: vec![None; photos], written: 0, failed: Vec::new() })
    }

    fn put(&mut self, photo: usize, probabilities: &[f32]) -> io::Result<()> {
        let bytes: Vec<u8> = probabilities.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.file.get_mut().expect("nobody panicked with it").write_all(&bytes)?;
        self.rows[photo] = Some(self.written);
        self.written += 1;
        Ok(())
    }

    /// Of the photo in this row of the manifest, `[classes]`; `None` for one that was not wanted
    /// or cannot be read.
    pub fn get(&self, row: usize) -> Option<Vec<f32>> {
        let row = (*self.rows.get(row)?)?;
        let mut bytes = vec![0; 4 * self.classes];
        let mut file = self.file.lock().ok()?;
        file.seek(SeekFrom::Start(row * bytes.len() as u64)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }

    /// Why a photo has no probabilities, by its row.
    pub fn failed(&self) -> &[(usize, String)] {
        &self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_of_a_photo_is_given_back_in_any_order() {
        let mut kept = PhotoProbabilities::new(3, 2).expect("a temporary file");
        kept.put(2, &[0.25, 0.75]).expect("written");
        kept.put(0, &[1.0, 0.0]).expect("written");
        assert_eq!(kept.get(0), Some(vec![1.0, 0.0]));
        assert_eq!(kept.get(2), Some(vec![0.25, 0.75]));
        assert_eq!((kept.get(1), kept.get(3)), (None, None));
    }
}

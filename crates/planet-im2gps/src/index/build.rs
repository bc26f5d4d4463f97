use std::{
    io::{self, BufRead, Write},
    path::Path,
};

use planet_data::{
    Monitor, OutputFile, Photo, PhotoError, PhotoStore, Settings, table::Compression,
};
use planet_geo::LatLng;
use rand::{SeedableRng, seq::index::sample};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    IndexError,
    format::{Description, FORMAT, HEAD, Head, Tail, UnreadPhoto},
    scale,
};
use crate::{Extractor, TextonDictionary, TextonSamples};

/// Photos that are worked on at once before their rows are written.
const BLOCK: usize = 64;
/// Photos whose pixels the textons are made of.
const TEXTON_PHOTOS: usize = 1000;
/// Bytes of a row.
const ROW: usize = 4 * (1 + Extractor::VALUES);

/// A photo to index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedPhoto {
    /// Its id.
    pub photo: String,
    /// Where it was taken.
    pub position: LatLng,
}

/// How an index is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexBuild {
    /// Seed of the choice of samples and of their clustering.
    pub seed: u64,
    /// Whether to continue an interrupted index.
    pub resume: bool,
}

/// What was done.
#[derive(Debug)]
pub struct IndexSummary {
    /// Photos of the index.
    pub photos: usize,
    /// Those of them that an interrupted run had done before.
    pub resumed: usize,
    /// Textons.
    pub textons: usize,
    /// Photos that could not be read.
    pub unread: Vec<UnreadPhoto>,
}

impl IndexBuild {
    /// Builds the index of some photos at `path`. The file appears when it is whole; an
    /// interrupted one stays in `PATH.part`.
    ///
    /// # Errors
    /// The file cannot be written, no photo can be read, an interrupted index is of other photos
    /// or settings, or the monitor ends it.
    pub fn run(
        &self,
        path: &Path,
        photos: &[IndexedPhoto],
        store: &dyn PhotoStore,
        monitor: &dyn Monitor,
    ) -> Result<IndexSummary, IndexError> {
        if Compression::of_name(&path.to_string_lossy()).0 != Compression::None {
            return Err(IndexError::Compressed { path: path.to_owned() });
        }
        if photos.is_empty() {
            return Err(IndexError::Empty);
        }
        let settings = self.settings(photos);
        let failed = IndexError::file(path);
        let (file, before) = match self.resume {
            true => OutputFile::resume(path, &settings)?,
            false => (OutputFile::create_resumable(path, &settings)?, None),
        };
        let mut rows = Rows::new(file, photos.len(), self.seed);
        let learnt =
            before.map(|part| rows.take_over(part)).transpose().map_err(&failed)?.flatten();
        let steps = photos.len() + if learnt.is_some() { 0 } else { sampled(photos) };
        monitor.expect(steps as u64);
        let textons = match learnt {
            Some(textons) => textons,
            None => {
                let textons = self.textons(photos, store, monitor)?;
                rows.begin(&textons).map_err(&failed)?;
                textons
            }
        };
        let words = textons.centres().len() / 32;
        let resumed = rows.numbers.len();
        monitor.advance(resumed as u64);
        let extractor = Extractor::new(textons);
        let mut unread = Vec::new();
        for block in rows.missing().chunks(BLOCK) {
            if monitor.cancelled() {
                rows.flush().map_err(&failed)?;
                return Err(IndexError::Cancelled);
            }
            let row = |&number: &usize| Ok(extractor.row(&store.photo(&photos[number].photo)?));
            let found: Vec<Result<Vec<f32>, PhotoError>> = block.par_iter().map(row).collect();
            for (&number, row) in block.iter().zip(found) {
                match row {
                    Ok(row) => rows.add(number, row).map_err(&failed)?,
                    Err(error) => {
                        let photo = photos[number].photo.clone();
                        unread.push(UnreadPhoto { photo, error });
                    }
                }
            }
            monitor.advance(block.len() as u64);
        }
        let found = rows.numbers.len();
        if found == 0 {
            let UnreadPhoto { photo: first, error: source } = unread.swap_remove(0);
            return Err(IndexError::NoPhotos { photos: photos.len(), first, source });
        }
        rows.finish(photos).map_err(&failed)?;
        Ok(IndexSummary { photos: found, resumed, textons: words, unread })
    }

    /// What a resumed index must have in common.
    fn settings(&self, photos: &[IndexedPhoto]) -> Settings {
        let mut hasher = blake3::Hasher::new();
        for IndexedPhoto { photo, position } in photos {
            hasher.update(photo.as_bytes()).update(b"\n");
            hasher.update(&position.lat().to_le_bytes()).update(&position.lng().to_le_bytes());
        }
        let hash = &hasher.finalize().to_hex()[..16];
        let photos = format!("{} photos ({hash})", photos.len());
        [
            ("the photos", photos),
            ("--seed", self.seed.to_string()),
            ("--version", "2008".to_owned()),
            ("the format", FORMAT.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Textons of a sample of the photos.
    fn textons(
        &self,
        photos: &[IndexedPhoto],
        store: &dyn PhotoStore,
        monitor: &dyn Monitor,
    ) -> Result<TextonDictionary, IndexError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut chosen = sample(&mut random, photos.len(), sampled(photos)).into_vec();
        chosen.sort_unstable();
        let mut samples = TextonSamples::default();
        for block in chosen.chunks(BLOCK) {
            if monitor.cancelled() {
                return Err(IndexError::Cancelled);
            }
            let of = |&at: &usize| {
                let photo: Photo = store.photo(&photos[at].photo).ok()?;
                Some(TextonSamples::of(&photo, self.seed ^ at as u64))
            };
            // A photo that cannot be read is reported when its row is due.
            let found: Vec<_> = block.par_iter().filter_map(of).collect();
            found.iter().for_each(|it| samples.extend(it));
            monitor.advance(block.len() as u64);
        }
        Ok(TextonDictionary::learn(&samples, self.seed))
    }
}

fn sampled(photos: &[IndexedPhoto]) -> usize {
    photos.len().min(TEXTON_PHOTOS)
}

/// The file in the making: hashed as it is written.
struct Rows {
    file: OutputFile,
    hasher: blake3::Hasher,
    written: u64,
    /// Of each row, the photo's number.
    numbers: Vec<u32>,
    /// Of each photo, whether its row is there.
    done: Vec<bool>,
    /// Photos between which distances are measured, in order.
    sample: Vec<usize>,
    sampled: Vec<Vec<f32>>,
}

impl Rows {
    fn new(file: OutputFile, photos: usize, seed: u64) -> Self {
        // Another stream than that of the textons.
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1);
        let mut sample = sample(&mut random, photos, photos.min(scale::SAMPLE)).into_vec();
        sample.sort_unstable();
        let (hasher, numbers, sampled) = Default::default();
        Self { file, hasher, written: 0, numbers, done: vec![false; photos], sample, sampled }
    }

    /// Photos whose row is not there, in order; also those that an earlier run could not read.
    fn missing(&self) -> Vec<usize> {
        (0..self.done.len()).filter(|number| !self.done[*number]).collect()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    fn begin(&mut self, textons: &TextonDictionary) -> io::Result<()> {
        let centres = textons.centres();
        let textons = (centres.len() / 32) as u32;
        let head = Head { format: FORMAT, values: Extractor::VALUES as u32, textons };
        self.write(&head.to_bytes())?;
        self.write(bytemuck::cast_slice(&centres))
    }

    fn add(&mut self, number: usize, row: Vec<f32>) -> io::Result<()> {
        self.write(&(number as u32).to_le_bytes())?;
        self.write(bytemuck::cast_slice(&row))?;
        self.numbers.push(number as u32);
        self.done[number] = true;
        if self.sample.binary_search(&number).is_ok() {
            self.sampled.push(row);
        }
        Ok(())
    }

    /// Copies what is sound of an interrupted file; `None` where that does not reach the rows.
    fn take_over(
        &mut self,
        mut part: Box<dyn BufRead + Send>,
    ) -> io::Result<Option<TextonDictionary>> {
        let mut head = [0; HEAD];
        if !filled(&mut part, &mut head) {
            return Ok(None);
        }
        let Some(Head { textons, .. }) = Head::of(&head) else { return Ok(None) };
        let mut centres = vec![0.0f32; 32 * (textons as usize).min(TextonDictionary::WORDS)];
        if !filled(&mut part, bytemuck::cast_slice_mut(&mut centres)) {
            return Ok(None);
        }
        let Some(dictionary) = TextonDictionary::from_centres(&centres) else { return Ok(None) };
        self.begin(&dictionary)?;
        let mut bytes = vec![0; ROW];
        while filled(&mut part, &mut bytes) {
            let (number, row) = bytes.split_first_chunk::<4>().expect("a row is longer");
            let number = u32::from_le_bytes(*number) as usize;
            let row: Vec<f32> =
                row.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
            let sound =
                self.done.get(number) == Some(&false) && row.iter().all(|value| value.is_finite());
            // The description of a run that was ended at the very last is no row.
            if !sound {
                break;
            }
            self.add(number, row)?;
        }
        self.file.flush()?;
        self.file.replace_part()?;
        Ok(Some(dictionary))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn finish(mut self, photos: &[IndexedPhoto]) -> io::Result<()> {
        let of = |number: &u32| &photos[*number as usize];
        let about = Description {
            version: "2008".to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            descriptors: scale::deviations(&self.sampled),
            photos: self.numbers.iter().map(|number| of(number).photo.clone()).collect(),
            positions: self
                .numbers
                .iter()
                .map(|number| [of(number).position.lat(), of(number).position.lng()])
                .collect(),
        };
        let text = serde_json::to_vec(&about).expect("texts and finite numbers become JSON");
        let place = [self.written, text.len() as u64];
        self.write(&text)?;
        self.write(&Tail::hashed(self.numbers.len() as u64, place))?;
        let hash = *self.hasher.finalize().as_bytes();
        self.file.write_all(&hash)?;
        self.file.finish()
    }
}

/// Fills all of a buffer; `false` where what is left is shorter.
fn filled(part: &mut dyn BufRead, buffer: &mut [u8]) -> bool {
    part.read_exact(buffer).is_ok()
}

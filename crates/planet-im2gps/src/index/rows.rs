use std::{
    io::{self, BufRead, Read, Write},
    path::Path,
};

use planet_data::OutputFile;
use rand::{SeedableRng, seq::index::sample};
use rand_chacha::ChaCha8Rng;

use super::{
    IndexedPhoto,
    format::{Description, FORMAT, HEAD, Head, Tail},
    scale,
};
use crate::{Dictionaries, TextonDictionary, Version, Vocabulary};

/// The file in the making: hashed as it is written.
pub struct Rows {
    version: Version,
    file: OutputFile,
    hasher: blake3::Hasher,
    written: u64,
    /// Of each row, the photo's number.
    pub numbers: Vec<u32>,
    /// Of each photo, whether its row is there.
    done: Vec<bool>,
    /// Photos between which distances are measured, in order.
    sample: Vec<usize>,
    sampled: Vec<Vec<f32>>,
}

impl Rows {
    pub fn new(version: Version, file: OutputFile, photos: usize, seed: u64) -> Self {
        // Another stream than that of the dictionaries.
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1);
        let mut sample = sample(&mut random, photos, photos.min(scale::SAMPLE)).into_vec();
        sample.sort_unstable();
        let (hasher, numbers, sampled) = Default::default();
        let done = vec![false; photos];
        Self { version, file, hasher, written: 0, numbers, done, sample, sampled }
    }

    /// Photos whose row is not there, in order; also those that an earlier run could not read.
    pub fn missing(&self) -> Vec<usize> {
        (0..self.done.len()).filter(|number| !self.done[*number]).collect()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    pub fn begin(&mut self, dictionaries: &Dictionaries) -> io::Result<()> {
        let centres = dictionaries.textons.centres();
        let words = match self.version {
            Version::Im2Gps2008 => Vec::new(),
            Version::Im2Gps2014 => dictionaries.words.to_bytes(),
        };
        let head = Head {
            format: FORMAT,
            version: self.version.year(),
            values: self.version.values() as u32,
            textons: (centres.len() / 32) as u32,
            words: words.len() as u32,
        };
        self.write(&head.to_bytes())?;
        self.write(bytemuck::cast_slice(&centres))?;
        self.write(&words)
    }

    pub fn add(&mut self, number: usize, row: Vec<f32>) -> io::Result<()> {
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
    pub fn take_over(
        &mut self,
        mut part: Box<dyn BufRead + Send>,
    ) -> io::Result<Option<Dictionaries>> {
        let Some(dictionaries) = dictionaries(&mut part) else { return Ok(None) };
        self.begin(&dictionaries)?;
        let mut bytes = vec![0; 4 * (1 + self.version.values())];
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
        Ok(Some(dictionaries))
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    pub fn finish(mut self, photos: &[IndexedPhoto], root: &Path) -> io::Result<()> {
        let of = |number: &u32| &photos[*number as usize];
        let about = Description {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            root: root.display().to_string(),
            descriptors: scale::deviations(self.version, &self.sampled),
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

/// The dictionaries of an interrupted file; `None` where it has not all of them.
fn dictionaries(part: &mut dyn BufRead) -> Option<Dictionaries> {
    let mut head = [0; HEAD];
    filled(part, &mut head).then_some(())?;
    let Head { textons, words, .. } = Head::of(&head)?;
    let mut centres = vec![0.0f32; 32 * (textons as usize).min(TextonDictionary::WORDS)];
    filled(part, bytemuck::cast_slice_mut(&mut centres)).then_some(())?;
    let mut bytes = Vec::new();
    part.take(words.into()).read_to_end(&mut bytes).ok()?;
    let words = match &bytes[..] {
        [] => Vocabulary::default(),
        bytes => Vocabulary::from_bytes(bytes)?,
    };
    Some(Dictionaries { textons: TextonDictionary::from_centres(&centres)?, words })
}

/// Fills all of a buffer; `false` where what is left is shorter.
fn filled(part: &mut dyn BufRead, buffer: &mut [u8]) -> bool {
    part.read_exact(buffer).is_ok()
}

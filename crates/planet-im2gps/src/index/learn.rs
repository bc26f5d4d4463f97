use planet_data::{Monitor, PhotoStore};
use rand::{SeedableRng, seq::index::sample};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{IndexError, IndexedPhoto, build::BLOCK};
use crate::{
    Dictionaries, TextonDictionary, TextonSamples, Version, Vocabulary, WordSamples, WorkingImage,
};

/// Photos whose pixels the textons are made of.
const TEXTON_PHOTOS: usize = 1000;
/// Photos whose local features the words are made of.
const WORD_PHOTOS: usize = 4000;

/// Learns the dictionaries of an index from a sample of its photos.
pub struct Learning<'a> {
    pub version: Version,
    pub photos: &'a [IndexedPhoto],
    pub store: &'a dyn PhotoStore,
    pub seed: u64,
}

/// What is learnt of a photo.
struct Sample {
    textons: Option<TextonSamples>,
    words: Option<WordSamples>,
}

impl Learning<'_> {
    /// Photos that are looked at.
    pub fn steps(&self) -> usize {
        let most = match self.version {
            Version::Im2Gps2008 => TEXTON_PHOTOS,
            Version::Im2Gps2014 => WORD_PHOTOS,
        };
        self.photos.len().min(most)
    }

    /// Learns them. A photo that cannot be read is left out here.
    ///
    /// # Errors
    /// The monitor ends it.
    pub fn run(&self, monitor: &dyn Monitor) -> Result<Dictionaries, IndexError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let photos = sample(&mut random, self.photos.len(), self.steps()).into_vec();
        // The first ones of the sample are a sample as well.
        let mut chosen: Vec<(usize, bool)> =
            photos.into_iter().enumerate().map(|(at, photo)| (photo, at < TEXTON_PHOTOS)).collect();
        chosen.sort_unstable();
        let (mut textons, mut words) = (TextonSamples::default(), WordSamples::default());
        for block in chosen.chunks(BLOCK) {
            if monitor.cancelled() {
                return Err(IndexError::Cancelled);
            }
            let of = |&(photo, with_textons): &(usize, bool)| self.sample(photo, with_textons);
            // A photo that cannot be read is reported when its row is due.
            let found: Vec<Sample> = block.par_iter().filter_map(of).collect();
            for sample in found {
                sample.textons.iter().for_each(|it| textons.extend(it));
                sample.words.into_iter().for_each(|it| words.extend(it));
            }
            monitor.advance(block.len() as u64);
        }
        let words = match self.version {
            Version::Im2Gps2008 => Vocabulary::default(),
            Version::Im2Gps2014 => Vocabulary::learn(&words, self.seed),
        };
        Ok(Dictionaries { textons: TextonDictionary::learn(&textons, self.seed), words })
    }

    fn sample(&self, number: usize, with_textons: bool) -> Option<Sample> {
        let photo = self.store.photo(&self.photos[number].photo).ok()?;
        let seed = self.seed ^ number as u64;
        let textons = with_textons.then(|| TextonSamples::of(&photo, seed));
        let words = match self.version {
            Version::Im2Gps2008 => None,
            Version::Im2Gps2014 => Some(WordSamples::of(&WorkingImage::new(&photo), seed)),
        };
        Some(Sample { textons, words })
    }
}

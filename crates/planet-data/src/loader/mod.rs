//! Photos as a network takes them, batch after batch, decoded ahead on all cores.

mod augment;
mod batches;
mod order;

use std::{num::NonZero, sync::Arc};

use rand::Rng;
use thiserror::Error;

pub use augment::Augment;
pub(crate) use augment::recolour;
pub use batches::Batches;

use self::order::{Order, Runs, sample_random};
use crate::{
    Edits, Photo, PhotoError, PhotoStore, PixelBatch, Preprocess, guard::guarded,
    preprocess::Fitted, thumbnail,
};

/// Photos that are tried in the place of one that failed, before the loader gives up.
const MOST_REPLACEMENTS: u64 = 16;
/// Longer side of photos that are edited, in sides of the network's input: a crop to a quarter of
/// the area still has all pixels that the network takes.
const EDITED_SIDES: usize = 2;

/// How a [`Loader`] goes through its photos.
#[derive(Clone, Debug, PartialEq)]
pub struct LoaderOptions {
    /// Photos in a batch.
    pub batch: usize,
    /// Rows that the shuffling buffer holds; `None` keeps the rows' order.
    pub shuffle: Option<usize>,
    /// Neighbouring rows that stay together, in their order, where rows are shuffled: 2 where the
    /// photos are pairs.
    pub together: usize,
    /// Seed of order and variation.
    pub seed: u64,
    /// Number of this process, from 0.
    pub rank: usize,
    /// Number of processes that share the photos.
    pub world_size: usize,
    /// Threads that decode; `None` takes as many as there are cores.
    pub threads: Option<usize>,
    /// Batches that are decoded ahead.
    pub ahead: usize,
    /// What becomes of a photo that cannot be decoded.
    pub failed: FailedPhotos,
    /// Leave out the last batch where it is not full, so that all ranks have equally many.
    pub drop_last: bool,
    /// Variation of the photos.
    pub augment: Augment,
    /// Changes of the last of the rows that stay together: of every photo where `together` is 1, of
    /// the second of each pair where it is 2.
    pub edits: Option<Edits>,
}

impl LoaderOptions {
    /// For training: shuffled, failed photos replaced, full batches only.
    pub fn training(batch: usize, seed: u64) -> Self {
        Self {
            batch,
            shuffle: Some(1 << 16),
            together: 1,
            seed,
            rank: 0,
            world_size: 1,
            threads: None,
            ahead: 2,
            failed: FailedPhotos::Replace,
            drop_last: true,
            augment: Augment::default(),
            edits: None,
        }
    }

    /// For evaluation: every photo once, in order, nothing varied, failed ones left out and named.
    pub fn evaluation(batch: usize) -> Self {
        Self {
            shuffle: None,
            failed: FailedPhotos::LeaveOut,
            drop_last: false,
            ..Self::training(batch, 0)
        }
    }
}

/// What becomes of a photo that cannot be decoded. It is counted and named either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedPhotos {
    /// Another photo, drawn from all, takes its place: batches stay full.
    Replace,
    /// The batch has one photo less.
    LeaveOut,
}

/// A batch of photos.
#[derive(Debug)]
pub struct Batch {
    /// Number of the batch in its epoch, from 0.
    pub number: usize,
    /// f32 `[photos, 3, height, width]`.
    pub pixels: PixelBatch,
    /// The row of each photo in the list that the loader was given.
    pub rows: Vec<usize>,
    /// Photos that could not be decoded, replaced or left out.
    pub failed: Vec<FailedPhoto>,
}

/// A photo that could not be decoded.
#[derive(Debug)]
pub struct FailedPhoto {
    /// Its row.
    pub row: usize,
    /// Its id.
    pub photo: String,
    /// Why.
    pub error: PhotoError,
}

/// Why a loader cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoaderError {
    /// Options that make no sense.
    #[error("{0}")]
    Options(&'static str),
    /// A photo and all that were tried in its place failed.
    #[error(
        "{photo}: {error}; {MOST_REPLACEMENTS} replacement photos failed too: check the folder of the photos"
    )]
    TooManyFailures {
        /// The first photo's id.
        photo: String,
        /// Why it failed.
        error: PhotoError,
    },
    /// A decoding thread broke down outside any photo, whose panics are the photo's own error.
    #[error("a decoding thread failed; please report this defect")]
    Thread,
}

/// Goes through the photos of a dataset, epoch by epoch.
///
/// What comes, and in which order, depends on seed, epoch, rank and world size alone, not on
/// the number of threads. A row of the epoch's order goes to the rank that its place modulo
/// the world size names.
#[derive(Clone)]
pub struct Loader {
    store: Arc<dyn PhotoStore>,
    photos: Arc<[String]>,
    runs: Arc<Runs>,
    preprocess: Preprocess,
    options: LoaderOptions,
}

impl Loader {
    /// A loader of the photos with these ids.
    ///
    /// # Errors
    /// A batch of no photos, a rank beyond the world, more than 4 billion photos, a
    /// preprocessing that makes no sense.
    pub fn new(
        store: Arc<dyn PhotoStore>,
        photos: Vec<String>,
        preprocess: Preprocess,
        options: LoaderOptions,
    ) -> Result<Self, LoaderError> {
        if options.batch == 0 || options.ahead == 0 {
            return Err(LoaderError::Options(
                "the batch size and the number of batches read ahead must be at least 1",
            ));
        }
        let together = options.together;
        if together == 0
            || !options.batch.is_multiple_of(together)
            || !photos.len().is_multiple_of(together)
        {
            return Err(LoaderError::Options(
                "the photos and the batch size must be multiples of the rows that stay together",
            ));
        }
        if options.rank >= options.world_size {
            return Err(LoaderError::Options("the rank must be less than the world size"));
        }
        if u32::try_from(photos.len()).is_err() {
            return Err(LoaderError::Options("more than 4,294,967,295 photos; split the manifest"));
        }
        if preprocess.check().is_err() {
            return Err(LoaderError::Options(
                "the preprocessing's size, share or scaling is invalid",
            ));
        }
        let runs = Arc::new(Runs::of(photos.iter().step_by(together)));
        Ok(Self { store, photos: photos.into(), runs, preprocess, options })
    }

    /// Number of batches that this rank has in an epoch.
    pub fn batches_per_epoch(&self) -> usize {
        let LoaderOptions { batch, together, rank, world_size, drop_last, .. } = self.options;
        let units = self.photos.len() / together;
        if drop_last {
            units / world_size * together / batch
        } else {
            (units.saturating_sub(rank).div_ceil(world_size) * together).div_ceil(batch)
        }
    }

    /// The batches of one epoch, beginning with the given one: 0, or where an interrupted run
    /// left off. What is skipped is not decoded.
    pub fn epoch(&self, epoch: u64, first: usize) -> Batches {
        let threads = self
            .options
            .threads
            .or_else(|| std::thread::available_parallelism().ok().map(NonZero::get));
        Batches::start(self.clone(), epoch, first, threads.unwrap_or(1).max(1))
    }

    /// The (place, row) pairs of this rank in an epoch.
    fn places(&self, epoch: u64) -> impl Iterator<Item = (u64, usize)> + use<> {
        let runs = Arc::clone(&self.runs);
        let order = match self.options.shuffle {
            Some(buffer) => Order::shuffled(runs, buffer, self.options.seed, epoch),
            None => Order::plain(runs),
        };
        let LoaderOptions { rank, world_size, together, .. } = self.options;
        let units = (0u64..).zip(order).skip(rank).step_by(world_size);
        units.flat_map(move |(place, unit)| {
            (0..together).map(move |at| (place * together as u64 + at as u64, unit * together + at))
        })
    }

    /// The photo at one place of an epoch, or another for it.
    fn sample(&self, epoch: u64, place: u64, row: usize) -> Result<Sample, LoaderError> {
        let mut random = sample_random(self.options.seed, epoch, place);
        let mut failed = Vec::new();
        let mut row = row;
        for _ in 0..=MOST_REPLACEMENTS {
            let augment = &self.options.augment;
            let id = &self.photos[row];
            // A store or decoder that panics costs this photo, not the epoch.
            let fitted = guarded(|| {
                // A random crop may want every pixel.
                let photo = match augment.crop {
                    Some(_) => self.store.photo(id),
                    None => self.store.photo_for(id, &self.preprocess),
                }?;
                let photo = self.edited(photo, place, &mut random);
                Ok(augment.apply(&self.preprocess, &photo, &mut random))
            });
            match fitted.unwrap_or_else(|message| Err(PhotoError::Panicked { message })) {
                Ok(fitted) => return Ok(Sample { photo: Some((row, fitted)), failed }),
                Err(error) => {
                    failed.push(FailedPhoto { row, photo: self.photos[row].clone(), error });
                }
            }
            if self.options.failed == FailedPhotos::LeaveOut {
                return Ok(Sample { photo: None, failed });
            }
            row = rand::RngExt::random_range(&mut random, 0..self.photos.len());
        }
        let FailedPhoto { photo, error, .. } = failed.swap_remove(0);
        Err(LoaderError::TooManyFailures { photo, error })
    }
}

impl Loader {
    /// The photo as the options change it at this place, reduced before to about what the network
    /// sees of it.
    fn edited(&self, photo: Photo, place: u64, random: &mut impl Rng) -> Photo {
        let together = self.options.together as u64;
        let Some(edits) = self.options.edits.as_ref().filter(|_| place % together == together - 1)
        else {
            return photo;
        };
        let side = (EDITED_SIDES * self.preprocess.size[0].max(self.preprocess.size[1])) as u32;
        match photo.width().max(photo.height()) > side {
            true => edits.apply(&thumbnail(&photo, side), random),
            false => edits.apply(&photo, random),
        }
    }
}

/// What came of one place.
struct Sample {
    /// The row and its photo, in bytes still: they take a quarter of the memory.
    photo: Option<(usize, Fitted)>,
    failed: Vec<FailedPhoto>,
}

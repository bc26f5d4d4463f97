//! Runs a network over the photos of a loader, in batches that suit both.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

use planet_data::{Batch, Batches, Loader, LoaderError};

use crate::{Activations, Engine, EngineError};

/// How many photos an engine takes at once.
///
/// With [`BatchSize::Auto`] the first calls take 8, 16 and 32 photos in turn, three times, and those
/// that follow as many as took least time per photo. A size whose call is expected to last longer
/// than a quarter of a second is not tried: a slow network gains nothing by it, and needs more memory. What is
/// chosen is forgotten at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchSize {
    /// What proves quickest.
    #[default]
    Auto,
    /// This number, at least 1.
    Photos(usize),
}

/// Most photos that an engine may be asked to take at once.
const MOST: usize = 512;

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Photos(photos) => photos.fmt(f),
        }
    }
}

impl FromStr for BatchSize {
    type Err = String;

    /// Reads `auto` and numbers from 1 to 512.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let photos = text.parse().ok().filter(|photos| (1..=MOST).contains(photos));
        photos
            .map(Self::Photos)
            .ok_or_else(|| format!("neither auto nor a number from 1 to {MOST}"))
    }
}

/// The photos of a loader with the activations of a network, batch after batch, while the next ones
/// are decoded.
pub(crate) struct Inference<'a> {
    engine: &'a mut dyn Engine,
    batches: Batches,
    tuner: Tuner,
    divided: bool,
}

impl<'a> Inference<'a> {
    /// Begins. The loader should be one for evaluation ([`planet_data::LoaderOptions::evaluation`]); its
    /// own batch size is not used.
    pub(crate) fn new(engine: &'a mut dyn Engine, loader: &Loader, batch: BatchSize) -> Self {
        Self { engine, batches: loader.epoch(0, 0), tuner: Tuner::new(batch), divided: false }
    }

    /// With a batch of one photo computed as a batch of two (see [`crate::LocateOptions::divided`]).
    pub(crate) fn divided(self, divided: bool) -> Self {
        Self { divided, ..self }
    }

    /// The name of the engine ([`Engine::name`]).
    pub(crate) fn engine_name(&self) -> &str {
        self.engine.name()
    }

    /// The next photos; `None` at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, LoaderError> {
        self.batches.next_of(self.tuner.size()).transpose()
    }

    /// The activations of the photos of [`Inference::next_batch`]; none where none could be decoded.
    pub(crate) fn run(&mut self, batch: &Batch) -> Result<Activations, EngineError> {
        let began = Instant::now();
        let activations = match batch.rows.len() {
            // An engine need not take a batch of no photos.
            0 => Activations::default(),
            1 if self.divided && self.tuner.size() > 1 => {
                let mut twice = batch.pixels.clone();
                twice.push(batch.pixels.values());
                self.engine.run_checked(&twice)?
            }
            _ => self.engine.run_checked(&batch.pixels)?,
        };
        self.tuner.record(batch.rows.len(), began.elapsed());
        Ok(activations)
    }
}

/// Sizes among which the tuner chooses.
const SIZES: [usize; 3] = [8, 16, 32];
/// Calls of each size. The least time counts, so that neither a first call, which fetches memory, nor
/// another program decides.
const ROUNDS: usize = 3;
/// Longest call that is tried: until it ends, there is no progress, and an interrupt waits.
const LONGEST: Duration = Duration::from_millis(250);
/// A larger size has to save this share of the time, for its memory.
const WORTH: f64 = 0.03;

/// Chooses a batch size by the time that calls take.
#[derive(Debug)]
struct Tuner {
    /// The size, once it is chosen.
    chosen: Option<usize>,
    /// Number of the call that is tried, below `ROUNDS * SIZES.len()`; the sizes take turns.
    call: usize,
    /// Least seconds per photo of each size so far.
    least: [f64; SIZES.len()],
}

impl Tuner {
    fn new(batch: BatchSize) -> Self {
        let chosen = match batch {
            BatchSize::Auto => None,
            BatchSize::Photos(photos) => Some(photos.max(1)),
        };
        Self { chosen, call: 0, least: [f64::INFINITY; SIZES.len()] }
    }

    /// Photos of the next call.
    fn size(&self) -> usize {
        self.chosen.unwrap_or(SIZES[self.call % SIZES.len()])
    }

    /// Takes note of how long a call of [`Tuner::size`] took; photos that cannot be decoded make it
    /// smaller.
    fn record(&mut self, photos: usize, time: Duration) {
        if self.chosen.is_some() || photos == 0 {
            return;
        }
        let least = &mut self.least[self.call % SIZES.len()];
        *least = least.min(time.as_secs_f64() / photos as f64);
        self.call += 1;
        while self.call < ROUNDS * SIZES.len() && !self.worth_trying() {
            self.call += 1;
        }
        if self.call == ROUNDS * SIZES.len() {
            let enough = self.quickest() / (1.0 - WORTH);
            let size = SIZES.into_iter().zip(self.least).find(|(_, least)| *least <= enough);
            self.chosen = size.map(|(size, _)| size);
        }
    }

    /// Whether a call of the next size may be expected to be short enough; the smallest always is.
    fn worth_trying(&self) -> bool {
        let at = self.call % SIZES.len();
        at == 0 || SIZES[at] as f64 * self.quickest() <= LONGEST.as_secs_f64()
    }

    fn quickest(&self) -> f64 {
        self.least.into_iter().fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of the first calls, and the one that is kept, where calls take `seconds`.
    fn tuned(seconds: impl Fn(usize) -> f64) -> (Vec<usize>, usize) {
        let mut tuner = Tuner::new(BatchSize::Auto);
        let mut sizes = Vec::new();
        while tuner.chosen.is_none() {
            sizes.push(tuner.size());
            tuner.record(tuner.size(), Duration::from_secs_f64(seconds(tuner.size())));
        }
        (sizes, tuner.size())
    }

    #[test]
    fn sizes_take_turns_and_the_quickest_is_kept() {
        let rounds = [8, 16, 32].repeat(3);
        // Each call costs four milliseconds, and each photo one.
        assert_eq!(tuned(|photos| 0.004 + 0.001 * photos as f64), (rounds.clone(), 32));
        // A larger batch costs more from 16 photos on, where a cache is full.
        let full =
            |photos: usize| 0.004 + 0.001 * photos as f64 * if photos > 16 { 2.0 } else { 1.0 };
        assert_eq!(tuned(full), (rounds.clone(), 16));
        // Nothing is gained.
        assert_eq!(tuned(|photos| 0.001 * photos as f64), (rounds, 8));
    }

    #[test]
    fn a_slow_network_is_not_tried_with_many_photos() {
        // 15 and 20 ms a photo, whatever the size: 240 and 320 ms for 16, 480 ms for 32.
        assert_eq!(tuned(|photos| 0.015 * photos as f64), ([8, 16].repeat(3), 8));
        assert_eq!(tuned(|photos| 0.02 * photos as f64), ([8].repeat(3), 8));
    }

    #[test]
    fn one_slow_call_does_not_decide() {
        let mut tuner = Tuner::new(BatchSize::Auto);
        for call in 0..9 {
            let photos = tuner.size();
            let delay = if call == 5 { 0.2 } else { 0.004 };
            tuner.record(photos, Duration::from_secs_f64(delay + 0.001 * photos as f64));
        }
        assert_eq!(tuner.chosen, Some(32));
    }

    #[test]
    fn batches_without_photos_are_not_measured() {
        let mut tuner = Tuner::new(BatchSize::Auto);
        (0..100).for_each(|_| tuner.record(0, Duration::from_secs(1)));
        assert_eq!((tuner.call, tuner.size()), (0, 8));
    }

    #[test]
    fn a_stated_size_is_kept() {
        let mut tuner = Tuner::new(BatchSize::Photos(5));
        tuner.record(5, Duration::from_secs(1));
        assert_eq!(tuner.size(), 5);
    }

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for batch in [BatchSize::Auto, BatchSize::Photos(1), BatchSize::Photos(512)] {
            assert_eq!(batch.to_string().parse(), Ok(batch));
        }
        for wrong in ["", "0", "513", "-1", "8.0", "Auto"] {
            assert!(wrong.parse::<BatchSize>().is_err(), "{wrong}");
        }
    }
}

use std::{
    collections::HashMap,
    f64::consts::PI,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use planet_data::Photo;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustfft::num_complex::Complex32;

use crate::{
    WorkingImage,
    fourier::{Fourier, mirrored},
    k_means::{Centres, k_means},
};

/// Numbers of a pixel: the responses of 8 orientations × 2 scales × 2 elongations.
const FILTERS: usize = 32;
const ORIENTATIONS: usize = 8;
/// Standard deviations across a filter in pixels.
const SCALES: [f64; 2] = [1.0, 2.0];
/// Standard deviation along a filter by that across it.
const ELONGATIONS: [f64; 2] = [2.0, 3.0];
/// Half a filter's side: three times its greatest standard deviation, 2 × 3 pixels.
const REACH: usize = 18;
/// Pixels between those that are counted, along both sides: neighbours say the same.
const STRIDE: usize = 2;

/// The textons: centres of the responses of a filter bank at the pixels of many photos
/// (Martin, Fowlkes and Malik 2001), and histograms over them.
///
/// Each filter is the second derivative of a Gaussian across its orientation, longer along it,
/// with mean zero and absolute values that sum to one. They see BT.601 luma, 0..=1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextonDictionary {
    centres: Centres,
}

/// Responses of randomly chosen pixels, from which a dictionary is made.
#[derive(Clone, Debug, Default)]
pub struct TextonSamples(Vec<f32>);

impl TextonSamples {
    /// Pixels chosen from each photo.
    const PIXELS: usize = 100;

    /// Chooses pixels of a photo; the seed should differ between photos.
    pub fn of(photo: &Photo, seed: u64) -> Self {
        let responses = responses(&WorkingImage::new(photo));
        let pixels = responses.as_chunks::<FILTERS>().0;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let chosen = (0..Self::PIXELS).map(|_| pixels[random.random_range(0..pixels.len())]);
        Self(chosen.flatten().collect())
    }

    /// Adds those of another photo.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }
}

impl TextonDictionary {
    /// Textons of a dictionary (paper: 512), the length of a histogram.
    pub const WORDS: usize = 512;
    /// Rounds of k-means.
    const ROUNDS: usize = 20;

    /// Clusters samples by k-means. With fewer distinct samples than words the dictionary has
    /// fewer words; the histograms' other bins stay empty.
    pub fn learn(samples: &TextonSamples, seed: u64) -> Self {
        Self { centres: k_means(&samples.0, FILTERS, Self::WORDS, Self::ROUNDS, seed) }
    }

    /// A dictionary of these centres, `[words, 32]`; `None` where they are not so many numbers,
    /// too many words, or not finite.
    pub fn from_centres(centres: &[f32]) -> Option<Self> {
        let sound = centres.len().is_multiple_of(FILTERS)
            && centres.len() <= FILTERS * Self::WORDS
            && centres.iter().all(|value| value.is_finite());
        sound.then(|| Self { centres: Centres::new(centres, FILTERS) })
    }

    /// `[words, 32]`
    pub fn centres(&self) -> Vec<f32> {
        self.centres.values()
    }

    /// The word nearest to each pixel that is counted, every second one of every second row; none
    /// where the dictionary is empty.
    pub(super) fn words_of(&self, image: &WorkingImage) -> Vec<u32> {
        if self.centres.len() == 0 {
            return Vec::new();
        }
        let (responses, mut memory) = (responses(image), Vec::new());
        let pixels = responses.as_chunks::<FILTERS>().0.iter();
        pixels.map(|pixel| self.centres.nearest(pixel, &mut memory) as u32).collect()
    }

    /// Appends the shares of the photo's pixels that are nearest to each word. They sum to one,
    /// or to zero where the dictionary is empty.
    pub(super) fn append(words: &[u32], values: &mut Vec<f32>) {
        let mut counts = vec![0u32; Self::WORDS];
        words.iter().for_each(|word| counts[*word as usize] += 1);
        let share = if words.is_empty() { 0.0 } else { 1.0 / words.len() as f32 };
        values.extend(counts.into_iter().map(|count| count as f32 * share));
    }
}

/// The pixels that textons are counted at: their places in `[height, width]`.
pub(super) fn counted([height, width]: [usize; 2]) -> impl Iterator<Item = usize> {
    let rows = (0..height).step_by(STRIDE);
    rows.flat_map(move |y| (0..width).step_by(STRIDE).map(move |x| y * width + x))
}

/// Responses of all filters at every second pixel of every second row, `[pixels, 32]`.
fn responses(image: &WorkingImage) -> Vec<f32> {
    let size @ [height, width] = [image.height(), image.width()];
    let luma: Vec<f32> = image.luma().into_iter().map(|value| f32::from(value) / 255.0).collect();
    let bank = FilterBank::covering(size);
    let [rows, columns] = bank.size;
    let margin = [REACH, REACH, rows - height - REACH, columns - width - REACH];
    let spectrum = bank.fourier.forward(&mirrored(&luma, size, margin));
    let place = |pixel: usize| (pixel / width + REACH) * columns + pixel % width + REACH;
    let places: Vec<usize> = counted(size).map(place).collect();
    let mut values = vec![0.0; FILTERS * places.len()];
    for (pair, transfer) in bank.pairs.iter().enumerate() {
        let product = spectrum.iter().zip(transfer).map(|(value, share)| value * share).collect();
        let response = bank.fourier.inverse(product);
        for (pixel, &place) in values.as_chunks_mut::<FILTERS>().0.iter_mut().zip(&places) {
            pixel[2 * pair] = response[place].re;
            pixel[2 * pair + 1] = response[place].im;
        }
    }
    values
}

/// The filters as transfer functions for pictures of one size with their margin.
struct FilterBank {
    /// Height and width in pixels.
    size: [usize; 2],
    fourier: Fourier,
    /// Two filters at a time, transposed. All are even, so that their transfer functions are
    /// real: the first one is the real part, the second one the imaginary part, and so are the
    /// responses.
    pairs: Vec<Vec<Complex32>>,
}

/// Sides of pictures for which banks are made: few, so that photos share them, and products of
/// small primes, whose transforms are fast.
const SIDES: [usize; 5] = [60, 100, 164, 240, 300];

/// Banks that were needed so far.
static BANKS: LazyLock<Mutex<HashMap<[usize; 2], Arc<FilterBank>>>> = LazyLock::new(Mutex::default);

impl FilterBank {
    /// The least bank that holds a picture of this height and width with its margin.
    fn covering(size: [usize; 2]) -> Arc<Self> {
        let least = |side: usize| {
            let fits = SIDES.into_iter().find(|it| *it >= side + 2 * REACH);
            fits.expect("no working image is longer")
        };
        let size = size.map(least);
        // The table is whole at every moment, whatever panics elsewhere.
        let mut banks = BANKS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(banks.entry(size).or_insert_with(|| Arc::new(Self::new(size))))
    }

    fn new(size: [usize; 2]) -> Self {
        let fourier = Fourier::new(size[0], size[1]);
        let transfer = |at: usize| fourier.forward(&around_origin(&filter(at), size));
        let pairs = (0..FILTERS / 2).map(|pair| {
            let both = [transfer(2 * pair), transfer(2 * pair + 1)];
            let both = both[0].iter().zip(&both[1]);
            both.map(|(first, second)| Complex32::new(first.re, second.re)).collect()
        });
        Self { size, pairs: pairs.collect(), fourier }
    }
}

/// A filter, `[2 × reach + 1, 2 × reach + 1]`: ordered by scale, elongation, orientation.
fn filter(at: usize) -> Vec<f64> {
    let across = SCALES[at / (ORIENTATIONS * ELONGATIONS.len())];
    let along = across * ELONGATIONS[at / ORIENTATIONS % ELONGATIONS.len()];
    let (sin, cos) = (PI * (at % ORIENTATIONS) as f64 / ORIENTATIONS as f64).sin_cos();
    let reach = (3.0 * along).ceil() as i32;
    let side = -reach..=reach;
    let places = side.clone().flat_map(|y| side.clone().map(move |x| [f64::from(x), f64::from(y)]));
    let mut values: Vec<f64> = places
        .map(|[x, y]| {
            let (u, v) = ((x * cos + y * sin) / across, (y * cos - x * sin) / along);
            (u * u - 1.0) * (-0.5 * (u * u + v * v)).exp()
        })
        .collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|value| *value -= mean);
    let sum: f64 = values.iter().map(|value| value.abs()).sum();
    values.iter_mut().for_each(|value| *value /= sum);
    values
}

/// A picture `[height, width]` that holds a filter with its middle at the first pixel.
fn around_origin(filter: &[f64], [height, width]: [usize; 2]) -> Vec<f32> {
    let side = filter.len().isqrt();
    let mut picture = vec![0.0; height * width];
    for (at, value) in filter.iter().enumerate() {
        let place = |at: usize, length: usize| (at + length - side / 2) % length;
        picture[place(at / side, height) * width + place(at % side, width)] = *value as f32;
    }
    picture
}

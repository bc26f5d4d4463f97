use rand::{SeedableRng, seq::index::sample};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    LocalFeature, SIFT_VALUES, WorkingImage,
    k_means::{Centres, k_means},
};

/// The visual words: clusters of the local features of many photos (Sivic and Zisserman 2003), in
/// two sizes. Each of the 1,000 coarse words is divided into at most 50 fine ones (Nistér and
/// Stewénius 2006), so that the fine word of a feature is found among 1,050 centres, not 50,000.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    coarse: Centres,
    /// Of each coarse word.
    fine: Vec<Centres>,
    /// Number of fine words before those of each coarse word.
    starts: Vec<u32>,
    /// Of each coarse and of each fine word: how much it tells.
    weights: [Vec<f32>; 2],
}

/// Local features of photos, from which a vocabulary is made.
#[derive(Clone, Debug, Default)]
pub struct WordSamples {
    /// Of each photo, `[features, 128]`.
    photos: Vec<Vec<f32>>,
}

/// The words of a local feature: their places in the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Among the coarse words.
    pub coarse: u32,
    /// Among the fine words.
    pub fine: u32,
}

impl WordSamples {
    /// Features chosen from each photo at most.
    const FEATURES: usize = 100;
    /// Features that the coarse words are made of; all of them make the fine ones.
    const COARSE: usize = 100_000;

    /// Chooses features of a photo; the seed should differ between photos.
    pub fn of(image: &WorkingImage, seed: u64) -> Self {
        let features = LocalFeature::all_of(image);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let most = features.len().min(Self::FEATURES);
        let chosen = sample(&mut random, features.len(), most).into_iter();
        Self { photos: vec![chosen.flat_map(|at| features[at].descriptor).collect()] }
    }

    /// Adds those of other photos.
    pub fn extend(&mut self, others: Self) {
        self.photos.extend(others.photos);
    }

    fn all(&self) -> Vec<&[f32]> {
        self.photos.iter().flat_map(|photo| photo.chunks_exact(SIFT_VALUES)).collect()
    }
}

impl Vocabulary {
    /// Coarse words (paper: 1,000).
    pub const COARSE: usize = 1000;
    /// Fine words at most (paper: 50,000).
    pub const FINE: usize = 50_000;
    /// Fine words of a coarse one at most.
    const CHILDREN: usize = Self::FINE / Self::COARSE;
    /// Rounds of k-means.
    const ROUNDS: usize = 10;

    /// Clusters samples by k-means. With fewer distinct samples than words there are fewer words.
    pub fn learn(samples: &WordSamples, seed: u64) -> Self {
        let all = samples.all();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut chosen =
            sample(&mut random, all.len(), all.len().min(WordSamples::COARSE)).into_vec();
        chosen.sort_unstable();
        let some: Vec<f32> = chosen.iter().flat_map(|at| all[*at]).copied().collect();
        let coarse = k_means(&some, SIFT_VALUES, Self::COARSE, Self::ROUNDS, seed);
        let nearest = |feature: &&[f32]| coarse.nearest(feature, &mut Vec::new());
        let owners: Vec<usize> = match coarse.len() {
            0 => Vec::new(),
            _ => all.par_iter().map(nearest).collect(),
        };
        let mut members = vec![Vec::new(); coarse.len()];
        for (feature, owner) in all.iter().zip(owners) {
            members[owner].extend_from_slice(feature);
        }
        let centres = coarse.values();
        let divide = |(at, members): (usize, &Vec<f32>)| {
            // A word that lost its members in the last round is its own only fine word.
            let members = match &members[..] {
                [] => &centres[at * SIFT_VALUES..][..SIFT_VALUES],
                members => members,
            };
            k_means(members, SIFT_VALUES, Self::CHILDREN, Self::ROUNDS, seed ^ at as u64)
        };
        let fine = members.par_iter().enumerate().map(divide).collect();
        let mut vocabulary = Self::of(coarse, fine, [Vec::new(), Vec::new()]);
        vocabulary.weights = vocabulary.weights_of(samples);
        vocabulary
    }

    fn of(coarse: Centres, fine: Vec<Centres>, weights: [Vec<f32>; 2]) -> Self {
        let mut next = 0;
        let start = |fine: &Centres| {
            let start = next;
            next += fine.len() as u32;
            start
        };
        let starts = fine.iter().map(start).collect();
        Self { coarse, fine, starts, weights }
    }

    /// Inverse document frequency of every word among the photos of the samples: the logarithm of
    /// all photos by those with the word, both counted once more, plus one.
    fn weights_of(&self, samples: &WordSamples) -> [Vec<f32>; 2] {
        let mut photos = self.words().map(|words| vec![0u32; words]);
        let words = |photo: &Vec<f32>| -> Vec<Word> {
            photo.chunks_exact(SIFT_VALUES).map(|feature| self.word(feature)).collect()
        };
        for words in samples.photos.par_iter().map(words).collect::<Vec<_>>() {
            let of: [fn(&Word) -> u32; 2] = [|word| word.coarse, |word| word.fine];
            for (photos, of) in photos.iter_mut().zip(of) {
                let mut distinct: Vec<u32> = words.iter().map(of).collect();
                distinct.sort_unstable();
                distinct.dedup();
                distinct.into_iter().for_each(|word| photos[word as usize] += 1);
            }
        }
        let all = samples.photos.len() as f32;
        photos.map(|counts| {
            counts.iter().map(|count| ((1.0 + all) / (1.0 + *count as f32)).ln() + 1.0).collect()
        })
    }

    /// How many coarse and how many fine words there are.
    pub fn words(&self) -> [usize; 2] {
        [self.coarse.len(), self.fine.iter().map(Centres::len).sum()]
    }

    /// Weights of the coarse and of the fine words.
    pub fn weights(&self) -> &[Vec<f32>; 2] {
        &self.weights
    }

    /// The words of the photo's local features; none where the vocabulary is empty.
    pub fn words_of(&self, image: &WorkingImage) -> Vec<Word> {
        if self.coarse.len() == 0 {
            return Vec::new();
        }
        LocalFeature::all_of(image).iter().map(|it| self.word(&it.descriptor)).collect()
    }

    /// The words nearest to a feature; there must be some.
    fn word(&self, feature: &[f32]) -> Word {
        let mut memory = Vec::new();
        let coarse = self.coarse.nearest(feature, &mut memory);
        let fine = self.fine[coarse].nearest(feature, &mut memory);
        Word { coarse: coarse as u32, fine: self.starts[coarse] + fine as u32 }
    }

    /// As it is stored, in little-endian numbers of four bytes: coarse words, fine words of each,
    /// then centres and weights of the coarse words, centres and weights of the fine ones.
    pub fn to_bytes(&self) -> Vec<u8> {
        let counts = [self.coarse.len()].into_iter().chain(self.fine.iter().map(Centres::len));
        let mut bytes: Vec<u8> = counts.flat_map(|count| (count as u32).to_le_bytes()).collect();
        let mut put = |values: &[f32]| bytes.extend(values.iter().flat_map(|it| it.to_le_bytes()));
        put(&self.coarse.values());
        put(&self.weights[0]);
        self.fine.iter().for_each(|fine| put(&fine.values()));
        put(&self.weights[1]);
        bytes
    }

    /// What [`Vocabulary::to_bytes`] wrote; `None` where it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let (first, mut numbers) = numbers.split_first()?;
        let mut take = |count: usize| {
            let (taken, rest) = numbers.split_at_checked(count)?;
            numbers = rest;
            Some(taken)
        };
        let words = u32::from_le_bytes(*first) as usize;
        if words > Self::COARSE || !rest.is_empty() {
            return None;
        }
        let counts = take(words)?.iter().map(|four| u32::from_le_bytes(*four) as usize);
        let counts: Vec<usize> = counts.collect();
        if counts.iter().any(|count| !(1..=Self::CHILDREN).contains(count)) {
            return None;
        }
        let mut floats = |count: usize| {
            let values = take(count)?.iter().map(|four| f32::from_le_bytes(*four));
            values.map(|value| value.is_finite().then_some(value)).collect::<Option<Vec<f32>>>()
        };
        let coarse = Centres::new(&floats(words * SIFT_VALUES)?, SIFT_VALUES);
        let first = floats(words)?;
        let centres =
            |count: &usize| Some(Centres::new(&floats(count * SIFT_VALUES)?, SIFT_VALUES));
        let fine = counts.iter().map(centres).collect::<Option<Vec<Centres>>>()?;
        let second = floats(counts.iter().sum())?;
        // Weights below zero would turn likeness round.
        let sound = first.iter().chain(&second).all(|weight| (0.0..1e6).contains(weight));
        (sound && numbers.is_empty()).then(|| Self::of(coarse, fine, [first, second]))
    }
}

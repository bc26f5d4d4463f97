use std::{fmt, str::FromStr};

use image_hasher::{HashAlg, HasherConfig};

use crate::{Filter, Fit, Photo, Preprocess};

/// Side of the small picture that the hash is made of, in pixels.
const SIDE: usize = 64;

/// What a photo shows, in 256 bits: photos that look alike differ in few of them, others in
/// about half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerceptualHash([u64; 4]);

impl PerceptualHash {
    /// Number of bits.
    pub const BITS: u32 = 256;

    /// The hash of a photo: signs of the 16 × 16 lowest frequencies of its brightness around
    /// their median (pHash), which survive recompression, resizing, tone and slight crops.
    pub fn of(photo: &Photo) -> Self {
        let small = Preprocess {
            fit: Fit::Squash,
            filter: Filter::Bilinear,
            ..Preprocess::inception(SIDE)
        };
        let side = SIDE as u32;
        let pixels = small.fitted(photo).pixels;
        let picture = image::RgbImage::from_raw(side, side, pixels)
            .expect("a fitted photo has three bytes a pixel");
        let hasher = HasherConfig::with_bytes_type::<[u8; 32]>()
            .hash_size(16, 16)
            .hash_alg(HashAlg::Median)
            .preproc_dct()
            .to_hasher();
        let bytes = hasher.hash_image(&picture).into_inner();
        let (words, _) = bytes.as_chunks::<8>();
        Self(std::array::from_fn(|word| u64::from_be_bytes(words[word])))
    }

    /// A hash from its bits.
    pub const fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// The bits, 64 at a time.
    pub const fn words(self) -> [u64; 4] {
        self.0
    }

    /// Bits that differ, 0..=256.
    pub fn distance(self, other: Self) -> u32 {
        self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}

impl fmt::Display for PerceptualHash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

/// A text that is no hash of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a perceptual hash of 64 hexadecimal digits")]
pub struct NotAHash(String);

impl FromStr for PerceptualHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bad = || NotAHash(text.chars().take(80).collect());
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut words = [0; 4];
        for (word, digits) in words.iter_mut().zip(text.as_bytes().chunks_exact(16)) {
            let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
            *word = u64::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(Self(words))
    }
}

use std::{fmt, str::FromStr};

/// What a photo shows, in 256 bits: photos that look alike differ in few of them, others in
/// about half. [`crate::perceptual_hash`] computes one without training; a model for
/// near-duplicates computes a learned one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code([u64; 4]);

impl Code {
    /// Number of bits.
    pub const BITS: u32 = 256;

    /// A code from its bits.
    pub const fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// A code from the signs of a network's outputs: a bit is set where the output is above 0.
    pub fn from_signs(outputs: &[f32; Self::BITS as usize]) -> Self {
        let (words, _) = outputs.as_chunks::<64>();
        let word = |outputs: &[f32; 64]| {
            outputs.iter().fold(0, |word, output| word << 1 | u64::from(*output > 0.0))
        };
        Self(std::array::from_fn(|at| word(&words[at])))
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

impl fmt::Display for Code {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

/// A text that is no code of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a code of 64 hexadecimal digits")]
pub struct NotACode(String);

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let bad = || NotACode(text.chars().take(80).collect());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_is_set_where_an_output_is_above_zero() {
        let mut outputs = [-1.0; 256];
        assert_eq!(Code::from_signs(&outputs), Code::from_words([0; 4]));
        (outputs[0], outputs[64], outputs[65], outputs[255]) = (0.5, f32::NAN, 2.0, f32::INFINITY);
        assert_eq!(Code::from_signs(&outputs), Code::from_words([1 << 63, 1 << 62, 0, 1]));
    }
}

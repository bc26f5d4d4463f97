use std::{fmt, num::NonZero, str::FromStr};

use super::sources::Sources;

/// One of so many parts of the photos: `I/N`, I from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    index: usize,
    of: NonZero<usize>,
}

impl Default for Shard {
    /// All photos.
    fn default() -> Self {
        Self { index: 0, of: NonZero::<usize>::MIN }
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, of)| {
            let (index, of): (usize, NonZero<usize>) = (index.parse().ok()?, of.parse().ok()?);
            Some((index.checked_sub(1).filter(|index| *index < of.get())?, of))
        });
        let (index, of) = numbers.ok_or("write I/N with I within 1..=N, for example 1/8")?;
        Ok(Self { index, of })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.of)
    }
}

impl Sources {
    /// Keeps the photos of a shard. Neighbours go to different shards, so that folders of large
    /// photos do not make one of them slow.
    pub fn take(&mut self, shard: Shard) {
        let mut row = 0;
        self.keep(|_| {
            row += 1;
            (row - 1) % shard.of.get() == shard.index
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_a_number_from_one_to_their_number() {
        assert_eq!("3/8".parse(), Ok(Shard { index: 2, of: NonZero::new(8).expect("8") }));
        assert_eq!("3/8".parse::<Shard>().map(|it| it.to_string()), Ok("3/8".to_owned()));
        for wrong in ["0/8", "9/8", "1/0", "1", "-1/2", "a/b", "1/2/3", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}

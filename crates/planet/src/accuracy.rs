use planet_geo::{Distance, Scale};

/// Guesses that are counted: the best of the first 1, 2, … 5.
pub const GUESSES: usize = 5;

const SCALES: usize = Scale::ALL.len();

/// How many photos were located within the five scales, by the best of the first k guesses.
///
/// A photo without an answer counts as missed: it stays in every denominator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    photos: u64,
    /// `[k − 1][scale]`
    within: [[u64; SCALES]; GUESSES],
}

impl Accuracy {
    /// Counts one photo by the distances of its guesses from the truth, best guess first; none
    /// for a photo without an answer. Exactly at a scale's radius counts as within it.
    pub fn add(&mut self, guesses: impl IntoIterator<Item = Distance>) {
        self.photos += 1;
        let mut guesses = guesses.into_iter();
        let mut nearest: Option<Distance> = None;
        for within in &mut self.within {
            if let Some(distance) = guesses.next() {
                nearest =
                    Some(nearest.map_or(distance, |it| if distance < it { distance } else { it }));
            }
            let Some(nearest) = nearest else { return };
            for (count, scale) in within.iter_mut().zip(Scale::ALL) {
                *count += u64::from(nearest <= scale.radius());
            }
        }
    }

    /// Photos that were counted.
    pub fn photos(&self) -> u64 {
        self.photos
    }

    /// Photos within each scale by the best of the first `k` guesses, 1 to 5.
    ///
    /// # Panics
    /// When `k` is none of these.
    pub fn counts(&self, k: usize) -> [u64; SCALES] {
        self.within[k - 1]
    }

    /// [`Accuracy::counts`] as shares of all photos; zero where there are no photos.
    ///
    /// # Panics
    /// When `k` is none of 1 to 5.
    pub fn shares(&self, k: usize) -> [f64; SCALES] {
        self.counts(k).map(|count| count as f64 / self.photos.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_the_first_guesses_counts_and_the_bound_belongs_to_the_scale() {
        let mut accuracy = Accuracy::default();
        accuracy.add([300.0, 25.0, 0.5].map(Distance::from_km));
        accuracy.add([]);
        assert_eq!(accuracy.photos(), 2);
        assert_eq!(accuracy.counts(1), [0, 0, 0, 1, 1]);
        assert_eq!(accuracy.shares(1), [0.0, 0.0, 0.0, 0.5, 0.5]);
        assert_eq!(accuracy.shares(2), [0.0, 0.5, 0.5, 0.5, 0.5]);
        assert_eq!(accuracy.shares(3), [0.5; 5]);
        // There is no fourth guess: the best of four is the best of three.
        assert_eq!(accuracy.shares(5), [0.5; 5]);
    }
}

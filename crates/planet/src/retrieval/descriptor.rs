/// What is compared of a photo: one vector, or several where it is looked at in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    dimensions: usize,
    /// `[vectors, dimensions]`
    values: Vec<f32>,
}

impl Descriptor {
    /// Vectors one behind the other, `[vectors, dimensions]`.
    ///
    /// # Panics
    /// When there are no dimensions, or not a whole number of vectors.
    pub fn new(dimensions: usize, values: Vec<f32>) -> Self {
        assert!(dimensions > 0 && values.len().is_multiple_of(dimensions), "whole vectors");
        Self { dimensions, values }
    }

    /// Length of a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All values, `[vectors, dimensions]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Scales a vector to length 1; zeros stay.
pub(super) fn normalise(vector: &mut [f32]) {
    let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    if square > 0.0 {
        let factor = (1.0 / square.sqrt()) as f32;
        vector.iter_mut().for_each(|x| *x *= factor);
    }
}

/// Squares every value and keeps its sign (Razavian et al. 2014).
pub(super) fn signed_square(vector: &mut [f32]) {
    vector.iter_mut().for_each(|x| *x *= x.abs());
}

/// Adds a vector to another.
pub(super) fn add(sum: &mut [f32], vector: &[f32]) {
    sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
}

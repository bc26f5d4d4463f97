/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// Numbers that begin at a cache line, so that no vector of them lies in two.
#[derive(Debug, Default)]
pub(in crate::native) struct Aligned {
    values: Vec<f32>,
    start: usize,
    length: usize,
}

impl Aligned {
    /// So many zeros.
    pub(in crate::native) fn zeros(length: usize) -> Self {
        let values = vec![0.0; length + LINE / size_of::<f32>()];
        let start = values.as_ptr().align_offset(LINE).min(LINE / size_of::<f32>());
        Self { values, start, length }
    }

    /// Makes room for so many numbers; those that were there may be gone.
    pub(in crate::native) fn reserve(&mut self, length: usize) {
        if self.length < length {
            // The old room is given back before the new one is taken.
            *self = Self::default();
            *self = Self::zeros(length);
        }
    }

    pub(in crate::native) fn values(&self) -> &[f32] {
        &self.values[self.start..][..self.length]
    }

    pub(in crate::native) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..][..self.length]
    }
}

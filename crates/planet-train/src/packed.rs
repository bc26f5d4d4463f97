use std::ops::Range;

/// Sequences of a batch packed side by side, the longest first: all first steps, then all
/// second steps of those that have one, and so on. No row is padding, and the sequences that
/// have a step are the first ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Where each step's rows begin, and where the last one's end.
    begins: Vec<usize>,
}

impl Packed {
    /// Sequences of these lengths, the longest first.
    ///
    /// # Panics
    /// Where a longer one follows a shorter.
    pub fn new(lengths: &[usize]) -> Self {
        assert!(lengths.is_sorted_by(|a, b| a >= b), "the longest sequence comes first");
        let steps = lengths.first().copied().unwrap_or(0);
        let mut begins = vec![0];
        let mut row = 0;
        for step in 0..steps {
            row += lengths.partition_point(|length| *length > step);
            begins.push(row);
        }
        Self { begins }
    }

    /// Steps of the longest sequence.
    pub fn steps(&self) -> usize {
        self.begins.len() - 1
    }

    /// Steps of all sequences.
    pub fn rows(&self) -> usize {
        self.begins[self.steps()]
    }

    /// Sequences that are not empty.
    pub fn sequences(&self) -> usize {
        if self.steps() == 0 { 0 } else { self.begins[1] }
    }

    /// The rows of a step: one a sequence that has it, in the order of the sequences.
    pub fn step(&self, step: usize) -> Range<usize> {
        self.begins[step]..self.begins[step + 1]
    }

    /// The row of a sequence's step.
    pub fn row(&self, sequence: usize, step: usize) -> usize {
        debug_assert!(sequence < self.step(step).len(), "the sequence has this step");
        self.begins[step] + sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_the_sequences_that_have_them() {
        let packed = Packed::new(&[3, 3, 1, 0]);
        assert_eq!((packed.steps(), packed.rows(), packed.sequences()), (3, 7, 3));
        assert_eq!([0, 1, 2].map(|step| packed.step(step)), [0..3, 3..5, 5..7]);
        assert_eq!(packed.row(1, 2), 6);
        let none = Packed::new(&[]);
        assert_eq!((none.steps(), none.rows(), none.sequences()), (0, 0, 0));
    }
}

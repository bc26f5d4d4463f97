use crate::{LocalFeature, Vocabulary, words::Word};

/// Weights of a photo's words: how often each occurs, times its inverse document frequency
/// (Sivic and Zisserman 2003), scaled to length 1. A photo without words has one that no other
/// photo has, so that those without are alike and far from all others.
pub struct Words;

impl Words {
    /// Numbers of the coarse words' weights: one for each word, then that of having none.
    pub const COARSE_VALUES: usize = Vocabulary::COARSE + 1;
    /// Numbers of the fine words' weights, which are almost all zero: pairs of a word and its
    /// weight in the order of the words, then zeros. Words count from 2; 1 is to have none.
    pub const FINE_VALUES: usize = 2 * LocalFeature::MOST;

    /// Appends the weights of the coarse words.
    pub fn append_coarse(words: &[Word], weights: &[f32], values: &mut Vec<f32>) {
        let begin = values.len();
        values.resize(begin + Self::COARSE_VALUES, 0.0);
        let own = &mut values[begin..];
        match weighted(words.iter().map(|word| word.coarse), weights) {
            pairs if pairs.is_empty() => own[Self::COARSE_VALUES - 1] = 1.0,
            pairs => pairs.into_iter().for_each(|(word, weight)| own[word as usize] = weight),
        }
    }

    /// Appends the weights of the fine words.
    pub fn append_fine(words: &[Word], weights: &[f32], values: &mut Vec<f32>) {
        let end = values.len() + Self::FINE_VALUES;
        let pairs = weighted(words.iter().map(|word| word.fine), weights);
        if pairs.is_empty() {
            values.extend([1.0, 1.0]);
        }
        values.extend(pairs.into_iter().flat_map(|(word, weight)| [(word + 2) as f32, weight]));
        values.resize(end, 0.0);
    }
}

/// The distinct words in order, with their weights.
fn weighted(words: impl Iterator<Item = u32>, weights: &[f32]) -> Vec<(u32, f32)> {
    let mut words: Vec<u32> = words.collect();
    words.sort_unstable();
    let groups = words.chunk_by(|a, b| a == b);
    let weight = |group: &[u32]| (group[0], group.len() as f32 * weights[group[0] as usize]);
    let mut pairs: Vec<(u32, f32)> = groups.map(weight).collect();
    let length = pairs.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
    // A word of every photo may weigh nothing in an index of another program.
    pairs.retain(|(_, weight)| *weight > 0.0 && length > 0.0);
    pairs.iter_mut().for_each(|(_, weight)| *weight /= length);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Descriptor;

    fn rows(words: &[[u32; 2]]) -> [Vec<f32>; 2] {
        let words: Vec<Word> =
            words.iter().map(|[coarse, fine]| Word { coarse: *coarse, fine: *fine }).collect();
        let (mut coarse, mut fine) = (Vec::new(), Vec::new());
        Words::append_coarse(&words, &[2.0, 1.0, 1.0], &mut coarse);
        Words::append_fine(&words, &[2.0, 1.0, 1.0], &mut fine);
        [coarse, fine]
    }

    #[test]
    fn weights_grow_with_occurrences_and_both_forms_have_the_distance_of_the_formula() {
        let [a, a_fine] = rows(&[[0, 0], [1, 1], [1, 1], [1, 1]]);
        let length = 13f32.sqrt();
        assert_eq!(a[..3], [2.0 / length, 3.0 / length, 0.0]);
        assert_eq!(a_fine[..5], [2.0, 2.0 / length, 3.0, 3.0 / length, 0.0]);
        let [b, b_fine] = rows(&[[2, 2], [1, 1]]);
        let want = 1.0 - 3.0 / length / 2f32.sqrt();
        for (descriptor, a, b) in
            [(Descriptor::CoarseWords, &a, &b), (Descriptor::FineWords, &a_fine, &b_fine)]
        {
            assert_eq!(a.len(), descriptor.values());
            let [there, back] = [descriptor.distance(a, b), descriptor.distance(b, a)];
            assert!((there - want).abs() < 1e-6 && there == back, "{descriptor:?}: {there}");
            assert_eq!(descriptor.distance(a, a), 0.0);
        }
    }

    #[test]
    fn photos_without_words_are_alike_and_far_from_all_others() {
        let ([none, none_fine], [some, some_fine]) = (rows(&[]), rows(&[[0, 0]]));
        for (descriptor, none, some) in
            [(Descriptor::CoarseWords, none, some), (Descriptor::FineWords, none_fine, some_fine)]
        {
            assert_eq!(descriptor.distance(&none, &none), 0.0);
            assert!((descriptor.distance(&none, &some) - 1.0).abs() < 1e-6);
        }
    }
}

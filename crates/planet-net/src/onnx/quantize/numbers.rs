/// The values of an array that 8 bits represent; what lies beyond takes the nearest end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The least value.
    pub low: f32,
    /// The greatest value.
    pub high: f32,
}

/// How a range is chosen from the values that were seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RangeMethod {
    /// This percentage of the values lies within, as many beyond either end; 100 keeps all.
    Percentile(f64),
    /// The least Kullback–Leibler divergence between the values before and after.
    Entropy,
}

impl Range {
    /// The least range that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Step and zero point of an unsigned number of 8 bits for this range and for 0, which padding
    /// needs.
    pub(super) fn scale(self) -> (f32, u8) {
        let (low, high) = (self.low.min(0.0), self.high.max(0.0));
        let scale = (high - low) / 255.0;
        // Zero alone, or numbers too small to divide by.
        if scale < f32::MIN_POSITIVE {
            return (1.0, 0);
        }
        (scale, (-low / scale).round_ties_even().clamp(0.0, 255.0) as u8)
    }
}

/// Weights in 8 bits with a step for each output, and the bias in 32 bits.
#[derive(Debug, PartialEq)]
pub(super) struct QuantizedWeights {
    /// −127..=127, in the order of the weights.
    pub(super) weights: Vec<i8>,
    /// Step of each output, above 0.
    pub(super) scales: Vec<f32>,
    /// In steps of the input's times the weights', `[outputs]`; empty without a bias.
    pub(super) bias: Vec<i32>,
    /// The bias's steps, `[outputs]`; empty without a bias.
    pub(super) bias_scales: Vec<f32>,
}

/// Which weights belong to one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputAxis {
    /// The first axis: they lie one after the other.
    First,
    /// The last axis: they lie as many elements apart as there are outputs.
    Last,
}

/// Rounds weights `[outputs, …]` or `[…, outputs]` to 8 bits.
///
/// A step is as small as the greatest weight of its output allows, and large enough that two
/// products of an 8-bit value and a weight fit into 16 bits: processors without VNNI add pairs of
/// products so, and a sum beyond 16 bits would be cut.
pub(super) fn quantize_weights(
    weights: &[f32],
    outputs: usize,
    axis: OutputAxis,
    bias: Option<&[f32]>,
    input_scale: f32,
) -> QuantizedWeights {
    let each = weights.len() / outputs.max(1);
    let at = |output: usize, element: usize| match axis {
        OutputAxis::First => output * each + element,
        OutputAxis::Last => element * outputs + output,
    };
    let scales: Vec<f32> = (0..outputs)
        .map(|output| {
            let of = (0..each).map(|element| weights[at(output, element)]);
            step(of, bias.map_or(0.0, |bias| bias[output]), input_scale)
        })
        .collect();
    let mut rounded = vec![0; weights.len()];
    for (output, &scale) in scales.iter().enumerate() {
        for element in 0..each {
            let steps = (weights[at(output, element)] / scale).round_ties_even();
            rounded[at(output, element)] = steps.clamp(-127.0, 127.0) as i8;
        }
    }
    let bias_scales: Vec<f32> =
        bias.map_or_else(Vec::new, |_| scales.iter().map(|scale| scale * input_scale).collect());
    let values = bias.unwrap_or_default().iter().zip(&bias_scales);
    let bias = values.map(|(value, scale)| (value / scale).round_ties_even() as i32).collect();
    QuantizedWeights { weights: rounded, scales, bias, bias_scales }
}

/// The step of one output's weights.
fn step(weights: impl Iterator<Item = f32>, bias: f32, input_scale: f32) -> f32 {
    // The two greatest and the two least.
    let (mut high, mut low) = ([0.0f32; 2], [0.0f32; 2]);
    for weight in weights {
        if weight > high[1] {
            high = [high[0].max(weight), high[0].min(weight)];
        }
        if weight < low[1] {
            low = [low[0].min(weight), low[0].max(weight)];
        }
    }
    // 255 · 128 < 2¹⁵, and rounding adds at most one step to a pair.
    let pair = (high[0] + high[1]).max(-low[0] - low[1]) / 127.0;
    // The bias must fit into 32 bits.
    let for_bias = bias.abs() / input_scale / (1u32 << 30) as f32;
    let step = pair.max(for_bias);
    // An output whose weights are all zero, or too small to divide by.
    if step * input_scale < f32::MIN_POSITIVE || step < f32::MIN_POSITIVE { 1.0 } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_the_onnx_reference() {
        let text = include_str!("../../../tests/golden/quantize.json");
        let golden: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let numbers = |key: &str| -> Vec<f64> {
            let list = golden[key].as_array().expect("a list");
            list.iter().map(|it| it.as_f64().expect("a number")).collect()
        };
        let floats = |key| -> Vec<f32> { numbers(key).into_iter().map(|it| it as f32).collect() };
        let whole = |key| -> Vec<i64> { numbers(key).into_iter().map(|it| it as i64).collect() };
        let (weights, bias) = (floats("weights"), floats("bias"));
        let input_scale = floats("input_scale")[0];
        let found =
            quantize_weights(&weights, bias.len(), OutputAxis::First, Some(&bias), input_scale);
        assert_eq!(found.scales, floats("scales"), "the script's copy of the rule");
        let rounded: Vec<i64> = found.weights.iter().map(|it| i64::from(*it)).collect();
        assert_eq!(rounded, whole("quantized_weights"));
        let rounded: Vec<i64> = found.bias.iter().map(|it| i64::from(*it)).collect();
        assert_eq!(rounded, whole("quantized_bias"));
        for (range, (scale, zero)) in numbers("ranges")
            .chunks_exact(2)
            .zip(floats("range_scales").into_iter().zip(whole("range_zero_points")))
        {
            let range = Range { low: range[0] as f32, high: range[1] as f32 };
            assert_eq!(range.scale(), (scale, zero as u8), "{range:?}");
        }
    }

    #[test]
    fn no_pair_of_products_leaves_16_bits() {
        let weights: Vec<f32> = (0..64).map(|at| ((at * 37 % 64) as f32 - 31.5) / 9.0).collect();
        for (outputs, axis) in [(1, OutputAxis::First), (1, OutputAxis::Last)] {
            let found = quantize_weights(&weights, outputs, axis, None, 0.1);
            let mut of: Vec<i32> = found.weights.iter().map(|it| i32::from(*it)).collect();
            of.sort_unstable();
            assert!(255 * (of[62] + of[63]) < 1 << 15, "{of:?}");
            assert!(255 * (of[0] + of[1]) >= -(1 << 15), "{of:?}");
            // And the step is no larger than that needs.
            assert!(of[63] >= 63, "{of:?}");
        }
    }

    #[test]
    fn both_axes_give_the_same_numbers() {
        let first = [1.0, -2.0, 0.5, 4.0, 0.25, 3.0];
        let last = [1.0, 4.0, -2.0, 0.25, 0.5, 3.0];
        let a = quantize_weights(&first, 2, OutputAxis::First, None, 0.1);
        let b = quantize_weights(&last, 2, OutputAxis::Last, None, 0.1);
        assert_eq!(a.scales, b.scales);
        let turned: Vec<i8> = [0, 2, 4, 1, 3, 5].map(|at| b.weights[at]).to_vec();
        assert_eq!(a.weights, turned);
    }

    #[test]
    fn an_output_without_weights_keeps_its_bias_and_a_great_bias_fits() {
        let weights = [0.0, 0.0, 1e-12, -1e-12, 1.0, 0.5];
        let bias = [0.75, 1000.0, -2.0];
        let found = quantize_weights(&weights, 3, OutputAxis::First, Some(&bias), 0.02);
        for (value, (steps, step)) in bias.iter().zip(found.bias.iter().zip(&found.bias_scales)) {
            let kept = *steps as f32 * step;
            assert!((kept - value).abs() < 1e-5 * value.abs() + 1e-4, "{found:?}");
        }
        let dead = quantize_weights(&[0.0; 4], 1, OutputAxis::First, Some(&[0.0]), 0.02);
        assert_eq!((dead.weights, dead.scales, dead.bias), (vec![0; 4], vec![1.0], vec![0]));
    }

    #[test]
    fn a_constant_of_zero_has_a_step_that_can_be_divided_by() {
        assert_eq!(Range::default().scale(), (1.0, 0));
        assert_eq!(Range { low: 5.1, high: 5.1 }.scale(), (5.1 / 255.0, 0));
        assert_eq!(Range { low: -5.1, high: -5.1 }.scale(), (5.1 / 255.0, 255));
    }
}

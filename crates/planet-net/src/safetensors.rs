use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{Array, Weights, WeightsError};

impl Weights {
    /// As the bytes of a safetensors file, all f32, with some metadata (`key` → `value`).
    pub fn to_safetensors(&self, metadata: &[(&str, &str)]) -> Vec<u8> {
        let bytes: Vec<(&str, &[usize], Vec<u8>)> = self
            .iter()
            .map(|(name, array)| {
                let bytes = array.values().iter().flat_map(|value| value.to_le_bytes()).collect();
                (name, array.shape(), bytes)
            })
            .collect();
        let views = bytes.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes);
            (*name, view.expect("four bytes a value, as many values as the shape"))
        });
        let metadata: HashMap<String, String> =
            metadata.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let metadata = (!metadata.is_empty()).then_some(metadata);
        safetensors::serialize(views, metadata).expect("names are unique in a map")
    }

    /// From the bytes of a safetensors file; f64, f16 and bf16 become f32. Arrays of whole
    /// numbers are no weights (PyTorch's `num_batches_tracked`) and are returned by name.
    ///
    /// # Errors
    /// Bytes that are no safetensors file.
    pub fn from_safetensors(bytes: &[u8]) -> Result<(Self, Vec<String>), WeightsError> {
        let error = |error: safetensors::SafeTensorError| WeightsError::Format(error.to_string());
        let file = SafeTensors::deserialize(bytes).map_err(error)?;
        let (mut weights, mut skipped) = (Self::default(), Vec::new());
        for (name, view) in file.iter() {
            match floats(view.dtype(), view.data()) {
                Some(values) => {
                    weights.insert(name, Array::new(view.shape().to_vec(), values));
                }
                None => skipped.push(name.to_owned()),
            }
        }
        skipped.sort_unstable();
        Ok((weights, skipped))
    }
}

fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let pairs = || bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    Some(match dtype {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
        Dtype::F64 => {
            bytes.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32).collect()
        }
        Dtype::BF16 => pairs().map(|bits| f32::from_bits(u32::from(bits) << 16)).collect(),
        Dtype::F16 => pairs().map(half).collect(),
        _ => return None,
    })
}

/// IEEE 754 half precision as f32, exactly.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_back_from_safetensors_bit_for_bit() {
        let array = Array::new(vec![2, 2], vec![1.5, -0.0, f32::MIN_POSITIVE, 3e38]);
        let weights: Weights = [("fc.weight".to_owned(), array)].into_iter().collect();
        let bytes = weights.to_safetensors(&[("epoch", "3")]);
        assert_eq!(Weights::from_safetensors(&bytes), Ok((weights, vec![])));
    }

    #[test]
    fn halves_are_widened_and_whole_numbers_are_skipped_by_name() {
        let f16: Vec<u8> =
            [0x3c00_u16, 0xc000, 0x0001, 0x7c00].into_iter().flat_map(u16::to_le_bytes).collect();
        let view = |dtype, shape, data| TensorView::new(dtype, shape, data).expect("it fits");
        let tensors = [
            ("a", view(Dtype::F16, vec![4], &f16[..])),
            ("b", view(Dtype::BF16, vec![1], &[0x80, 0x3f][..])),
            ("bn.num_batches_tracked", view(Dtype::I64, vec![], &[7, 0, 0, 0, 0, 0, 0, 0][..])),
        ];
        let bytes = safetensors::serialize(tensors, None).expect("three arrays");
        let (weights, skipped) = Weights::from_safetensors(&bytes).expect("read");
        let a = weights.get("a").expect("read").values();
        assert_eq!(a, [1.0, -2.0, 2f32.powi(-24), f32::INFINITY]);
        assert_eq!(weights.get("b").expect("read").values(), [1.0]);
        assert_eq!(skipped, ["bn.num_batches_tracked"]);
    }

    #[test]
    fn bytes_that_are_no_safetensors_file_are_refused() {
        for bytes in [&b""[..], b"12345678", b"\xff\xff\xff\xff\xff\xff\xff\xff{}"] {
            assert!(matches!(Weights::from_safetensors(bytes), Err(WeightsError::Format(_))));
        }
    }
}

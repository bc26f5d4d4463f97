//! Static quantisation: a graph whose convolutions and dense layers compute in 8 bits.

mod histogram;
mod numbers;
mod plan;
mod rewrite;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io};

pub use histogram::Histogram;
pub use numbers::{Range, RangeMethod};
pub use plan::QuantizationPlan;
use thiserror::Error;

use self::{
    numbers::{OutputAxis, QuantizedWeights, quantize_weights},
    plan::Treatment,
};
use super::OnnxModel;

/// What keeps 32 bits although it could do without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuantizeOptions {
    /// The first convolution, which sees the pixels.
    pub keep_first: bool,
    /// The last dense layer: the classifier.
    pub keep_last: bool,
}

/// Why a graph cannot be quantised.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// The graph computes in 8 or fewer bits already.
    #[error(
        "the network is already quantised (it contains the operator {0}); quantise the network in \
         32 bits that it was made from"
    )]
    Already(String),
    /// The graph's weights have 16 bits already.
    #[error(
        "the network's weights are in 16 bits already ('{0}' and others); quantise the network in 32 \
         bits that it was made from"
    )]
    Half(String),
    /// Operators of an old version.
    #[error(
        "the network uses version {0} of ONNX's operators, but weights with a step for every output \
         require version 13; convert the file with onnx.version_converter (Python package onnx)"
    )]
    Opset(i64),
    /// Nothing to gain.
    #[error(
        "the network has no convolution or dense layer (Conv, Gemm, MatMul) whose weights are \
         constants in 32 bits"
    )]
    Nothing,
    /// Nothing large enough to gain from 16 bits.
    #[error(
        "the network has no constant array of 1,024 or more numbers of 32 bits that 16 bits represent"
    )]
    NothingLarge,
    /// An array was not measured.
    #[error("no range was measured for the array '{0}'")]
    NoRange(String),
    /// Weights that are not finite numbers.
    #[error("the weights '{0}' contain values that are not finite numbers")]
    Weights(String),
    /// Weights cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl OnnxModel {
    /// The same network with the planned parts in 8 bits: weights with a step for every output, biases
    /// in 32 bits, arrays in unsigned 8 bits with the measured ranges. QuantizeLinear and
    /// DequantizeLinear stand where ONNX Runtime fuses them with the operators between; an engine
    /// that does not computes the same in 32 bits.
    ///
    /// # Errors
    /// Weights that cannot be read or are not finite, or an array without a range.
    pub fn quantized(
        &self,
        plan: &QuantizationPlan,
        ranges: &BTreeMap<String, Range>,
    ) -> Result<Self, QuantizeError> {
        rewrite::Rewriter::new(self, plan, plan.joined(ranges)?).rewrite()
    }
}

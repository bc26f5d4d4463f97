mod data;
mod fields;
mod fold;
mod graph;
mod graph_node;
mod graph_value;
mod halve;
mod message;
mod metadata;
mod model;
mod node;
mod quantize;
mod tensor;

use std::io::{self, Write};

pub use graph_node::GraphNode;
pub use graph_value::GraphValue;
pub use halve::Halved;
pub use metadata::read_onnx_metadata;
pub use model::{OnnxModel, OnnxReadError};
pub use quantize::{
    Histogram, QuantizationPlan, QuantizeError, QuantizeOptions, Range, RangeMethod,
};
pub use tensor::GraphTensor;
use thiserror::Error;

use self::{data::ExternalData, graph::Graph, message::Message};
use crate::{Network, Weights, WeightsError};

/// Version of ONNX's operator set that models are written in.
pub const OPSET: i64 = 17;

/// The file format's version that came with [`OPSET`].
const IR_VERSION: i64 = 8;

/// Why a model was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// Weights that are missing, of another shape, or not finite.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file could not be written.
    #[error("cannot write the ONNX model: {0}")]
    Io(#[from] io::Error),
}

/// What goes into a model beside the network and its weights.
#[derive(Clone, Debug, Default)]
pub struct OnnxInfo {
    /// Name of the file with the weights, as the model refers to it: `model.onnx.data`.
    pub data_name: String,
    /// For people.
    pub description: String,
    /// Keys and values that engines show.
    pub metadata: Vec<(String, String)>,
}

impl Network {
    /// Writes the network as an ONNX model for inference: without dropout and auxiliary
    /// classifier, batch norm folded into the convolutions, the batch axis free, all weights in
    /// a second file so that engines map them.
    ///
    /// The input is [`Network::input_name`], `[batch, 3, height, width]`; the outputs are
    /// `embedding` and `logits`. A network without logits ([`Network::features_only`]) takes photos
    /// of any size; its outputs are `embedding` and `map`.
    ///
    /// # Errors
    /// Weights that do not fit or are not finite, or a file that cannot be written.
    pub fn write_onnx(
        &self,
        weights: &Weights,
        info: &OnnxInfo,
        mut model: impl Write,
        mut data: impl Write,
    ) -> Result<(), OnnxError> {
        let network = self.inference();
        weights.check(&network)?;
        let external = ExternalData::new(&mut data, &info.data_name);
        let graph = Graph::new(&network, weights, external).message()?;
        let opset = Message::default().string(1, "").integer(2, OPSET);
        let entry =
            |(key, value): &(String, String)| Message::default().string(1, key).string(2, value);
        let message = Message::default()
            .integer(1, IR_VERSION)
            .string(2, "planet")
            .string(3, env!("CARGO_PKG_VERSION"))
            .string(6, &info.description)
            .message(7, &graph)
            .message(8, &opset)
            .each(&info.metadata, |message, field| message.message(14, &entry(field)));
        model.write_all(&message.into_bytes())?;
        model.flush()?;
        data.flush()?;
        Ok(())
    }
}

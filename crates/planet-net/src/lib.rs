//! A network described as data; the architectures; the ONNX writer.
//!
//! A [`Network`] is a list of nodes with names and checked shapes. Training backends interpret
//! it, the ONNX writer writes it, [`Network::count`] counts it: the architecture itself is
//! written once. Parameters are named and shaped as in PyTorch's `state_dict`, and where
//! torchvision has the architecture, exactly as there, so that its weights load by name.
//!
//! ```
//! use planet_net::{Architecture, NetworkOptions, Weights};
//!
//! let architecture: Architecture = "inception-mini".parse()?;
//! let options = NetworkOptions { size: [96, 96], classes: 500, auxiliary: true };
//! let network = architecture.network(options)?;
//! assert_eq!((network.features(), network.classes()), (512, 500));
//!
//! // What a backend needs: each parameter's name, shape and beginning.
//! let first = network.parameters().next().expect("a first convolution");
//! assert_eq!((first.name.as_str(), &first.shape[..]), ("Conv2d_1a_3x3.conv.weight", &[16, 3, 3, 3][..]));
//! let weights = Weights::initial(&network, 0);
//! weights.check(&network)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod architecture;
mod builder;
mod count;
mod error;
mod features;
mod freeze;
mod network;
mod onnx;
mod operation;
mod parameter;
mod safetensors;
mod shape;
mod summary;
mod timm;
mod weights;

pub use architecture::{AlbumNetwork, Architecture, NetworkOptions};
pub use builder::Builder;
pub use count::Count;
pub use error::NetworkError;
pub use network::{Network, Node, NodeId, OutputName};
pub use onnx::{
    GraphNode, GraphTensor, GraphValue, Halved, Histogram, OPSET, OnnxError, OnnxInfo, OnnxModel,
    OnnxReadError, QuantizationPlan, QuantizeError, QuantizeOptions, Range, RangeMethod,
    read_onnx_metadata,
};
pub use operation::{BatchNorm, Convolution, Linear, Lstm, Operation, Pool, PoolKind};
pub use parameter::{Initialisation, Parameter, ParameterKind};
pub use shape::Shape;
pub use summary::Part;
pub use weights::{Array, Weights, WeightsError};

use thiserror::Error;

use crate::Shape;

/// Why a network cannot be described as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkError {
    /// A node was given values that its operation cannot take.
    #[error("node '{node}': {operation} {what}")]
    Node {
        /// The node's name.
        node: String,
        /// Its operation's name.
        operation: &'static str,
        /// What does not fit.
        what: String,
    },
    /// Two nodes of one name: parameter names would collide.
    #[error("two nodes are named '{0}'")]
    DuplicateName(String),
    /// An input that the architecture cannot take.
    #[error(
        "{architecture} requires photos with sides of {least} to {greatest} pixels, not {height} × {width}"
    )]
    InputSize {
        /// The architecture's name.
        architecture: &'static str,
        /// The smallest side.
        least: usize,
        /// The greatest side.
        greatest: usize,
        /// Rows asked for.
        height: usize,
        /// Columns asked for.
        width: usize,
    },
    /// A classifier over nothing.
    #[error("a classifier needs at least one class")]
    NoClasses,
    /// A network without a classifier.
    #[error("network '{0}' has no output named 'logits'")]
    NoLogits(String),
    /// A layer that is not there, or the input.
    #[error("{network} has no layer named '{layer}'; planet model show lists its layers")]
    NoLayer {
        /// The network's name.
        network: String,
        /// The layer asked for.
        layer: String,
    },
    /// A network without an embedding.
    #[error("network '{0}' has no embedding, so it has no features without classes")]
    NoEmbedding(String),
    /// An unknown architecture.
    #[error("unknown architecture '{name}'; the architectures are {known}")]
    Architecture {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// What an operation finds wrong with its inputs, before the node's name is known.
pub(crate) fn mismatch(wants: &str, got: &[Shape]) -> String {
    let got: Vec<String> = got.iter().map(Shape::to_string).collect();
    format!(
        "requires {wants}, not {}",
        if got.is_empty() { "nothing".into() } else { got.join("; ") }
    )
}

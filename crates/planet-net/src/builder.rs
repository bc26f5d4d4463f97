use crate::{
    BatchNorm, Convolution, Linear, Lstm, Network, NetworkError, NodeId, Operation, OutputName,
    Pool, Shape,
};

/// Puts a [`Network`] together node by node, checking shapes on the way.
///
/// ```
/// use planet_net::{Builder, Convolution, Linear, OutputName, Shape};
///
/// let mut net = Builder::new("tiny", Shape::image(3, [8, 8]));
/// let x = net.convolution("conv", net.input(), Convolution::new(3, 4, [3, 3]).same())?;
/// let x = net.relu("conv.relu", x)?;
/// let x = net.global_average_pool("pool", x)?;
/// let x = net.flatten("flatten", x)?;
/// let logits = net.linear("fc", x, Linear { inputs: 4, outputs: 5, deviation: 0.01 })?;
/// let network = net.output(OutputName::Logits, logits).build()?;
/// assert_eq!(network.classes(), 5);
/// # Ok::<(), planet_net::NetworkError>(())
/// ```
#[derive(Debug)]
pub struct Builder {
    network: Network,
}

impl Builder {
    /// Begins a network with the shape of its input. Photos come in as `pixels`, anything else
    /// as `embedding`.
    pub fn new(name: &str, input: Shape) -> Self {
        Self { network: Network::new(name, input) }
    }

    /// The input.
    pub fn input(&self) -> NodeId {
        NodeId::FIRST
    }

    /// Shape of a node's value.
    pub fn shape(&self, node: NodeId) -> Shape {
        self.network.node(node).shape()
    }

    /// Any operation.
    ///
    /// # Errors
    /// Inputs whose shapes the operation cannot take.
    pub fn apply(
        &mut self,
        name: &str,
        operation: Operation,
        inputs: &[NodeId],
    ) -> Result<NodeId, NetworkError> {
        self.network.push(name, operation, inputs)
    }

    /// Names a node's value as an output.
    pub fn output(&mut self, output: OutputName, node: NodeId) -> &mut Self {
        self.network.set_output(output, node);
        self
    }

    /// The network.
    ///
    /// # Errors
    /// Two nodes of one name, or no logits.
    pub fn build(&self) -> Result<Network, NetworkError> {
        self.network.check()?;
        Ok(self.network.clone())
    }
}

/// One method an operation; each fails as [`Builder::apply`] does.
impl Builder {
    /// Appends a convolution.
    pub fn convolution(
        &mut self,
        name: &str,
        x: NodeId,
        convolution: Convolution,
    ) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Convolution(convolution), &[x])
    }

    /// Appends a batch normalisation.
    pub fn batch_norm(
        &mut self,
        name: &str,
        x: NodeId,
        batch_norm: BatchNorm,
    ) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::BatchNorm(batch_norm), &[x])
    }

    /// Appends a ReLU.
    pub fn relu(&mut self, name: &str, x: NodeId) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Relu, &[x])
    }

    /// Appends a pooling window.
    pub fn pool(&mut self, name: &str, x: NodeId, pool: Pool) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Pool(pool), &[x])
    }

    /// Appends the mean over height and width.
    pub fn global_average_pool(&mut self, name: &str, x: NodeId) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::GlobalAveragePool, &[x])
    }

    /// Joins values along the channels.
    pub fn concat(&mut self, name: &str, parts: &[NodeId]) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Concat, parts)
    }

    /// Turns an image into features.
    pub fn flatten(&mut self, name: &str, x: NodeId) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Flatten, &[x])
    }

    /// Appends a dropout.
    pub fn dropout(
        &mut self,
        name: &str,
        x: NodeId,
        probability: f32,
    ) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Dropout { probability }, &[x])
    }

    /// Appends a dense layer.
    pub fn linear(
        &mut self,
        name: &str,
        x: NodeId,
        linear: Linear,
    ) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Linear(linear), &[x])
    }

    /// Appends an LSTM layer.
    pub fn lstm(&mut self, name: &str, x: NodeId, lstm: Lstm) -> Result<NodeId, NetworkError> {
        self.apply(name, Operation::Lstm(lstm), &[x])
    }
}

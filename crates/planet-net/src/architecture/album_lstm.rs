use crate::{Builder, Linear, Lstm, Network, NetworkError, OutputName, Shape};

/// An album model's network: an LSTM over a sequence of embeddings, from one end or from both,
/// and a classifier over the same cells as the photo network's (paper, section 5).
///
/// ```
/// use planet_net::AlbumNetwork;
///
/// let album = AlbumNetwork { features: 2048, hidden: 512, classes: 26_263, bidirectional: true };
/// let network = album.network()?;
/// assert_eq!(network.classes(), 26_263);
/// # Ok::<(), planet_net::NetworkError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlbumNetwork {
    /// Features of an embedding.
    pub features: usize,
    /// Size of each direction's state.
    pub hidden: usize,
    /// Cells.
    pub classes: usize,
    /// Whether a second LSTM reads from the end.
    pub bidirectional: bool,
}

impl AlbumNetwork {
    /// Name of the LSTM's node: its parameters are `lstm.weight_ih_l0` and so on.
    pub const LSTM: &'static str = "lstm";
    /// Name of the classifier's node: `fc.weight`, `fc.bias`.
    pub const CLASSIFIER: &'static str = "fc";

    /// The network.
    ///
    /// # Errors
    /// A size of 0.
    pub fn network(&self) -> Result<Network, NetworkError> {
        let name = if self.bidirectional { "blstm" } else { "lstm" };
        let mut net = Builder::new(name, Shape::Sequence { features: self.features });
        let lstm =
            Lstm { inputs: self.features, hidden: self.hidden, bidirectional: self.bidirectional };
        let x = net.lstm(Self::LSTM, net.input(), lstm)?;
        let inputs = self.hidden * lstm.directions();
        let classifier = Linear { inputs, outputs: self.classes, deviation: 0.01 };
        let logits = net.linear(Self::CLASSIFIER, x, classifier)?;
        net.output(OutputName::Logits, logits).build()
    }
}

use crate::{Network, NetworkError, NodeId, Operation, OutputName};

impl Network {
    /// The network without its classifier, for features: its outputs are the embedding and, as
    /// `map`, the image of which the last global mean is taken. Its ONNX file takes photos of any
    /// size.
    ///
    /// # Errors
    /// The network has no embedding.
    pub fn features_only(&self) -> Result<Self, NetworkError> {
        let embedding = self
            .output(OutputName::Embedding)
            .ok_or_else(|| NetworkError::NoEmbedding(self.name().to_owned()))?;
        let mut network = self.clone();
        if let Some(map) = self.map_below(embedding) {
            network.set_output(OutputName::Map, map);
        }
        Ok(network.keeping(|output| matches!(output, OutputName::Embedding | OutputName::Map)))
    }

    /// The network with its scores as its only output, `code`: their signs are a code's bits.
    pub fn code_only(&self) -> Self {
        let mut network = self.clone();
        if let Some(scores) = self.output(OutputName::Logits) {
            network.set_output(OutputName::Code, scores);
        }
        network.keeping(|output| output == OutputName::Code)
    }

    /// The image whose mean leads to this node by way of layers with one input.
    fn map_below(&self, mut node: NodeId) -> Option<NodeId> {
        loop {
            let here = self.node(node);
            let &[input] = here.inputs() else { return None };
            if *here.operation() == Operation::GlobalAveragePool {
                return Some(input);
            }
            node = input;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Shape};

    #[test]
    fn every_architecture_gives_its_embedding_and_the_map_below_it() {
        for architecture in Architecture::ALL {
            let network = architecture.usual(5).expect("built");
            let features = network.features_only().expect("features");
            assert_eq!(features.classes(), 0, "{architecture}");
            assert_eq!(features.features(), network.features(), "{architecture}");
            let map = features.output(OutputName::Map).expect("a map");
            let Shape::Image { channels, height, width } = features.node(map).shape() else {
                panic!("{architecture}: a map is an image")
            };
            assert!(channels >= 448 && height > 1 && width > 1, "{architecture}");
            let names: Vec<String> = features.parameters().map(|it| it.name).collect();
            assert!(!names.iter().any(|name| name.starts_with("fc.") || name.contains("Aux")));
        }
    }
}

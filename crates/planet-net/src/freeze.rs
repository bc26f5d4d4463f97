use crate::{Network, NetworkError};

impl Network {
    /// The same network, of which training leaves all layers in front of this one as they are:
    /// a node, or a group of nodes by the part of their names that they share (`_blocks.12` are
    /// `_blocks.12._expand_conv` and the others).
    ///
    /// Frozen parameters do not change, and frozen batch norm uses its running statistics, in
    /// training too.
    ///
    /// # Errors
    /// No node has this name.
    pub fn freeze_until(&self, layer: &str) -> Result<Self, NetworkError> {
        let is_in = |name: &str| {
            name.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let first = self.nodes.iter().skip(1).position(|node| is_in(node.name()));
        let first = first.ok_or_else(|| NetworkError::NoLayer {
            network: self.name().to_owned(),
            layer: layer.to_owned(),
        })?;
        let mut network = self.clone();
        // The input is in front of every layer.
        network.nodes[..=first].iter_mut().for_each(|node| node.frozen = true);
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Architecture, ParameterKind};

    fn frozen(layer: &str) -> Vec<String> {
        let network = Architecture::InceptionMini.usual(3).expect("built");
        let network = network.freeze_until(layer).expect("a layer");
        let parameters = network.parameters();
        let frozen = parameters.filter(|it| it.kind == ParameterKind::Frozen);
        frozen.map(|it| it.name).collect()
    }

    #[test]
    fn every_layer_in_front_of_the_named_one_is_frozen_and_no_other() {
        let names = frozen("Conv2d_2a_3x3");
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("Conv2d_1a_3x3.")), "{names:?}");
        assert!(frozen("fc").iter().any(|name| name.starts_with("Mixed_7b.")));
        assert!(!frozen("fc").iter().any(|name| name.starts_with("fc.")));
        assert!(frozen("Conv2d_1a_3x3").is_empty());
    }

    #[test]
    fn a_layer_that_is_not_there_is_an_error_with_its_name() {
        let network = Architecture::InceptionMini.usual(3).expect("built");
        for name in ["Mixed_9", "Mixed", "pixels"] {
            let error = network.freeze_until(name).expect_err("no such layer").to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}

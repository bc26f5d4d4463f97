use crate::{Count, Network, Node, Operation, Shape};

/// A run of nodes that one name covers: a block, or a layer with its batch norm and bend.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// `Mixed_5b`, `features.4`.
    pub name: String,
    /// The last node's operation where the part is one node, else `block`.
    pub what: &'static str,
    /// Shape of the last node's value.
    pub shape: Shape,
    /// Of all its nodes.
    pub count: Count,
}

impl Network {
    /// The network part by part, for a table that people read.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for node in self.nodes() {
            let (name, count) = (part_name(node.name()), self.count_of(node));
            match parts.last_mut().filter(|part| part.name == name) {
                Some(part) => {
                    part.count = part.count + count;
                    part.shape = node.shape();
                    part.what = name_of_many(part.what, node);
                }
                None => parts.push(Part {
                    name: name.to_owned(),
                    what: node.operation().name(),
                    shape: node.shape(),
                    count,
                }),
            }
        }
        parts
    }
}

/// A convolution stays one with what follows it; anything else is a block.
fn name_of_many(so_far: &'static str, node: &Node) -> &'static str {
    let follows = matches!(
        node.operation(),
        Operation::BatchNorm(_) | Operation::Relu | Operation::Relu6 | Operation::HardSwish
    );
    if so_far == "convolution" && follows { so_far } else { "block" }
}

/// The first word, with the number behind it where there is one: `features.4`.
fn part_name(node: &str) -> &str {
    let mut words = node.splitn(3, '.');
    let first = words.next().unwrap_or(node);
    match words.next() {
        Some(second) if second.parse::<u32>().is_ok() => &node[..=first.len() + second.len()],
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Architecture;

    #[test]
    fn parts_cover_the_network_once_and_keep_their_order() {
        for architecture in Architecture::ALL {
            let network = architecture.usual(10).expect("built");
            let parts = network.parts();
            assert!((15..40).contains(&parts.len()), "{architecture}: {}", parts.len());
            let whole = parts.iter().fold(Count::default(), |sum, part| sum + part.count);
            assert_eq!(whole, network.count(), "{architecture}");
            assert_eq!(parts[0].what, "input");
            assert_eq!(parts.last().map(|part| part.what), Some("linear"));
        }
    }

    #[test]
    fn a_convolution_with_its_batch_norm_is_one_layer_and_a_block_is_one_part() {
        let parts = Architecture::InceptionV3.usual(10).expect("built").parts();
        let of = |name: &str| parts.iter().find(|part| part.name == name).expect("a part").what;
        assert_eq!((of("Conv2d_1a_3x3"), of("Mixed_6b")), ("convolution", "block"));
        assert_eq!(part_name("features.4.block.1.0"), "features.4");
    }
}

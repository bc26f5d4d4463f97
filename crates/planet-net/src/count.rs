use std::ops::Add;

use crate::{Network, Node, NodeId, Operation, ParameterKind};

/// How large a network is and how much work one photo is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Trained numbers: weights, biases, batch norm's scale and shift.
    pub parameters: u64,
    /// Batch norm's running means and variances.
    pub statistics: u64,
    /// Numbers of frozen nodes, statistics included.
    pub frozen: u64,
    /// Multiplications followed by an addition, of convolutions, dense and LSTM layers, for
    /// one photo, or one step of a sequence.
    pub multiply_adds: u64,
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            parameters: self.parameters + other.parameters,
            statistics: self.statistics + other.statistics,
            frozen: self.frozen + other.frozen,
            multiply_adds: self.multiply_adds + other.multiply_adds,
        }
    }
}

impl Network {
    /// Of the whole network, the auxiliary classifier included.
    pub fn count(&self) -> Count {
        self.nodes().iter().map(|node| self.count_of(node)).fold(Count::default(), Add::add)
    }

    /// Of one node.
    pub fn count_of(&self, node: &Node) -> Count {
        let mut count = Count::default();
        for parameter in node.parameters() {
            match parameter.kind {
                ParameterKind::Trained => count.parameters += parameter.count() as u64,
                ParameterKind::Statistic => count.statistics += parameter.count() as u64,
                ParameterKind::Frozen => count.frozen += parameter.count() as u64,
            }
        }
        let work = match node.operation() {
            Operation::Convolution(it) => node.shape().count() * it.fan_in(),
            Operation::Linear(it) => it.inputs * it.outputs,
            Operation::Lstm(it) => it.directions() * 4 * it.hidden * (it.inputs + it.hidden),
            _ => 0,
        };
        count.multiply_adds = work as u64;
        count
    }

    /// The nodes that take this node's value.
    pub fn consumers(&self, node: NodeId) -> impl Iterator<Item = &Node> {
        self.nodes().iter().filter(move |other| other.inputs().contains(&node))
    }
}

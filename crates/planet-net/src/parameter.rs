use crate::{Node, Operation};

/// One array of numbers that a network needs: all a training backend must know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// As in PyTorch's `state_dict`: the node's name, a dot, and `weight`, `bias`,
    /// `running_mean` …
    pub name: String,
    /// As PyTorch's: `[outputs, inputs / groups, kh, kw]`, `[outputs, inputs]`, `[channels]`.
    pub shape: Vec<usize>,
    /// How it begins.
    pub initialisation: Initialisation,
    /// Learned, or gathered while learning.
    pub kind: ParameterKind,
}

/// How a parameter changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// By its gradient.
    Trained,
    /// By batch norm's running average; it has no gradient.
    Statistic,
    /// Not at all: its node is frozen ([`crate::Network::freeze_until`]).
    Frozen,
}

/// The numbers that a parameter begins with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialisation {
    /// All the same.
    Constant(f32),
    /// Normal round 0, drawn again where a draw lies more than two deviations off.
    TruncatedNormal {
        /// Of the normal before it is cut.
        deviation: f32,
    },
    /// Uniform within `±bound`.
    Uniform {
        /// The greatest absolute value.
        bound: f32,
    },
}

impl Parameter {
    /// How many numbers it holds.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    fn new(node: &str, suffix: &str, shape: &[usize], initialisation: Initialisation) -> Self {
        let kind = ParameterKind::Trained;
        Self { name: format!("{node}.{suffix}"), shape: shape.to_vec(), initialisation, kind }
    }

    fn statistic(self) -> Self {
        Self { kind: ParameterKind::Statistic, ..self }
    }

    /// Those of one node, in PyTorch's order.
    pub(crate) fn of(node: &Node) -> Vec<Self> {
        let mut parameters = Self::of_operation(node);
        if node.is_frozen() {
            parameters.iter_mut().for_each(|it| it.kind = ParameterKind::Frozen);
        }
        parameters
    }

    fn of_operation(node: &Node) -> Vec<Self> {
        let name = node.name();
        let new = |suffix: &str, shape: &[usize], start| Self::new(name, suffix, shape, start);
        let zero = Initialisation::Constant(0.0);
        match *node.operation() {
            Operation::Convolution(it) => {
                let [height, width] = it.kernel;
                let shape = [it.outputs, it.inputs / it.groups, height, width];
                // He et al. 2015: keeps the size of values through a ReLU.
                let deviation = (2.0 / it.fan_in() as f32).sqrt();
                let mut all =
                    vec![new("weight", &shape, Initialisation::TruncatedNormal { deviation })];
                if it.bias {
                    all.push(new("bias", &[it.outputs], zero));
                }
                all
            }
            Operation::BatchNorm(_) => {
                let channels = [node.shape().channels()];
                let one = Initialisation::Constant(1.0);
                vec![
                    new("weight", &channels, one),
                    new("bias", &channels, zero),
                    new("running_mean", &channels, zero).statistic(),
                    new("running_var", &channels, one).statistic(),
                ]
            }
            Operation::Linear(it) => {
                let start = Initialisation::TruncatedNormal { deviation: it.deviation };
                vec![
                    new("weight", &[it.outputs, it.inputs], start),
                    new("bias", &[it.outputs], zero),
                ]
            }
            Operation::Lstm(it) => {
                let start = Initialisation::Uniform { bound: 1.0 / (it.hidden as f32).sqrt() };
                let gates = 4 * it.hidden;
                let shapes: [(&str, &[usize]); 4] = [
                    ("weight_ih_l0", &[gates, it.inputs]),
                    ("weight_hh_l0", &[gates, it.hidden]),
                    ("bias_ih_l0", &[gates]),
                    ("bias_hh_l0", &[gates]),
                ];
                ["", "_reverse"][..it.directions()]
                    .iter()
                    .flat_map(|way| {
                        shapes.map(|(part, shape)| new(&format!("{part}{way}"), shape, start))
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

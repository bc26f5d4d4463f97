use std::collections::HashMap;

use planet_net::{Network, NodeId, Operation, OutputName, ParameterKind, PoolKind, Shape};

use super::{
    Layer,
    convolution::Convolution,
    depthwise::Depthwise,
    lifetimes::{Lifetimes, Step, Uses},
    linear::Linear,
    memory::{Buffer, Slab, View},
    normalise::{Limits, Normalise},
    pointwise::{Add, Bend, Curve, Dropout, Multiply},
    pool::{GlobalAverage, Pool},
};
use crate::BackendError;

/// A network as layers over slabs, in order.
pub(super) struct Plan {
    pub(super) layers: Vec<Box<dyn Layer>>,
    /// The way back.
    pub(super) steps: Vec<Step>,
    pub(super) slabs: Vec<Slab>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) parameters: Vec<Layout>,
    pub(super) pixels: View,
    pub(super) embedding: Option<View>,
    pub(super) logits: View,
    pub(super) auxiliary: Option<View>,
}

/// A parameter's place in the outside world.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) name: String,
    /// PyTorch's shape.
    pub(super) shape: Vec<usize>,
    pub(super) trained: bool,
    /// A convolution's weights stand as `[height, width, inputs, outputs]` here, and not as
    /// `[outputs, inputs, height, width]`.
    turned: bool,
}

impl Layout {
    /// From PyTorch's order to the layers'.
    pub(super) fn inward(&self, values: &[f32]) -> Vec<f32> {
        let mut inside = vec![0.0; values.len()];
        self.pairs().for_each(|(outside, at)| inside[at] = values[outside]);
        inside
    }

    /// From the layers' order to PyTorch's.
    pub(super) fn outward(&self, values: &[f32]) -> Vec<f32> {
        let mut outside = vec![0.0; values.len()];
        self.pairs().for_each(|(at, inside)| outside[at] = values[inside]);
        outside
    }

    /// Each number's place outside and inside.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let count: usize = self.shape.iter().product();
        let (outputs, inputs, pixels) = match (self.turned, &self.shape[..]) {
            (true, &[outputs, inputs, height, width]) => (outputs, inputs, height * width),
            _ => (1, 1, count),
        };
        (0..count).map(move |outside| {
            let (pixel, rest) = (outside % pixels, outside / pixels);
            let (input, output) = (rest % inputs, rest / inputs);
            (outside, (pixel * inputs + input) * outputs + output)
        })
    }
}

struct Planner<'n> {
    network: &'n Network,
    /// Nodes that read each node; its own index where it leaves the network.
    readers: Vec<Vec<usize>>,
    views: Vec<Option<View>>,
    slabs: Vec<Slab>,
    /// Each concatenation's slab.
    concats: HashMap<usize, usize>,
    parameters: Vec<Layout>,
    by_name: HashMap<String, usize>,
    /// Layers that are to come, and what each uses.
    layers: Vec<Make>,
    uses: Vec<Uses>,
    /// Layers at the beginning whose nodes are frozen.
    frozen: usize,
}

/// Makes a layer from whether it adds to each gradient that it writes.
type Make = Box<dyn FnOnce(&[bool]) -> Box<dyn Layer>>;

impl Plan {
    pub(super) fn new(network: &Network) -> Result<Self, BackendError> {
        let mut readers = vec![Vec::new(); network.nodes().len()];
        for (index, node) in network.nodes().iter().enumerate() {
            node.inputs().iter().for_each(|input| readers[input.index()].push(index));
        }
        for (_, node) in network.outputs() {
            readers[node.index()].push(node.index());
        }
        let (mut parameters, mut by_name) = (Vec::new(), HashMap::new());
        for node in network.nodes() {
            for parameter in node.parameters() {
                by_name.insert(parameter.name.clone(), parameters.len());
                let turned = matches!(node.operation(), Operation::Convolution(_));
                parameters.push(Layout {
                    trained: parameter.kind == ParameterKind::Trained,
                    turned: turned && parameter.shape.len() == 4,
                    name: parameter.name,
                    shape: parameter.shape,
                });
            }
        }
        let mut planner = Planner {
            network,
            readers,
            views: vec![None; network.nodes().len()],
            slabs: Vec::new(),
            concats: HashMap::new(),
            parameters,
            by_name,
            layers: Vec::new(),
            uses: Vec::new(),
            frozen: 0,
        };
        for (id, _) in network.nodes_with_ids() {
            planner.node(id)?;
        }
        Ok(planner.finish())
    }
}

impl Planner<'_> {
    fn finish(mut self) -> Plan {
        let view = |output| {
            let node: NodeId = self.network.output(output)?;
            self.views[node.index()]
        };
        let embedding = view(OutputName::Embedding);
        let logits = view(OutputName::Logits).expect("every network has logits");
        let auxiliary = view(OutputName::Auxiliary);
        let pixels = self.views[0].expect("the input comes first");
        let slabs = |views: &[Option<View>]| -> Vec<usize> {
            views.iter().flatten().map(|view| view.slab).collect()
        };
        let lifetimes = Lifetimes {
            layers: &self.uses,
            first_trained: self.frozen,
            pixels: pixels.slab,
            outputs: &slabs(&[embedding, Some(logits), auxiliary]),
            losses: &slabs(&[Some(logits), auxiliary]),
        };
        let steps = lifetimes.steps(&self.slabs);
        let buffers = lifetimes.place(&steps, &mut self.slabs);
        // Gradients flow backwards: the last that reads a value is the first to write its
        // gradient, and all others add.
        let mut last = HashMap::new();
        for (at, uses) in self.uses.iter().enumerate() {
            last.extend(uses.gradients.iter().map(|slab| (*slab, at)));
        }
        let layers =
            self.layers.into_iter().zip(&self.uses).enumerate().map(|(at, (make, uses))| {
                let add: Vec<bool> = uses.gradients.iter().map(|slab| last[slab] != at).collect();
                make(&add)
            });
        Plan {
            layers: layers.collect(),
            steps,
            slabs: self.slabs,
            buffers,
            parameters: self.parameters,
            pixels,
            embedding,
            logits,
            auxiliary,
        }
    }

    fn slab(&mut self, per_photo: usize) -> usize {
        self.slabs.push(Slab { per_photo, ..Slab::default() });
        self.slabs.len() - 1
    }

    /// Where a node's value goes: into the one concatenation that reads it, or a slab of its
    /// own.
    fn place(&mut self, index: usize) -> View {
        let nodes = self.network.nodes();
        let shape = nodes[index].shape();
        let (height, width) = match shape {
            Shape::Image { height, width, .. } => (height, width),
            Shape::Features(_) | Shape::Sequence { .. } => (1, 1),
        };
        let channels = shape.channels();
        let view = match self.readers[index][..] {
            [reader] if matches!(nodes[reader].operation(), Operation::Concat) => {
                let slab = self.concat(reader);
                let before = nodes[reader].inputs().iter().take_while(|it| it.index() != index);
                let channel = before.map(|it| self.network.node(*it).shape().channels()).sum();
                let step = nodes[reader].shape().channels();
                View { slab, channel, channels, step, height, width }
            }
            _ => {
                let slab = self.slab(shape.count());
                View { slab, channel: 0, channels, step: channels, height, width }
            }
        };
        self.views[index] = Some(view);
        view
    }

    fn concat(&mut self, index: usize) -> usize {
        if let Some(slab) = self.concats.get(&index) {
            return *slab;
        }
        let slab = self.slab(self.network.nodes()[index].shape().count());
        self.concats.insert(index, slab);
        slab
    }

    fn input(&self, node: &planet_net::Node, at: usize) -> View {
        self.views[node.inputs()[at].index()].expect("inputs come before their readers")
    }

    fn parameter(&self, node: &planet_net::Node, part: &str) -> usize {
        self.by_name[&format!("{}.{part}", node.name())]
    }

    /// A layer that writes the gradients of all its inputs, and for them reads the values of some
    /// views again.
    fn layer(
        &mut self,
        inputs: &[View],
        output: View,
        backward: &[View],
        make: impl FnOnce(&[bool]) -> Box<dyn Layer> + 'static,
    ) -> &mut Uses {
        let slabs = |views: &[View]| views.iter().map(|view| view.slab).collect();
        self.layers.push(Box::new(make));
        self.uses.push(Uses {
            inputs: slabs(inputs),
            output: output.slab,
            gradients: slabs(inputs),
            backward: slabs(backward),
            quick: false,
        });
        self.uses.last_mut().expect("it was pushed")
    }

    fn node(&mut self, id: NodeId) -> Result<(), BackendError> {
        let (index, node, layers) = (id.index(), self.network.node(id), self.layers.len());
        let unsupported = |what: &str| BackendError::Unsupported {
            backend: "cpu".into(),
            node: node.name().into(),
            what: what.into(),
        };
        match *node.operation() {
            Operation::Input => {
                self.place(index);
            }
            Operation::Convolution(geometry) => self.convolution(index, geometry)?,
            Operation::BatchNorm(_) => {
                // With a ReLU behind it, both are one layer.
                let fused = match self.readers[index][..] {
                    [reader] if reader != index => {
                        limits(self.network.nodes()[reader].operation()).is_some()
                    }
                    _ => false,
                };
                if !fused {
                    self.normalise(index, index)?;
                }
            }
            Operation::Relu | Operation::Relu6
                if self.views[node.inputs()[0].index()].is_none() =>
            {
                self.normalise(node.inputs()[0].index(), index)?;
            }
            Operation::Relu => self.bend(index, Curve::Relu),
            Operation::Relu6 => self.bend(index, Curve::Relu6),
            Operation::HardSwish => self.bend(index, Curve::HardSwish),
            Operation::HardSigmoid => self.bend(index, Curve::HardSigmoid),
            Operation::Pool(geometry) => {
                let (input, output) = (self.input(node, 0), self.place(index));
                let backward: &[View] = match geometry.kind {
                    PoolKind::Max => &[input, output],
                    PoolKind::Average => &[],
                };
                let uses = self.layer(&[input], output, backward, move |add| {
                    Box::new(Pool { geometry, input, output, add: add[0] })
                });
                uses.quick = true;
            }
            Operation::GlobalAveragePool => {
                let (input, output) = (self.input(node, 0), self.place(index));
                self.layer(&[input], output, &[], move |add| {
                    Box::new(GlobalAverage { input, output, add: add[0] })
                });
            }
            Operation::Concat => self.concatenation(index),
            Operation::Add => {
                let (inputs, output) =
                    ([self.input(node, 0), self.input(node, 1)], self.place(index));
                self.layer(&inputs, output, &[], move |add| {
                    Box::new(Add { inputs, output, add: [add[0], add[1]] })
                });
            }
            Operation::Multiply => {
                let (inputs, output) =
                    ([self.input(node, 0), self.input(node, 1)], self.place(index));
                self.layer(&inputs, output, &inputs, move |add| {
                    Box::new(Multiply { inputs, output, add: [add[0], add[1]] })
                });
            }
            Operation::Dropout { probability } => {
                let (input, output) = (self.input(node, 0), self.place(index));
                self.layer(&[input], output, &[], move |add| {
                    let (add, factors) = (add[0], Vec::new());
                    Box::new(Dropout { probability, input, output, add, node: index, factors })
                });
            }
            Operation::Flatten => {
                let input = self.input(node, 0);
                if input.pixels() != 1 {
                    return Err(unsupported("flattens only images of one pixel"));
                }
                self.views[index] = Some(input);
            }
            Operation::Linear(_) if matches!(node.shape(), Shape::Features(_)) => {
                let (input, output) = (self.input(node, 0), self.place(index));
                let (weight, bias) = (self.parameter(node, "weight"), self.parameter(node, "bias"));
                self.layer(&[input], output, &[input], move |add| {
                    Box::new(Linear { input, output, weight, bias, add: add[0] })
                });
            }
            Operation::Linear(_) | Operation::Lstm(_) => {
                return Err(unsupported("trains sequences elsewhere"));
            }
        }
        // Batch norm's layer is made with the function behind it, which may be the first that is
        // not frozen itself.
        let all_frozen = || node.inputs().iter().all(|it| self.network.node(*it).is_frozen());
        if self.frozen == layers
            && (node.is_frozen() || node.parameters().is_empty() && all_frozen())
        {
            self.frozen = self.layers.len();
        }
        Ok(())
    }

    fn convolution(
        &mut self,
        index: usize,
        geometry: planet_net::Convolution,
    ) -> Result<(), BackendError> {
        let node = &self.network.nodes()[index];
        let (input, output) = (self.input(node, 0), self.place(index));
        let weight = self.parameter(node, "weight");
        let bias = geometry.bias.then(|| self.parameter(node, "bias"));
        if geometry.groups == 1 {
            let wanted = input != self.views[0].expect("the input comes first");
            let uses = self.layer(&[input], output, &[input], move |add| {
                let input_gradient = add.first().copied();
                Box::new(Convolution { geometry, input, output, weight, bias, input_gradient })
            });
            if !wanted {
                uses.gradients.clear();
            }
        } else if [geometry.inputs, geometry.outputs] == [geometry.groups; 2] && bias.is_none() {
            self.layer(&[input], output, &[input], move |add| {
                Box::new(Depthwise { geometry, input, output, weight, add: add[0] })
            });
        } else {
            return Err(BackendError::Unsupported {
                backend: "cpu".into(),
                node: node.name().into(),
                what: "convolves all channels together, or each alone without a constant".into(),
            });
        }
        Ok(())
    }

    /// Batch norm of node `norm`, whose value, the function behind it included, is that of node
    /// `index`.
    fn normalise(&mut self, norm: usize, index: usize) -> Result<(), BackendError> {
        let node = &self.network.nodes()[norm];
        let Operation::BatchNorm(kind) = *node.operation() else {
            unreachable!("only batch norm puts off its value")
        };
        let (input, output) = (self.input(node, 0), self.place(index));
        let source = node.inputs()[0];
        let convolved = matches!(self.network.node(source).operation(), Operation::Convolution(_));
        if !convolved || self.readers[source.index()].len() != 1 {
            return Err(BackendError::Unsupported {
                backend: "cpu".into(),
                node: node.name().into(),
                what: "takes batch norm right behind a convolution that nothing else reads".into(),
            });
        }
        self.slabs[input.slab].in_place = true;
        let [scale, shift, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|part| self.parameter(node, part));
        let limits = limits(self.network.nodes()[index].operation()).unwrap_or(Limits::NONE);
        let frozen = node.is_frozen();
        let uses = self.layer(&[input], output, &[input], move |_| {
            let batch = super::normalise::Statistics::default();
            Box::new(Normalise {
                norm: kind,
                limits,
                frozen,
                input,
                output,
                scale,
                shift,
                mean,
                variance,
                batch,
            })
        });
        uses.gradients.clear();
        uses.quick = true;
        Ok(())
    }

    fn bend(&mut self, index: usize, curve: Curve) {
        let node = &self.network.nodes()[index];
        let (input, output) = (self.input(node, 0), self.place(index));
        let uses = self.layer(&[input], output, &[input], move |add| {
            Box::new(Bend { curve, input, output, add: add[0] })
        });
        uses.quick = true;
    }

    fn concatenation(&mut self, index: usize) {
        let node = &self.network.nodes()[index];
        let slab = self.concat(index);
        let step = node.shape().channels();
        let mut channel = 0;
        for at in 0..node.inputs().len() {
            let input = self.input(node, at);
            let output = View { slab, channel, step, ..input };
            channel += input.channels;
            if input != output {
                let uses = self.layer(&[input], output, &[input], move |add| {
                    Box::new(Bend { curve: Curve::Identity, input, output, add: add[0] })
                });
                uses.quick = true;
            }
            if at + 1 == node.inputs().len() {
                self.views[index] = Some(View { channel: 0, channels: step, ..output });
            }
        }
    }
}

/// What a function behind batch norm lets through, where it can be one layer with it.
fn limits(operation: &Operation) -> Option<Limits> {
    match operation {
        Operation::Relu => Some(Limits::RELU),
        Operation::Relu6 => Some(Limits::RELU6),
        _ => None,
    }
}

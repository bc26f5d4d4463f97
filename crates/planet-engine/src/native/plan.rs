use std::collections::{HashMap, HashSet};

use super::{
    graph::{Graph, Value},
    kernels::View,
    operation::{Operation, Shape},
};

/// Numbers of one photo that a value has at most, and that all of them have together: beyond this
/// a graph is damaged, or means harm.
const MOST_NUMBERS: usize = 1 << 28;

/// How a graph is run for photos of one size: which layers, and where their values lie.
#[derive(Debug)]
pub(super) struct Plan {
    /// Height and width of the photos.
    pub(super) size: [usize; 2],
    /// The outputs that are computed, by their place among the graph's.
    pub(super) outputs: Vec<usize>,
    pub(super) input: View,
    pub(super) steps: Vec<Step>,
    /// Numbers of a photo that each memory must hold.
    pub(super) slots: Vec<usize>,
    /// Where each value that is computed lies, with its shape.
    places: HashMap<Value, (View, Shape)>,
}

/// A layer with where it reads and writes.
#[derive(Debug)]
pub(super) struct Step {
    /// Place among the graph's layers.
    pub(super) layer: usize,
    pub(super) inputs: Vec<View>,
    pub(super) output: View,
    /// For a concatenation: which inputs were not written in their place.
    pub(super) copied: Vec<usize>,
}

impl Plan {
    /// A plan for photos `[3, height, width]` or whatever channels the input has, and some of the
    /// graph's outputs.
    ///
    /// # Errors
    /// The layer that does not fit.
    pub(super) fn new(
        graph: &Graph,
        channels: usize,
        size: [usize; 2],
        outputs: &[usize],
    ) -> Result<Self, String> {
        let needed = needed(graph, outputs);
        let shapes = shapes(graph, Shape::Image { channels, sides: size }, &needed)?;
        let mut layout = Layout { graph, needed: &needed, shapes: &shapes, within: HashMap::new() };
        layout.place_parts();
        let (views, slots) = layout.views(outputs);
        let place = |value: &Value| views[value];
        let steps = needed.iter().filter_map(|&at| {
            let layer = &graph.layers[at];
            let inputs: Vec<View> = layer.inputs.iter().map(place).collect();
            let output = views[&layer.output];
            let copied = (0..inputs.len())
                .filter(|at| !layout.within.contains_key(&layer.inputs[*at]))
                .collect();
            let idle = layout.is_alias(at);
            (!idle).then_some(Step { layer: at, inputs, output, copied })
        });
        let steps = steps.collect();
        let places = views.iter().map(|(value, view)| (*value, (*view, shapes[value]))).collect();
        Ok(Self { size, outputs: outputs.to_vec(), input: views[&0], steps, slots, places })
    }

    /// Where a value lies, and its shape.
    pub(super) fn place(&self, value: Value) -> (View, Shape) {
        self.places[&value]
    }

    /// Numbers of memory for one photo.
    pub(super) fn per_photo(&self) -> usize {
        self.slots.iter().sum()
    }
}

/// The layers that these outputs are computed from.
fn needed(graph: &Graph, outputs: &[usize]) -> Vec<usize> {
    let mut wanted: HashSet<Value> = outputs.iter().map(|at| graph.outputs[*at].1).collect();
    let mut layers = Vec::new();
    for (at, layer) in graph.layers.iter().enumerate().rev() {
        if wanted.contains(&layer.output) {
            wanted.extend(&layer.inputs);
            layers.push(at);
        }
    }
    layers.reverse();
    layers
}

/// The shape of every value that is needed.
fn shapes(graph: &Graph, input: Shape, needed: &[usize]) -> Result<HashMap<Value, Shape>, String> {
    let mut shapes = HashMap::from([(0, input)]);
    for &at in needed {
        let layer = &graph.layers[at];
        let failed = |what: String| format!("the node '{}' {what}", layer.name);
        let inputs = layer.inputs.iter().map(|value| shapes.get(value).copied());
        let inputs: Option<Vec<Shape>> = inputs.collect();
        let inputs = inputs.ok_or_else(|| failed("reads a second input of the model".into()))?;
        let output = layer.operation.output(&inputs).map_err(failed)?;
        if output.count().is_none_or(|it| it == 0 || it > MOST_NUMBERS) {
            return Err(failed("gives nothing, or more than fits the memory".into()));
        }
        shapes.insert(layer.output, output);
    }
    Ok(shapes)
}

/// Where values go.
struct Layout<'a> {
    graph: &'a Graph,
    needed: &'a [usize],
    shapes: &'a HashMap<Value, Shape>,
    /// Values that are written into their place in a concatenation: that value, and the channel.
    within: HashMap<Value, (Value, usize)>,
}

impl Layout<'_> {
    /// Whether a layer's value is its input as it lies.
    fn is_alias(&self, layer: usize) -> bool {
        let layer = &self.graph.layers[layer];
        match layer.operation {
            Operation::Same => true,
            Operation::Flatten => self.shapes[&layer.inputs[0]].sides() == [1, 1],
            _ => false,
        }
    }

    /// Lets values that only a concatenation reads be written into their place in it.
    fn place_parts(&mut self) {
        let mut readers: HashMap<Value, usize> = HashMap::new();
        let mut fixed = HashSet::from([0]);
        for &at in self.needed {
            let layer = &self.graph.layers[at];
            layer.inputs.iter().for_each(|value| *readers.entry(*value).or_default() += 1);
            if self.is_alias(at) {
                fixed.extend([layer.output, layer.inputs[0]]);
            }
        }
        for &at in self.needed {
            let layer = &self.graph.layers[at];
            if !matches!(layer.operation, Operation::Concat) {
                continue;
            }
            let mut first = 0;
            for value in &layer.inputs {
                let is_free = !fixed.contains(value) && !self.graph.is_output(*value);
                if is_free && readers[value] == 1 {
                    self.within.insert(*value, (layer.output, first));
                }
                first += self.shapes[value].channels();
            }
        }
    }

    /// The value whose memory a value lies in, and its first channel there.
    fn root(&self, value: Value) -> (Value, usize) {
        let (mut value, mut first) = (value, 0);
        loop {
            if let Some((whole, at)) = self.within.get(&value) {
                (value, first) = (*whole, first + at);
                continue;
            }
            let source = self.needed.iter().find(|at| self.graph.layers[**at].output == value);
            match source {
                Some(&at) if self.is_alias(at) => value = self.graph.layers[at].inputs[0],
                _ => return (value, first),
            }
        }
    }

    /// Gives every value its place; memory is used again as soon as what was in it has been read.
    fn views(&self, outputs: &[usize]) -> (HashMap<Value, View>, Vec<usize>) {
        let values = self.needed.iter().flat_map(|at| {
            let layer = &self.graph.layers[*at];
            layer.inputs.iter().chain([&layer.output])
        });
        let roots: HashMap<Value, (Value, usize)> =
            values.chain([&0]).map(|value| (*value, self.root(*value))).collect();
        let mut last: HashMap<Value, usize> = HashMap::new();
        for &at in self.needed {
            let layer = &self.graph.layers[at];
            let touched = layer.inputs.iter().chain([&layer.output]);
            last.extend(touched.map(|value| (roots[value].0, at)));
        }
        for &output in outputs {
            last.insert(roots[&self.graph.outputs[output].1].0, usize::MAX);
        }
        let mut memory = Memory::default();
        memory.take(0, self.shapes[&0]);
        for &at in self.needed {
            let root = roots[&self.graph.layers[at].output].0;
            memory.take(root, self.shapes[&root]);
            memory.free(|value| last.get(&value).is_none_or(|last| *last <= at));
        }
        let view = |value: &Value, (root, first): (Value, usize)| {
            let [height, width] = self.shapes[value].sides();
            let (channels, step) = (self.shapes[value].channels(), self.shapes[&root].channels());
            View { slot: memory.slots_of[&root], first, channels, step, height, width }
        };
        let views = roots.iter().map(|(value, root)| (*value, view(value, *root))).collect();
        (views, memory.slots)
    }
}

/// Memories that are used by one value after the other.
#[derive(Default)]
struct Memory {
    /// Numbers of a photo that each has room for.
    slots: Vec<usize>,
    slots_of: HashMap<Value, usize>,
    /// Which value each holds now.
    held: Vec<Option<Value>>,
}

impl Memory {
    /// Gives a value that has none yet a place: the smallest that is large enough, else the largest.
    fn take(&mut self, value: Value, shape: Shape) {
        if self.slots_of.contains_key(&value) {
            return;
        }
        let size = shape.count().expect("shapes were counted");
        let free = (0..self.slots.len()).filter(|slot| self.held[*slot].is_none());
        let best = free.min_by_key(|slot| {
            let room = self.slots[*slot];
            if room >= size { (0, room) } else { (1, usize::MAX - room) }
        });
        let slot = best.unwrap_or_else(|| {
            self.slots.push(0);
            self.held.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = self.slots[slot].max(size);
        self.held[slot] = Some(value);
        self.slots_of.insert(value, slot);
    }

    fn free(&mut self, is_done: impl Fn(Value) -> bool) {
        for held in &mut self.held {
            if held.is_some_and(&is_done) {
                *held = None;
            }
        }
    }
}

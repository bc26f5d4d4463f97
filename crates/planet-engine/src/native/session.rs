use super::{
    NAME,
    graph::Graph,
    kernels::{self, Aligned, Source, Target, View, Workers},
    operation::{Operation, Shape},
    plan::{Plan, Step},
};
use crate::session::{Input, Session};

/// Bytes that the values of the photos that are computed together take at most, where they are
/// more than one: memory does not grow with the batch.
const TOGETHER: usize = 96 << 20;

/// A model that this engine runs.
pub(super) struct NativeSession {
    graph: Graph,
    outputs: Vec<String>,
    workers: Workers,
    /// How the last photos were run.
    plan: Option<Plan>,
    /// The values of the last photos.
    memory: Vec<Aligned>,
}

impl NativeSession {
    /// Checks the graph for photos of its own size, where it states one.
    ///
    /// # Errors
    /// The layer that does not fit.
    pub(super) fn new(graph: Graph, workers: Workers) -> Result<Self, String> {
        let outputs = graph.outputs.iter().map(|(name, _)| name.clone()).collect();
        let plan = match graph.inputs.first().and_then(|input| input.shape.as_deref()) {
            Some(&[_, Some(channels), Some(height), Some(width)]) => {
                let all: Vec<usize> = (0..graph.outputs.len()).collect();
                Some(Plan::new(&graph, channels, [height, width], &all)?)
            }
            _ => None,
        };
        Ok(Self { graph, outputs, workers, plan, memory: Vec::new() })
    }

    /// The values of some outputs, by their place among the graph's, for photos
    /// `[photos, channels, height, width]`.
    fn values(
        &mut self,
        [photos, channels, height, width]: [usize; 4],
        pixels: &[f32],
        outputs: &[usize],
    ) -> Result<Vec<Vec<f32>>, String> {
        let fits = |plan: &Plan| {
            (plan.size, plan.input.channels) == ([height, width], channels)
                && plan.outputs == outputs
        };
        let plan = match self.plan.take().filter(fits) {
            Some(plan) => plan,
            None => Plan::new(&self.graph, channels, [height, width], outputs)?,
        };
        let together = (TOGETHER / size_of::<f32>() / plan.per_photo().max(1)).clamp(1, photos);
        let mut found = vec![Vec::new(); outputs.len()];
        let photo = channels * height * width;
        let Self { graph, workers, memory, .. } = self;
        memory.resize_with(memory.len().max(plan.slots.len()), Aligned::default);
        for (slot, size) in memory.iter_mut().zip(&plan.slots) {
            slot.reserve(together * size);
        }
        workers.enter(|| {
            for pixels in pixels.chunks(together * photo) {
                let mut run = Run { graph, workers, memory, photos: pixels.len() / photo };
                run.all(&plan, pixels);
                for (found, output) in found.iter_mut().zip(outputs) {
                    let (view, shape) = plan.place(graph.outputs[*output].1);
                    run.output(view, shape, found);
                }
            }
        });
        self.plan = Some(plan);
        Ok(found)
    }
}

/// Some photos on their way through the layers.
struct Run<'a> {
    graph: &'a Graph,
    workers: &'a Workers,
    memory: &'a mut [Aligned],
    photos: usize,
}

impl Run<'_> {
    fn all(&mut self, plan: &Plan, pixels: &[f32]) {
        self.write(plan.input, |_, to, workers| kernels::channels_last(pixels, to, workers));
        for step in &plan.steps {
            self.step(step);
        }
    }

    /// Lets an operation write into a value, while all others can be read.
    fn write(&mut self, view: View, work: impl FnOnce(&Self, Target<'_>, &Workers)) {
        let mut memory = std::mem::take(&mut self.memory[view.slot]);
        work(self, Target { values: memory.values_mut(), view, photos: self.photos }, self.workers);
        self.memory[view.slot] = memory;
    }

    fn read(&self, view: View) -> Source<'_> {
        Source { values: self.memory[view.slot].values(), view }
    }

    fn step(&mut self, step: &Step) {
        let operation = &self.graph.layers[step.layer].operation;
        if let Operation::Concat = operation {
            return self.concat(step);
        }
        self.write(step.output, |run, to, workers| {
            let from = run.read(step.inputs[0]);
            match operation {
                Operation::Convolution(it) => it.run(from, to, workers),
                Operation::Depthwise(it) => it.run(from, to, workers),
                Operation::Dense(it) => it.run(from, to, workers),
                Operation::Affine(it) => it.run(from, to, workers),
                Operation::Pool(it) => it.run(from, to, workers),
                Operation::GlobalAverage => kernels::global_average(from, to, workers),
                Operation::Add(curve) => {
                    kernels::add(*curve, [from, run.read(step.inputs[1])], to, workers);
                }
                Operation::Multiply => {
                    kernels::multiply([from, run.read(step.inputs[1])], to, workers);
                }
                Operation::Curve(curve) => kernels::curve(*curve, from, to, workers),
                Operation::Flatten => kernels::flatten(from, to, workers),
                Operation::Concat | Operation::Same => {
                    unreachable!("they are not steps of this kind")
                }
            }
        });
    }

    /// Copies the parts that were not written in their place.
    fn concat(&mut self, step: &Step) {
        let mut first = step.output.first;
        for (at, input) in step.inputs.iter().enumerate() {
            let part = View { first, channels: input.channels, ..step.output };
            if step.copied.contains(&at) {
                self.write(part, |run, to, workers| kernels::copy(run.read(*input), to, workers));
            }
            first += input.channels;
        }
    }

    /// Appends an output as the graph states it: features, or channels apart.
    fn output(&self, view: View, shape: Shape, found: &mut Vec<f32>) {
        let from = self.read(view);
        match shape {
            Shape::Features(_) => {
                (0..self.photos).for_each(|photo| found.extend_from_slice(from.pixel(photo)));
            }
            Shape::Image { .. } => found.append(&mut kernels::planes(from, self.photos)),
        }
    }
}

impl Session for NativeSession {
    fn engine(&self) -> &str {
        NAME
    }

    fn gains_from_8_bits(&self) -> bool {
        false
    }

    fn inputs(&self) -> &[Input] {
        &self.graph.inputs
    }

    fn outputs(&self) -> &[String] {
        &self.outputs
    }

    fn run(
        &mut self,
        input: &str,
        shape: &[usize],
        values: &[f32],
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, String> {
        let shape: [usize; 4] =
            shape.try_into().map_err(|_| format!("input '{input}' has {} axes", shape.len()))?;
        let numbers = shape.iter().try_fold(1usize, |all, axis| all.checked_mul(*axis));
        if numbers != Some(values.len()) || values.is_empty() {
            return Err(format!("input '{input}' of {shape:?} has {} values", values.len()));
        }
        let place = |name: &&str| {
            let place = self.outputs.iter().position(|output| output == name);
            place.ok_or_else(|| format!("the model has no output '{name}'"))
        };
        let places = outputs.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        self.values(shape, values, &places)
    }
}

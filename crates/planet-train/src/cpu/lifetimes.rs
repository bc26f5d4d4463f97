//! Which values are kept for the gradients and which are computed again, and which of them stand
//! in the same memory one after another.

use std::collections::{BTreeMap, BTreeSet};

use super::memory::{Buffer, Slab};

/// Numbers of a photo, in all values of a network, up to which all are kept: a batch of 64 photos
/// then takes a quarter of a gigabyte.
const SMALL: usize = 1 << 20;

/// What a layer reads and writes. Numbers are those of slabs.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Values that it reads.
    pub(super) inputs: Vec<usize>,
    /// Where its value goes, whose gradient it reads on the way back.
    pub(super) output: usize,
    /// Gradients that it writes on the way back.
    pub(super) gradients: Vec<usize>,
    /// Values that it reads on the way back.
    pub(super) backward: Vec<usize>,
    /// Its value is quickly computed again from its inputs.
    pub(super) quick: bool,
}

/// A step on the way back, with the number of its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The layer's value is computed again.
    Again(usize),
    /// The layer's gradients.
    Backward(usize),
}

/// A network's layers in the order of the way forward.
#[derive(Debug)]
pub(super) struct Lifetimes<'a> {
    pub(super) layers: &'a [Uses],
    /// Gradients end at this layer.
    pub(super) first_trained: usize,
    /// The slab of the pixels.
    pub(super) pixels: usize,
    /// Slabs whose values are read when all layers are done.
    pub(super) outputs: &'a [usize],
    /// Slabs whose gradients the losses write.
    pub(super) losses: &'a [usize],
}

impl Lifetimes<'_> {
    /// The steps on the way back.
    ///
    /// In a network that is not small, what quick layers compute is not kept: it is as much as what
    /// the convolutions in front of them compute, and computing it again takes a few percent of a step.
    pub(super) fn steps(&self, slabs: &[Slab]) -> Vec<Step> {
        let small = slabs.iter().map(|slab| slab.per_photo).sum::<usize>() <= SMALL;
        let mut kept: BTreeSet<usize> = self.outputs.iter().copied().collect();
        kept.insert(self.pixels);
        for (at, layer) in self.layers.iter().enumerate() {
            if small || !layer.quick || at < self.first_trained {
                kept.insert(layer.output);
            }
        }
        loop {
            let mut way = Way { lifetimes: self, there: kept.clone(), steps: Vec::new() };
            match way.back() {
                Ok(()) => return way.steps,
                Err(slab) => kept.insert(slab),
            };
        }
    }

    /// Gives every slab its places, and returns what they are places in.
    pub(super) fn place(&self, steps: &[Step], slabs: &mut [Slab]) -> Vec<Buffer> {
        let mut lives = self.lives(steps, slabs);
        // The largest first: each then fits in any buffer that is there already.
        lives.sort_by_key(|life| std::cmp::Reverse(slabs[life.slab].per_photo));
        let mut buffers: Vec<(Buffer, Vec<Span>)> = Vec::new();
        for life in lives {
            let free = |(_, spans): &(Buffer, Vec<Span>)| {
                spans.iter().all(|span| life.spans.iter().all(|it| it.is_apart_from(span)))
            };
            let at = buffers.iter().position(free).unwrap_or_else(|| {
                let per_photo = slabs[life.slab].per_photo;
                buffers.push((Buffer { per_photo, values: Vec::new() }, Vec::new()));
                buffers.len() - 1
            });
            buffers[at].1.extend(life.spans);
            let slab = &mut slabs[life.slab];
            *(if life.gradient { &mut slab.gradients } else { &mut slab.values }) = Some(at);
        }
        buffers.into_iter().map(|(buffer, _)| buffer).collect()
    }

    /// When each value and gradient is needed. Time 0 is that of the pixels; the layers follow one
    /// by one, then the losses, then the steps back.
    fn lives(&self, steps: &[Step], slabs: &[Slab]) -> Vec<Life> {
        let losses = self.layers.len() + 1;
        let end = losses + 1 + steps.len();
        let mut forward: BTreeMap<usize, Span> = BTreeMap::from([(self.pixels, Span::at(0))]);
        let mut back: BTreeMap<usize, Span> = BTreeMap::new();
        let mut gradients: BTreeMap<usize, Span> = BTreeMap::new();
        let mut again = BTreeSet::new();
        let need = |spans: &mut BTreeMap<usize, Span>, slab: usize, time: usize| {
            spans.entry(slab).or_insert_with(|| Span::at(time)).reach(time);
        };
        for (at, layer) in self.layers.iter().enumerate() {
            let slabs = layer.inputs.iter().chain([&layer.output]);
            slabs.for_each(|slab| need(&mut forward, *slab, at + 1));
        }
        self.outputs.iter().for_each(|slab| need(&mut forward, *slab, end));
        self.losses.iter().for_each(|slab| need(&mut gradients, *slab, losses));
        for (time, step) in (losses + 1..).zip(steps) {
            match *step {
                Step::Again(at) => {
                    let layer = &self.layers[at];
                    again.insert(layer.output);
                    let slabs = layer.inputs.iter().chain([&layer.output]);
                    slabs.for_each(|slab| need(&mut back, *slab, time));
                }
                Step::Backward(at) => {
                    let layer = &self.layers[at];
                    layer.backward.iter().for_each(|slab| need(&mut back, *slab, time));
                    for slab in &layer.gradients {
                        need(&mut gradients, *slab, time);
                    }
                    if slabs[layer.output].in_place {
                        need(&mut back, layer.output, time);
                    } else {
                        // Where nothing reads the value, its gradient stays 0, alone in its memory.
                        let unread = Span { first: 0, last: end };
                        gradients.entry(layer.output).or_insert(unread).reach(time);
                    }
                }
            }
        }
        let values = forward.into_iter().map(|(slab, mut span)| {
            let spans = match back.get(&slab) {
                Some(back) if again.contains(&slab) => vec![span, *back],
                Some(back) => {
                    span.reach(back.last);
                    vec![span]
                }
                None => vec![span],
            };
            Life { slab, gradient: false, spans }
        });
        let gradients = gradients.into_iter().map(|(slab, span)| Life {
            slab,
            gradient: true,
            spans: vec![span],
        });
        values.chain(gradients).collect()
    }
}

/// The way back while it is put together.
struct Way<'a> {
    lifetimes: &'a Lifetimes<'a>,
    /// Slabs that hold their values.
    there: BTreeSet<usize>,
    steps: Vec<Step>,
}

impl Way<'_> {
    /// # Errors
    /// A slab whose value has to be kept, as what it is computed from is no longer there when it is
    /// needed.
    fn back(&mut self) -> Result<(), usize> {
        let layers = self.lifetimes.layers;
        for at in (self.lifetimes.first_trained..layers.len()).rev() {
            for slab in &layers[at].backward {
                self.fetch(*slab, at)?;
            }
            self.steps.push(Step::Backward(at));
        }
        Ok(())
    }

    /// Computes a value again unless it is there, for the gradients of layer `reader`.
    fn fetch(&mut self, slab: usize, reader: usize) -> Result<(), usize> {
        if !self.there.insert(slab) {
            return Ok(());
        }
        let layers = self.lifetimes.layers;
        for (at, layer) in layers.iter().enumerate().filter(|(_, layer)| layer.output == slab) {
            // Its gradients may have replaced what it is computed from.
            if at > reader {
                return Err(slab);
            }
            for input in &layer.inputs {
                self.fetch(*input, reader)?;
            }
            self.steps.push(Step::Again(at));
        }
        Ok(())
    }
}

/// A value or a gradient, and when it is needed.
struct Life {
    slab: usize,
    gradient: bool,
    spans: Vec<Span>,
}

/// From one time to another, both of them included.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: usize,
    last: usize,
}

impl Span {
    fn at(time: usize) -> Self {
        Self { first: time, last: time }
    }

    /// Lasts until this time at least.
    fn reach(&mut self, time: usize) {
        self.last = self.last.max(time);
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        self.last < other.first || other.last < self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(inputs: &[usize], output: usize, backward: &[usize], quick: bool) -> Uses {
        let (inputs, backward) = (inputs.to_vec(), backward.to_vec());
        Uses { gradients: inputs.clone(), inputs, output, backward, quick }
    }

    fn convolution(input: usize, output: usize) -> Uses {
        layer(&[input], output, &[input], false)
    }

    /// Its gradients replace its input.
    fn normalisation(input: usize, output: usize) -> Uses {
        Uses { gradients: Vec::new(), ..layer(&[input], output, &[input], true) }
    }

    fn max_pool(input: usize, output: usize) -> Uses {
        layer(&[input], output, &[input, output], true)
    }

    /// Goes through a step of training, and finds every value and gradient where it is read.
    fn check(lifetimes: &Lifetimes<'_>, in_place: &[usize], slabs: usize) -> (Vec<Step>, usize) {
        let mut slabs: Vec<Slab> = (0..slabs)
            .map(|at| Slab {
                per_photo: SMALL + at % 3,
                in_place: in_place.contains(&at),
                ..Slab::default()
            })
            .collect();
        let steps = lifetimes.steps(&slabs);
        let buffers = lifetimes.place(&steps, &mut slabs);
        let mut holds = vec![None; buffers.len()];
        let value = |slab: usize| slabs[slab].values.expect("a place");
        let gradient = |slab: usize| slabs[slab].gradients.expect("a place");
        for (at, slab) in slabs.iter().enumerate() {
            assert!(buffers[value(at)].per_photo >= slab.per_photo, "a value fits its buffer");
        }

        holds[value(lifetimes.pixels)] = Some((lifetimes.pixels, false));
        let mut begun = BTreeSet::new();
        let mut compute = |layer: &Uses, holds: &mut Vec<Option<(usize, bool)>>, again: bool| {
            for slab in &layer.inputs {
                assert_eq!(holds[value(*slab)], Some((*slab, false)), "an input is there");
            }
            let place = &mut holds[value(layer.output)];
            if !begun.insert((layer.output, again)) {
                assert_eq!(*place, Some((layer.output, false)), "the other channels are there");
            }
            *place = Some((layer.output, false));
        };
        lifetimes.layers.iter().for_each(|layer| compute(layer, &mut holds, false));
        for slab in lifetimes.outputs {
            assert_eq!(holds[value(*slab)], Some((*slab, false)), "an output is there");
        }
        let mut written = BTreeSet::new();
        for slab in lifetimes.losses {
            holds[gradient(*slab)] = Some((*slab, true));
            written.insert(*slab);
        }
        for step in &steps {
            let at = match *step {
                Step::Again(at) => {
                    compute(&lifetimes.layers[at], &mut holds, true);
                    continue;
                }
                Step::Backward(at) => at,
            };
            let layer = &lifetimes.layers[at];
            for slab in &layer.backward {
                assert_eq!(holds[value(*slab)], Some((*slab, false)), "a value is there again");
            }
            if !in_place.contains(&layer.output) {
                let output = layer.output;
                assert_eq!(holds[gradient(output)], Some((output, true)), "its gradient is there");
            }
            for slab in &layer.gradients {
                let place = &mut holds[gradient(*slab)];
                if !written.insert(*slab) {
                    assert_eq!(
                        *place,
                        Some((*slab, true)),
                        "a later gradient is added to an earlier one"
                    );
                }
                *place = Some((*slab, true));
            }
        }
        (steps, buffers.len())
    }

    #[test]
    fn quick_values_are_computed_again_when_they_are_needed() {
        // Two convolutions side by side behind a pool, whose values go into slab 6.
        let layers = [
            Uses { gradients: Vec::new(), ..convolution(0, 1) },
            normalisation(1, 2),
            max_pool(2, 3),
            convolution(3, 4),
            normalisation(4, 6),
            convolution(3, 5),
            normalisation(5, 6),
            convolution(6, 7),
            normalisation(7, 8),
            layer(&[8], 9, &[], false),
            layer(&[9], 10, &[9], false),
        ];
        let lifetimes = Lifetimes {
            layers: &layers,
            first_trained: 0,
            pixels: 0,
            outputs: &[10],
            losses: &[10],
        };
        let (steps, buffers) = check(&lifetimes, &[1, 4, 5, 7], 11);
        let again: Vec<usize> = steps
            .iter()
            .filter_map(|step| if let Step::Again(at) = step { Some(*at) } else { None })
            .collect();
        assert_eq!(again, [4, 6, 1, 2], "not slab 8, which no gradient needs");
        assert!(buffers < 14, "{buffers} buffers for 11 values and 7 gradients");
    }

    #[test]
    fn a_value_is_kept_if_what_it_is_computed_from_is_gone() {
        // The pool reads its value last, when the gradients of slab 2 have replaced it.
        let layers = [
            Uses { gradients: Vec::new(), ..convolution(0, 1) },
            max_pool(1, 3),
            convolution(1, 2),
            normalisation(2, 3),
            layer(&[3], 4, &[], false),
        ];
        let lifetimes =
            Lifetimes { layers: &layers, first_trained: 0, pixels: 0, outputs: &[4], losses: &[4] };
        let (steps, _) = check(&lifetimes, &[2], 5);
        assert!(steps.iter().all(|step| matches!(step, Step::Backward(_))), "{steps:?}");
    }

    #[test]
    fn frozen_layers_have_no_way_back() {
        let layers = [
            convolution(0, 1),
            normalisation(1, 2),
            convolution(2, 3),
            normalisation(3, 4),
            layer(&[4], 5, &[], false),
        ];
        let lifetimes =
            Lifetimes { layers: &layers, first_trained: 2, pixels: 0, outputs: &[5], losses: &[5] };
        let (steps, _) = check(&lifetimes, &[1, 3], 6);
        assert_eq!(steps, [Step::Backward(4), Step::Backward(3), Step::Backward(2)]);
    }
}

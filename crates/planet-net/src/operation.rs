use crate::{Shape, error::mismatch};

/// What a node computes from its inputs. Semantics are PyTorch's of the module named.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// The network's input.
    Input,
    /// `Conv2d`.
    Convolution(Convolution),
    /// `BatchNorm2d`.
    BatchNorm(BatchNorm),
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x · hardsigmoid(x)`.
    HardSwish,
    /// `clamp(x / 6 + 1/2, 0, 1)`.
    HardSigmoid,
    /// `MaxPool2d` or `AvgPool2d`.
    Pool(Pool),
    /// Mean over height and width, `[channels, 1, 1]`.
    GlobalAveragePool,
    /// Inputs one after the other along the channels.
    Concat,
    /// Sum of two values of one shape.
    Add,
    /// Product of two values; the second may be `[channels, 1, 1]` and is then repeated over
    /// height and width.
    Multiply,
    /// `Dropout`: in training, zeroes values and scales the others up; else nothing.
    Dropout {
        /// Probability that a value is zeroed.
        probability: f32,
    },
    /// An image as features, channel by channel, row by row.
    Flatten,
    /// `Linear`, on features or on every step of a sequence.
    Linear(Linear),
    /// `LSTM` with one layer, over a sequence from zero state.
    Lstm(Lstm),
}

/// A convolution over images, `[outputs, inputs / groups, kernel]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Rows of zeros added above, columns added on the left.
    pub padding: [usize; 2],
    /// Rows of zeros added below, columns added on the right. PyTorch's own padding has as many
    /// as [`Convolution::padding`]; TensorFlow's may have one more.
    pub padding_after: [usize; 2],
    /// Groups of channels that do not see each other; `inputs` for a depthwise convolution.
    pub groups: usize,
    /// Whether a constant is added to each channel.
    pub bias: bool,
}

/// Batch normalisation of each channel with PyTorch's semantics: training normalises with the
/// batch's own mean and biased variance, and moves the running mean and *unbiased* variance by
/// `momentum` towards the batch's; evaluation uses the running ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f32,
    /// Share of the batch's statistics in the new running ones.
    pub momentum: f32,
}

/// A pooling window over images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Greatest or mean value.
    pub kind: PoolKind,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Rows and columns added on each side, at most half the kernel.
    pub padding: [usize; 2],
}

/// How a pooling window is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The greatest value; padding never wins.
    Max,
    /// The mean; padding counts as zeros, as PyTorch's `count_include_pad` has it.
    Average,
}

/// A dense layer, `[outputs, inputs]`, with bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    /// Features in.
    pub inputs: usize,
    /// Features out.
    pub outputs: usize,
    /// Standard deviation of the initial weights.
    pub deviation: f32,
}

/// One LSTM layer; gates in PyTorch's order: input, forget, cell, output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lstm {
    /// Features in.
    pub inputs: usize,
    /// Size of the state, and features out a direction.
    pub hidden: usize,
    /// Whether a second pass runs from the end to the beginning; its outputs follow the
    /// first's in each step.
    pub bidirectional: bool,
}

impl Lstm {
    /// 1, or 2 where it runs both ways.
    pub fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }
}

impl Operation {
    /// For people and error messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Convolution(_) => "convolution",
            Self::BatchNorm(_) => "batch norm",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::HardSwish => "hardswish",
            Self::HardSigmoid => "hardsigmoid",
            Self::Pool(Pool { kind: PoolKind::Max, .. }) => "max pool",
            Self::Pool(Pool { kind: PoolKind::Average, .. }) => "average pool",
            Self::GlobalAveragePool => "global average pool",
            Self::Concat => "concat",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::Linear(_) => "linear",
            Self::Lstm(_) => "lstm",
        }
    }

    /// Shape of the result for inputs of these shapes, or what does not fit.
    pub(crate) fn output(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match (self, inputs) {
            (Self::Convolution(it), [input]) => it.output(*input),
            (Self::Pool(it), [input]) => it.output(*input),
            (Self::BatchNorm(_), [image @ Shape::Image { .. }]) => Ok(*image),
            (
                Self::Relu
                | Self::Relu6
                | Self::HardSwish
                | Self::HardSigmoid
                | Self::Dropout { .. },
                [any],
            ) => Ok(*any),
            (Self::GlobalAveragePool, [Shape::Image { channels, .. }]) => {
                Ok(Shape::image(*channels, [1, 1]))
            }
            (Self::Concat, [first, rest @ ..]) => concat(*first, rest),
            (Self::Add, [a, b]) if a == b => Ok(*a),
            (Self::Multiply, [a, b]) if a == b => Ok(*a),
            (
                Self::Multiply,
                [
                    a @ Shape::Image { channels, .. },
                    Shape::Image { channels: c, height: 1, width: 1 },
                ],
            ) if channels == c => Ok(*a),
            (Self::Flatten, [image @ Shape::Image { .. }]) => Ok(Shape::Features(image.count())),
            (Self::Linear(it), [Shape::Features(n)]) if *n == it.inputs => {
                Ok(Shape::Features(it.outputs))
            }
            (Self::Linear(it), [Shape::Sequence { features }]) if *features == it.inputs => {
                Ok(Shape::Sequence { features: it.outputs })
            }
            (Self::Lstm(it), [Shape::Sequence { features }]) if *features == it.inputs => {
                Ok(Shape::Sequence { features: it.hidden * it.directions() })
            }
            _ => Err(mismatch(&self.wants(), inputs)),
        }
    }

    fn wants(&self) -> String {
        match self {
            Self::Input => "nothing: it is the network's first node".into(),
            Self::Convolution(it) => format!("one image of {} channels", it.inputs),
            Self::BatchNorm(_) | Self::Pool(_) | Self::GlobalAveragePool | Self::Flatten => {
                "one image".into()
            }
            Self::Relu
            | Self::Relu6
            | Self::HardSwish
            | Self::HardSigmoid
            | Self::Dropout { .. } => "one value".into(),
            Self::Concat => "values that differ in channels only".into(),
            Self::Add => "two values of one shape".into(),
            Self::Multiply => "two values of one shape, or an image and a factor a channel".into(),
            Self::Linear(it) => format!("{} features", it.inputs),
            Self::Lstm(it) => format!("a sequence of {} features", it.inputs),
        }
    }
}

impl Convolution {
    /// One group, no bias, stride 1, no padding.
    pub fn new(inputs: usize, outputs: usize, kernel: [usize; 2]) -> Self {
        let (stride, padding, padding_after) = ([1, 1], [0, 0], [0, 0]);
        Self { inputs, outputs, kernel, stride, padding, padding_after, groups: 1, bias: false }
    }

    /// The same with this stride down and right.
    pub fn stride(self, stride: usize) -> Self {
        Self { stride: [stride; 2], ..self }
    }

    /// The same with half the kernel as padding on every side, so that stride 1 keeps the size.
    pub fn same(self) -> Self {
        let padding = self.kernel.map(|side| side / 2);
        Self { padding, padding_after: padding, ..self }
    }

    /// The same with TensorFlow's padding `SAME` for images of this height and width: the result
    /// has the image's sides divided by the stride and rounded up, and where the zeros cannot be
    /// shared evenly, the odd one is below or on the right.
    pub fn same_for(self, image: [usize; 2]) -> Self {
        let all: [usize; 2] = std::array::from_fn(|axis| {
            let (side, stride) = (image[axis], self.stride[axis]);
            let places = side.div_ceil(stride);
            (places.saturating_sub(1) * stride + self.kernel[axis]).saturating_sub(side)
        });
        let padding = all.map(|zeros| zeros / 2);
        Self { padding, padding_after: all.map(|zeros| zeros - zeros / 2), ..self }
    }

    /// Whether as many zeros stand before the image as behind it, as PyTorch pads.
    pub fn is_evenly_padded(&self) -> bool {
        self.padding == self.padding_after
    }

    /// The same with this many groups.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same with a bias.
    pub fn biased(self) -> Self {
        Self { bias: true, ..self }
    }

    /// Numbers that one output value is summed from.
    pub fn fan_in(&self) -> usize {
        self.inputs / self.groups * self.kernel[0] * self.kernel[1]
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        let Shape::Image { channels, height, width } = input else {
            return Err(mismatch(&format!("one image of {} channels", self.inputs), &[input]));
        };
        if channels != self.inputs {
            return Err(mismatch(&format!("one image of {} channels", self.inputs), &[input]));
        }
        let groups = self.groups;
        if groups == 0
            || !self.inputs.is_multiple_of(groups)
            || !self.outputs.is_multiple_of(groups)
        {
            let (from, to) = (self.inputs, self.outputs);
            return Err(format!("cannot cut {from} and {to} channels into {groups} groups"));
        }
        let padding = [self.padding, self.padding_after];
        let size = slide([height, width], self.kernel, self.stride, padding)?;
        Ok(Shape::image(self.outputs, size))
    }
}

impl Pool {
    /// A square window of the greatest value, without padding.
    pub fn max(kernel: usize, stride: usize) -> Self {
        let kind = PoolKind::Max;
        Self { kind, kernel: [kernel; 2], stride: [stride; 2], padding: [0, 0] }
    }

    /// A square window of the mean, without padding.
    pub fn average(kernel: usize, stride: usize) -> Self {
        Self { kind: PoolKind::Average, ..Self::max(kernel, stride) }
    }

    /// The same with half the kernel as padding.
    pub fn same(self) -> Self {
        Self { padding: self.kernel.map(|side| side / 2), ..self }
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        let Shape::Image { channels, height, width } = input else {
            return Err(mismatch("one image", &[input]));
        };
        let [[kh, kw], [ph, pw]] = [self.kernel, self.padding];
        if 2 * ph > kh || 2 * pw > kw {
            return Err("padding is more than half the window".into());
        }
        let size = slide([height, width], self.kernel, self.stride, [self.padding; 2])?;
        Ok(Shape::image(channels, size))
    }
}

/// Places of a window along both axes, rounded down; `padding` is `[before, after]`.
fn slide(
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [[usize; 2]; 2],
) -> Result<[usize; 2], String> {
    let mut places = [0; 2];
    for axis in 0..2 {
        let padded = size[axis] + padding[0][axis] + padding[1][axis];
        if kernel[axis] == 0 || stride[axis] == 0 {
            return Err("has a kernel or stride of zero".into());
        }
        if padded < kernel[axis] {
            let ([height, width], [kh, kw]) = (size, kernel);
            return Err(format!("of {kh} × {kw} does not fit an image of {height} × {width}"));
        }
        places[axis] = (padded - kernel[axis]) / stride[axis] + 1;
    }
    Ok(places)
}

fn concat(first: Shape, rest: &[Shape]) -> Result<Shape, String> {
    let mut whole = first;
    for shape in rest {
        whole = match (whole, *shape) {
            (
                Shape::Image { channels: a, height, width },
                Shape::Image { channels: b, height: h, width: w },
            ) if (height, width) == (h, w) => Shape::image(a + b, [h, w]),
            (Shape::Features(a), Shape::Features(b)) => Shape::Features(a + b),
            (Shape::Sequence { features: a }, Shape::Sequence { features: b }) => {
                Shape::Sequence { features: a + b }
            }
            (a, b) => return Err(mismatch("values that differ in channels only", &[a, b])),
        };
    }
    Ok(whole)
}

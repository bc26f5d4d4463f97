use super::kernels::{Affine, Convolution, Curve, Dense, Depthwise, Pool};

/// What a layer computes.
#[derive(Debug)]
pub(super) enum Operation {
    Convolution(Convolution),
    Depthwise(Depthwise),
    Dense(Dense),
    Affine(Affine),
    Pool(Pool),
    GlobalAverage,
    /// Images side by side along the channels.
    Concat,
    Add(Curve),
    /// Of two images, or of an image and one factor a channel.
    Multiply,
    Curve(Curve),
    /// An image as features.
    Flatten,
    /// The value itself.
    Same,
}

impl Operation {
    /// The curve behind it, where it takes one.
    pub(super) fn curve_mut(&mut self) -> Option<&mut Curve> {
        match self {
            Self::Convolution(it) => Some(&mut it.curve),
            Self::Depthwise(it) => Some(&mut it.curve),
            Self::Dense(it) => Some(&mut it.curve),
            Self::Affine(it) => Some(&mut it.curve),
            Self::Add(curve) => Some(curve),
            Self::Pool(_)
            | Self::GlobalAverage
            | Self::Concat
            | Self::Multiply
            | Self::Curve(_)
            | Self::Flatten
            | Self::Same => None,
        }
    }

    /// The shape of the result for inputs of these shapes.
    ///
    /// # Errors
    /// What does not fit.
    pub(super) fn output(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let one = || Err(format!("does not fit {inputs:?}"));
        match (self, inputs) {
            (Self::Convolution(it), [Shape::Image { channels, sides }])
                if *channels == it.inputs() =>
            {
                slid(it.window.places(*sides), it.outputs)
            }
            (Self::Depthwise(it), [Shape::Image { channels, sides }])
                if *channels == it.bias.len() =>
            {
                slid(it.window.places(*sides), *channels)
            }
            (Self::Affine(it), [image @ Shape::Image { channels, .. }])
                if *channels == it.scale.len() =>
            {
                Ok(*image)
            }
            (Self::Pool(it), [Shape::Image { channels, sides }]) => {
                slid(it.window.places(*sides), *channels)
            }
            (Self::Dense(it), [Shape::Features(count)]) if *count == it.inputs => {
                Ok(Shape::Features(it.bias.len()))
            }
            (Self::GlobalAverage, [Shape::Image { channels, .. }]) => {
                Ok(Shape::Image { channels: *channels, sides: [1, 1] })
            }
            (Self::Concat, [first, rest @ ..]) => {
                rest.iter().try_fold(*first, |all, shape| all.beside(*shape)).map_or_else(one, Ok)
            }
            (Self::Add(_) | Self::Multiply, [a, b]) if a == b => Ok(*a),
            (
                Self::Multiply,
                [
                    image @ Shape::Image { channels, .. },
                    Shape::Image { channels: c, sides: [1, 1] },
                ],
            ) if channels == c => Ok(*image),
            (Self::Curve(_) | Self::Same, [any]) => Ok(*any),
            (Self::Flatten, [any]) => any.count().map(Shape::Features).map_or_else(one, Ok),
            _ => one(),
        }
    }
}

fn slid(places: Option<[usize; 2]>, channels: usize) -> Result<Shape, String> {
    let sides = places.ok_or("has a window that does not fit the image")?;
    Ok(Shape::Image { channels, sides })
}

/// Shape of a value of one photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Image {
        channels: usize,
        /// Height and width.
        sides: [usize; 2],
    },
    Features(usize),
}

impl Shape {
    /// Numbers of a photo; `None` beyond what can be counted.
    pub(super) fn count(self) -> Option<usize> {
        match self {
            Self::Image { channels, sides: [height, width] } => {
                channels.checked_mul(height)?.checked_mul(width)
            }
            Self::Features(count) => Some(count),
        }
    }

    pub(super) fn channels(self) -> usize {
        match self {
            Self::Image { channels: count, .. } | Self::Features(count) => count,
        }
    }

    /// Height and width; features are one pixel.
    pub(super) fn sides(self) -> [usize; 2] {
        match self {
            Self::Image { sides, .. } => sides,
            Self::Features(_) => [1, 1],
        }
    }

    /// With another value's channels behind its own.
    fn beside(self, other: Self) -> Option<Self> {
        let channels = self.channels().checked_add(other.channels())?;
        match (self, other) {
            (Self::Image { sides, .. }, Self::Image { sides: others, .. }) if sides == others => {
                Some(Self::Image { channels, sides })
            }
            (Self::Features(_), Self::Features(_)) => Some(Self::Features(channels)),
            _ => None,
        }
    }
}

use std::fmt;

/// Shape of one value in a network, without the batch axis in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `[channels, height, width]`.
    Image {
        /// Number of channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// `[features]`.
    Features(usize),
    /// `[time, features]`, where the length of the time axis is free.
    Sequence {
        /// Features a step.
        features: usize,
    },
}

impl Shape {
    /// `[channels, height, width]`.
    pub fn image(channels: usize, [height, width]: [usize; 2]) -> Self {
        Self::Image { channels, height, width }
    }

    /// Channels of an image, features of the others.
    pub fn channels(&self) -> usize {
        match *self {
            Self::Image { channels, .. } => channels,
            Self::Features(features) | Self::Sequence { features } => features,
        }
    }

    /// Numbers in one value; for a sequence, in one step of it.
    pub fn count(&self) -> usize {
        match *self {
            Self::Image { channels, height, width } => channels * height * width,
            Self::Features(features) | Self::Sequence { features } => features,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { channels, height, width } => write!(f, "{channels} × {height} × {width}"),
            Self::Features(features) => write!(f, "{features}"),
            Self::Sequence { features } => write!(f, "time × {features}"),
        }
    }
}

mod apply;
mod occlude;
mod placement;
mod shorten;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use apply::Fitted;
pub use occlude::{Fill, Occluder, PixelBox};
pub(crate) use placement::Window;

/// How an upright RGB photo becomes the numbers that a network takes. Stored in the model
/// package, so that training, evaluation and use share one preprocessing.
///
/// A value is `(byte / 255 − mean) / std`, per channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// Height and width of the network's input in pixels.
    pub size: [usize; 2],
    /// How a photo of another shape is made to fit.
    pub fit: Fit,
    /// The resampling filter.
    pub filter: Filter,
    /// Subtracted from each channel after scaling to 0..1, in the photo's RGB order.
    pub mean: [f32; 3],
    /// Each channel is divided by this.
    pub std: [f32; 3],
    /// Order of the channels that the network takes.
    pub channel_order: ChannelOrder,
    /// Order of the axes that the network takes.
    pub layout: Layout,
    /// How JPEGs are decoded; packages that do not state it were trained on whole photos.
    #[serde(default, skip_serializing_if = "Decoding::is_full")]
    pub decoding: Decoding,
}

impl Preprocess {
    /// Square input, squashed, antialiased triangle filter, values −1..1: the Inception
    /// networks' own convention. Large JPEGs are decoded at a fraction of their size.
    pub fn inception(side: usize) -> Self {
        Self {
            size: [side, side],
            fit: Fit::Squash,
            filter: Filter::Bilinear,
            mean: [0.5; 3],
            std: [0.5; 3],
            channel_order: ChannelOrder::Rgb,
            layout: Layout::Nchw,
            decoding: Decoding::Reduced,
        }
    }

    /// Checks values that were read from a file.
    ///
    /// # Errors
    /// The first value that makes no sense.
    pub fn check(&self) -> Result<(), PreprocessError> {
        let [height, width] = self.size;
        if self.size.iter().any(|side| !(1..=16384).contains(side)) {
            return Err(PreprocessError::Size(height, width));
        }
        if let Fit::CentreCrop { share } | Fit::SquashCrop { share } = self.fit
            && !(share > 0.0 && share <= 1.0)
        {
            return Err(PreprocessError::Share(share));
        }
        for (mean, std) in self.mean.into_iter().zip(self.std) {
            if !mean.is_finite() || !std.is_normal() {
                return Err(PreprocessError::Scaling { mean, std });
            }
        }
        Ok(())
    }
}

/// What is wrong with a [`Preprocess`] that came from outside.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// A side is zero or larger than any network takes.
    #[error("the input size {0} x {1} is not within 1..=16384")]
    Size(usize, usize),
    /// The share of a crop.
    #[error("the share {0} of the crop is not above 0 and at most 1")]
    Share(f32),
    /// Mean or standard deviation.
    #[error("mean {mean} and std {std} of a channel are not valid")]
    Scaling {
        /// The channel's mean.
        mean: f32,
        /// The channel's standard deviation.
        std: f32,
    },
}

/// How a photo whose shape differs from the network's input is made to fit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Both sides are resized on their own; nothing is lost, shapes are distorted.
    Squash,
    /// The shorter side is resized to the input's side divided by `share` (0.875 is usual, 1
    /// keeps the whole shorter side), then the middle is cut out, as torchvision's `Resize` and
    /// `CenterCrop` do.
    CentreCrop {
        /// Share of the shorter side that is kept, above 0 and at most 1.
        share: f32,
    },
    /// Both sides are resized on their own to the input's sides divided by `share`, then the middle
    /// is cut out: networks of Caffe squash to 256 pixels and keep 224.
    SquashCrop {
        /// Share of each side that is kept, above 0 and at most 1.
        share: f32,
    },
    /// The longer side is resized to fit and the rest filled with the mean colour, which is zero
    /// for the network.
    Letterbox,
}

/// Resampling filter; all widen with the reduction (antialiased), as Pillow's do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Triangle, two pixels wide.
    Bilinear,
    /// Catmull-Rom cubic, four pixels wide.
    Bicubic,
    /// Lanczos with three lobes.
    Lanczos,
    /// Mean of the covered pixels.
    Box,
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// Order of the axes in the network's input. [`crate::PixelBatch`] is always `nchw`; an
/// engine turns it round for a network that wants `nhwc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Photos, channels, height, width.
    Nchw,
    /// Photos, height, width, channels.
    Nhwc,
}

/// How a JPEG is decoded that is much larger than the network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoding {
    /// In full.
    #[default]
    Full,
    /// At a half, a quarter or an eighth of its size, whichever is the smallest that is at least 2.5
    /// times as large as the input: three times as fast, and the input is nearly the same.
    Reduced,
}

impl Decoding {
    fn is_full(&self) -> bool {
        *self == Self::Full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_a_damaged_package_are_named() {
        let sound = Preprocess::inception(299);
        assert_eq!(sound.check(), Ok(()));
        let flat = Preprocess { size: [0, 299], ..sound.clone() };
        assert_eq!(flat.check(), Err(PreprocessError::Size(0, 299)));
        let fit = Fit::CentreCrop { share: 0.0 };
        assert_eq!(Preprocess { fit, ..sound.clone() }.check(), Err(PreprocessError::Share(0.0)));
        let unscaled = Preprocess { std: [0.5, 0.0, 0.5], ..sound };
        assert_eq!(unscaled.check(), Err(PreprocessError::Scaling { mean: 0.5, std: 0.0 }));
    }
}

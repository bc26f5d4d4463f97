mod album_lstm;
mod efficientnet_lite;
mod inception_blocks;
mod inception_bn;
mod inception_mini;
mod inception_v3;
mod mobilenet_v3;

use std::{fmt, str::FromStr};

pub use album_lstm::AlbumNetwork;

use crate::{Network, NetworkError, Shape};

/// The networks that PlaNet can build. A new one is a file beside this and a line in each
/// `match` below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// Inception-v3, 299 px, 2048 features: the paper's network, as near as can be told.
    ///
    /// With the paper's 26,263 classes it has 75,598,455 parameters for inference and
    /// 98,352,398 with the auxiliary classifier. The paper says 97,321,048 and 2,818 more for
    /// each further class, which is (2048 + 1) + (768 + 1): it has both classifiers, and a
    /// trunk of 23,311,914 where ours has 24,343,264. So its convolutions differ a little from
    /// the network that was published later.
    InceptionV3,
    /// Inception with batch norm as of early 2015, 224 px, 1024 features.
    InceptionBn,
    /// The blocks of Inception-v3, narrow and few: 1.1 M parameters and 46 M multiply-adds at
    /// 96 px without the classifier, for CPUs and tests.
    InceptionMini,
    /// MobileNetV3-Large, 224 px, 1280 features, for phones and CPUs.
    MobilenetV3Large,
    /// EfficientNet-lite0, 224 px, 1280 features: weights of ImageNet are 18 MB
    /// (`scripts/fetch-backbone`).
    EfficientnetLite0,
    /// EfficientNet-lite1, 240 px, 1280 features: deeper.
    EfficientnetLite1,
    /// EfficientNet-lite2, 260 px, 1280 features: deeper and wider.
    EfficientnetLite2,
}

/// What a network is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkOptions {
    /// Height and width of the photos in pixels.
    pub size: [usize; 2],
    /// Classes of the partition.
    pub classes: usize,
    /// Whether to add the auxiliary classifier that training uses, where the architecture has
    /// one.
    pub auxiliary: bool,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InceptionV3,
        Self::InceptionBn,
        Self::InceptionMini,
        Self::MobilenetV3Large,
        Self::EfficientnetLite0,
        Self::EfficientnetLite1,
        Self::EfficientnetLite2,
    ];

    /// As written in commands and packages: `inception-v3`.
    pub fn name(self) -> &'static str {
        match self {
            Self::InceptionV3 => "inception-v3",
            Self::InceptionBn => "inception-bn",
            Self::InceptionMini => "inception-mini",
            Self::MobilenetV3Large => "mobilenet-v3-large",
            Self::EfficientnetLite0 => "efficientnet-lite0",
            Self::EfficientnetLite1 => "efficientnet-lite1",
            Self::EfficientnetLite2 => "efficientnet-lite2",
        }
    }

    /// Side in pixels of the photos it is meant for.
    pub fn usual_side(self) -> usize {
        match self {
            Self::InceptionV3 => 299,
            Self::InceptionBn | Self::MobilenetV3Large | Self::EfficientnetLite0 => 224,
            Self::EfficientnetLite1 => 240,
            Self::EfficientnetLite2 => 260,
            Self::InceptionMini => 96,
        }
    }

    /// Smallest side in pixels that leaves something to look at behind every layer.
    pub fn least_side(self) -> usize {
        match self {
            Self::InceptionV3 => 75,
            _ => 32,
        }
    }

    /// The network for photos of the usual size, for inference.
    ///
    /// # Errors
    /// As [`Architecture::network`].
    pub fn usual(self, classes: usize) -> Result<Network, NetworkError> {
        let size = [self.usual_side(); 2];
        self.network(NetworkOptions { size, classes, auxiliary: false })
    }

    /// The network.
    ///
    /// # Errors
    /// No classes, or photos below [`Architecture::least_side`] or above 2048 px.
    pub fn network(self, options: NetworkOptions) -> Result<Network, NetworkError> {
        if options.classes == 0 {
            return Err(NetworkError::NoClasses);
        }
        let [height, width] = options.size;
        let (least, greatest) = (self.least_side(), 2048);
        if [height, width].iter().any(|side| !(least..=greatest).contains(side)) {
            let architecture = self.name();
            return Err(NetworkError::InputSize { architecture, least, greatest, height, width });
        }
        let pixels = Shape::image(3, options.size);
        let NetworkOptions { classes, auxiliary, .. } = options;
        match self {
            Self::InceptionV3 => inception_v3::build(pixels, classes, auxiliary),
            Self::InceptionBn => inception_bn::build(pixels, classes),
            Self::InceptionMini => inception_mini::build(pixels, classes),
            Self::MobilenetV3Large => mobilenet_v3::build(pixels, classes),
            Self::EfficientnetLite0 => efficientnet_lite::LITE0.build(pixels, classes),
            Self::EfficientnetLite1 => efficientnet_lite::LITE1.build(pixels, classes),
            Self::EfficientnetLite2 => efficientnet_lite::LITE2.build(pixels, classes),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = NetworkError;

    fn from_str(name: &str) -> Result<Self, NetworkError> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            NetworkError::Architecture { name: name.into(), known }
        })
    }
}

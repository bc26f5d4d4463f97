use std::path::Path;

use clap::{Args, ValueEnum};
use planet_data::{ChannelOrder, Decoding, Filter, Fit, Layout, Preprocess};

use crate::failure::Failure;

/// Mean and standard deviation of ImageNet's photos, as torchvision's models take them.
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// What a network takes: how a photo becomes its input.
#[derive(Args, Debug)]
pub struct InputArguments {
    /// Size of the input in pixels: 224, or HEIGHTxWIDTH. Required, except for files written by
    /// PlaNet, which state their preprocessing
    #[arg(long, visible_alias = "imgsz", value_name = "PX", value_parser = size)]
    input_size: Option<[usize; 2]>,
    /// Value of white in the network's input before mean and standard deviation: 1, or 255 for a
    /// network that takes bytes. --mean and --std are numbers of this scale
    #[arg(long, value_name = "1|255", default_value = "1", value_parser = ["1", "255"])]
    white: String,
    /// Mean to subtract from each channel (RGB order, also with --bgr); by default ImageNet's
    /// 0.485,0.456,0.406
    #[arg(long, value_name = "R,G,B", value_parser = three)]
    mean: Option<[f32; 3]>,
    /// Standard deviation to divide each channel by; by default ImageNet's 0.229,0.224,0.225
    #[arg(long, value_name = "R,G,B", value_parser = three)]
    std: Option<[f32; 3]>,
    /// How photos of another aspect ratio are fitted to the input; by default squash
    #[arg(long, value_enum)]
    fit: Option<FitName>,
    /// Share of the shorter side that a centre crop keeps, or of both sides for squash-crop
    #[arg(long, value_name = "SHARE", default_value_t = 0.875)]
    crop_share: f32,
    /// Resampling filter; by default bilinear
    #[arg(long, value_enum)]
    filter: Option<FilterName>,
    /// Order of the input's axes; by default nchw
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    /// How JPEGs are decoded that are much larger than the input; by default reduced
    #[arg(long, value_enum)]
    decoding: Option<DecodingName>,
    /// The network expects channels in the order blue, green, red
    #[arg(long)]
    bgr: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FitName {
    /// Both sides are resized on their own
    Squash,
    /// The shorter side is resized, then the middle is cut out
    CentreCrop,
    /// Both sides are resized on their own, then the middle is cut out, as networks of Caffe do
    SquashCrop,
    /// The longer side is resized, and the rest filled
    Letterbox,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FilterName {
    Bilinear,
    Bicubic,
    Lanczos,
    Box,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LayoutName {
    Nchw,
    Nhwc,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DecodingName {
    /// In full
    Full,
    /// At a half, a quarter or an eighth of the size: faster, and nearly the same
    Reduced,
}

/// `224` or `224x320`.
fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| {
        text.parse::<usize>()
            .map_err(|_| format!("'{text}' is not a size in pixels; write 224 or 224x320"))
    };
    match text.split_once('x') {
        Some((height, width)) => Ok([side(height)?, side(width)?]),
        None => Ok([side(text)?; 2]),
    }
}

/// `0.5,0.5,0.5`.
pub fn three(text: &str) -> Result<[f32; 3], String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| format!("'{text}' is not three numbers: R,G,B"))
}

impl InputArguments {
    /// What is asked for, else what the file `onnx` states, else what is usual.
    pub fn preprocess(
        &self,
        onnx: &Path,
        stated: Option<&Preprocess>,
    ) -> Result<Preprocess, Failure> {
        let size = self.input_size.or(stated.map(|it| it.size)).ok_or_else(|| {
            Failure::usage(format!("{} does not state the size of its input", onnx.display()))
                .hint("give --input-size PX or HEIGHTxWIDTH")
        })?;
        let base = stated.cloned().unwrap_or(Preprocess {
            size,
            fit: Fit::Squash,
            filter: Filter::Bilinear,
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
            channel_order: ChannelOrder::Rgb,
            layout: Layout::Nchw,
            decoding: Decoding::Reduced,
        });
        let fit = |name| match name {
            FitName::Squash => Fit::Squash,
            FitName::CentreCrop => Fit::CentreCrop { share: self.crop_share },
            FitName::SquashCrop => Fit::SquashCrop { share: self.crop_share },
            FitName::Letterbox => Fit::Letterbox,
        };
        let filter = |name| match name {
            FilterName::Bilinear => Filter::Bilinear,
            FilterName::Bicubic => Filter::Bicubic,
            FilterName::Lanczos => Filter::Lanczos,
            FilterName::Box => Filter::Box,
        };
        let layout = |name| match name {
            LayoutName::Nchw => Layout::Nchw,
            LayoutName::Nhwc => Layout::Nhwc,
        };
        let decoding = |name| match name {
            DecodingName::Full => Decoding::Full,
            DecodingName::Reduced => Decoding::Reduced,
        };
        let white: f32 = if self.white == "255" { 255.0 } else { 1.0 };
        let scaled = |values: [f32; 3]| values.map(|value| value / white);
        let preprocess = Preprocess {
            size,
            fit: self.fit.map_or(base.fit, fit),
            filter: self.filter.map_or(base.filter, filter),
            mean: self.mean.map_or(base.mean, scaled),
            std: self.std.map_or(base.std, scaled),
            channel_order: if self.bgr { ChannelOrder::Bgr } else { base.channel_order },
            layout: self.layout.map_or(base.layout, layout),
            decoding: self.decoding.map_or(base.decoding, decoding),
        };
        preprocess.check().map_err(Failure::usage)?;
        Ok(preprocess)
    }
}

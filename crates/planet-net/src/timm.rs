//! Weights under timm's names.

use std::collections::BTreeMap;

use crate::{Array, Weights};

/// How the architectures that timm has too name their parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// Those of efficientnet-lite-pytorch.
    EfficientnetLite,
    /// torchvision's of MobileNetV3.
    Mobilenet,
}

/// Added to batch norm's variances: torchvision's of MobileNetV3, and timm's.
const MOBILENET_EPS: [f32; 2] = [1e-3, 1e-5];

impl Weights {
    /// The same under our names, where these are weights of timm's `tf_efficientnet_lite0`, `1` and `2` or
    /// `mobilenetv3_large_100` (timm's `inception_v3` has our names already); `None` where they are not.
    ///
    /// timm's MobileNetV3 adds another number to variances, so batch norm's factors are scaled: in evaluation
    /// the network computes what timm's does.
    pub fn from_timm(&self) -> Option<Self> {
        self.get("conv_stem.weight")?;
        let names = match self.get("conv_head.bias") {
            Some(_) => Names::Mobilenet,
            None => Names::EfficientnetLite,
        };
        let blocks = self.blocks();
        let mut renamed = Self::default();
        for (name, array) in self.iter() {
            let Some(own) = own_name(name, names, &blocks) else { continue };
            let mut array = array.clone();
            if names == Names::Mobilenet {
                // A convolution of one pixel there, a dense layer here.
                if let ("conv_head.weight", &[outputs, inputs, 1, 1]) = (name, array.shape()) {
                    array = Array::new(vec![outputs, inputs], array.into_values());
                } else if let Some(norm) = name.strip_suffix(".weight")
                    && let Some(variances) = self.get(&format!("{norm}.running_var"))
                {
                    scale(&mut array, variances);
                }
            }
            renamed.insert(own, array);
        }
        Some(renamed)
    }

    /// The blocks in order, and what each is made of.
    fn blocks(&self) -> BTreeMap<[usize; 2], Block> {
        let mut blocks = BTreeMap::new();
        for (name, _) in self.iter() {
            let Some((at, rest)) = block_of(name) else { continue };
            let block = blocks.entry(at).or_insert_with(Block::default);
            block.is_widened |= rest.starts_with("conv_pwl.");
            block.is_weighed |= rest.starts_with("se.");
            block.is_single |= rest.starts_with("conv.");
        }
        for (number, block) in blocks.values_mut().enumerate() {
            block.number = number;
        }
        blocks
    }
}

/// One block of timm's networks.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    /// Counted over all stages.
    number: usize,
    /// It begins by widening: an inverted residual.
    is_widened: bool,
    /// It weighs channels (squeeze and excitation).
    is_weighed: bool,
    /// It is one convolution.
    is_single: bool,
}

/// `blocks.3.1.bn2.bias` is parameter `bn2.bias` of block `[3, 1]`.
fn block_of(name: &str) -> Option<([usize; 2], &str)> {
    let (stage, rest) = name.strip_prefix("blocks.")?.split_once('.')?;
    let (at, rest) = rest.split_once('.')?;
    Some(([stage.parse().ok()?, at.parse().ok()?], rest))
}

fn own_name(name: &str, names: Names, blocks: &BTreeMap<[usize; 2], Block>) -> Option<String> {
    if let Some((at, rest)) = block_of(name) {
        return in_block(rest, names, blocks.get(&at)?);
    }
    let (layer, parameter) = name.split_once('.')?;
    let own = match (names, layer) {
        (Names::EfficientnetLite, "conv_stem") => "_conv_stem",
        (Names::EfficientnetLite, "bn1") => "_bn0",
        (Names::EfficientnetLite, "conv_head") => "_conv_head",
        (Names::EfficientnetLite, "bn2") => "_bn1",
        (Names::EfficientnetLite, "classifier") => "_fc",
        (Names::Mobilenet, "conv_stem") => "features.0.0",
        (Names::Mobilenet, "bn1") => "features.0.1",
        (Names::Mobilenet, "conv_head") => "classifier.0",
        (Names::Mobilenet, "classifier") => "classifier.3",
        _ => return None,
    };
    Some(format!("{own}.{parameter}"))
}

fn in_block(rest: &str, names: Names, block: &Block) -> Option<String> {
    let (layer, parameter) = rest.rsplit_once('.')?;
    // Place among the block's convolutions with batch norm, and which of the two it is.
    let (place, is_norm) = match (layer, block.is_widened) {
        ("conv_pw" | "conv", true) | ("conv_dw", false) | ("conv", false) => (0, false),
        ("conv_dw", true) | ("conv_pw", false) => (1, false),
        ("conv_pwl", true) => (2, false),
        ("bn1", _) => (0, true),
        ("bn2", _) => (1, true),
        ("bn3", true) => (2, true),
        ("se.conv_reduce" | "se.conv_expand", _) => (0, false),
        _ => return None,
    };
    let number = block.number;
    Some(match names {
        Names::EfficientnetLite => {
            // A block that does not widen lacks the first convolution.
            let layers = ["_expand_conv", "_depthwise_conv", "_project_conv"];
            let norms = ["_bn0", "_bn1", "_bn2"];
            let at = place + usize::from(!block.is_widened);
            let own = if is_norm { norms.get(at)? } else { layers.get(at)? };
            format!("_blocks.{number}.{own}.{parameter}")
        }
        Names::Mobilenet => {
            // The first layer is the stem.
            let number = number + 1;
            let norm = usize::from(is_norm);
            // Squeeze and excitation stands behind the depthwise convolution.
            let weighing = if block.is_widened { 2 } else { 1 };
            let shifted = place + usize::from(block.is_weighed && place >= weighing);
            match layer {
                "se.conv_reduce" => format!("features.{number}.block.{weighing}.fc1.{parameter}"),
                "se.conv_expand" => format!("features.{number}.block.{weighing}.fc2.{parameter}"),
                _ if block.is_single => format!("features.{number}.{norm}.{parameter}"),
                _ => format!("features.{number}.block.{shifted}.{norm}.{parameter}"),
            }
        }
    })
}

/// Batch norm's factors for our eps, from those for timm's.
fn scale(factors: &mut Array, variances: &Array) {
    let [own, timms] = MOBILENET_EPS;
    for (factor, variance) in factors.values_mut().iter_mut().zip(variances.values()) {
        *factor *= ((variance + own) / (variance + timms)).sqrt();
    }
}

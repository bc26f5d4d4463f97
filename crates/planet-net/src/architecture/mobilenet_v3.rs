use crate::{
    BatchNorm, Builder, Convolution, Linear, Network, NetworkError, NodeId, Operation, OutputName,
    Shape,
};

const BATCH_NORM: BatchNorm = BatchNorm { eps: 1e-3, momentum: 0.01 };

/// The bend behind a convolution.
#[derive(Clone, Copy)]
enum Bend {
    Relu,
    HardSwish,
    None,
}

/// One inverted residual: widen, look round channel by channel, weigh the channels, narrow.
struct Block {
    kernel: usize,
    widened: usize,
    outputs: usize,
    weighed: bool,
    bend: Bend,
    stride: usize,
}

/// Howard et al. 2019, table 1.
const LARGE: [Block; 15] = [
    Block::relu(3, 16).to(16),
    Block::relu(3, 64).to(24).halving(),
    Block::relu(3, 72).to(24),
    Block::relu(5, 72).to(40).weighed().halving(),
    Block::relu(5, 120).to(40).weighed(),
    Block::relu(5, 120).to(40).weighed(),
    Block::hard_swish(3, 240).to(80).halving(),
    Block::hard_swish(3, 200).to(80),
    Block::hard_swish(3, 184).to(80),
    Block::hard_swish(3, 184).to(80),
    Block::hard_swish(3, 480).to(112).weighed(),
    Block::hard_swish(3, 672).to(112).weighed(),
    Block::hard_swish(5, 672).to(160).weighed().halving(),
    Block::hard_swish(5, 960).to(160).weighed(),
    Block::hard_swish(5, 960).to(160).weighed(),
];

impl Block {
    const fn relu(kernel: usize, widened: usize) -> Self {
        Self { kernel, widened, outputs: widened, weighed: false, bend: Bend::Relu, stride: 1 }
    }

    const fn hard_swish(kernel: usize, widened: usize) -> Self {
        Self { bend: Bend::HardSwish, ..Self::relu(kernel, widened) }
    }

    const fn to(self, outputs: usize) -> Self {
        Self { outputs, ..self }
    }

    const fn weighed(self) -> Self {
        Self { weighed: true, ..self }
    }

    const fn halving(self) -> Self {
        Self { stride: 2, ..self }
    }
}

/// MobileNetV3-Large, layer for layer and name for name torchvision's `mobilenet_v3_large`.
/// The embedding is what the last dense layer takes, 1280 features.
pub(super) fn build(pixels: Shape, classes: usize) -> Result<Network, NetworkError> {
    let mut net = Builder::new("mobilenet-v3-large", pixels);
    let first = Convolution::new(3, 16, [3, 3]).stride(2).same();
    let pixels = net.input();
    let mut x = basic(&mut net, "features.0", pixels, first, Bend::HardSwish)?;
    for (row, block) in LARGE.iter().enumerate() {
        x = inverted_residual(&mut net, &format!("features.{}", row + 1), x, block)?;
    }
    let last = Convolution::new(160, 960, [1, 1]);
    let x = basic(&mut net, "features.16", x, last, Bend::HardSwish)?;
    let x = net.global_average_pool("avgpool", x)?;
    let x = net.flatten("flatten", x)?;
    let hidden = Linear { inputs: 960, outputs: 1280, deviation: 0.01 };
    let x = net.linear("classifier.0", x, hidden)?;
    let embedding = net.apply("classifier.1", Operation::HardSwish, &[x])?;
    let x = net.dropout("classifier.2", embedding, 0.2)?;
    let head = Linear { inputs: 1280, outputs: classes, deviation: 0.01 };
    let logits = net.linear("classifier.3", x, head)?;
    net.output(OutputName::Embedding, embedding).output(OutputName::Logits, logits).build()
}

/// Convolution, batch norm and bend: torchvision's `Conv2dNormActivation`.
fn basic(
    net: &mut Builder,
    name: &str,
    x: NodeId,
    convolution: Convolution,
    bend: Bend,
) -> Result<NodeId, NetworkError> {
    let x = net.convolution(&format!("{name}.0"), x, convolution)?;
    let x = net.batch_norm(&format!("{name}.1"), x, BATCH_NORM)?;
    match bend {
        Bend::Relu => net.relu(&format!("{name}.2"), x),
        Bend::HardSwish => net.apply(&format!("{name}.2"), Operation::HardSwish, &[x]),
        Bend::None => Ok(x),
    }
}

fn inverted_residual(
    net: &mut Builder,
    name: &str,
    input: NodeId,
    block: &Block,
) -> Result<NodeId, NetworkError> {
    let inputs = net.shape(input).channels();
    let Block { widened, outputs, bend, .. } = *block;
    let mut layers = 0..;
    let mut layer = || format!("{name}.block.{}", layers.next().expect("layers have no end"));

    let mut x = input;
    if widened != inputs {
        x = basic(net, &layer(), x, Convolution::new(inputs, widened, [1, 1]), bend)?;
    }
    let depthwise = Convolution::new(widened, widened, [block.kernel; 2]).same();
    x = basic(net, &layer(), x, depthwise.stride(block.stride).groups(widened), bend)?;
    if block.weighed {
        x = squeeze_excitation(net, &layer(), x)?;
    }
    x = basic(net, &layer(), x, Convolution::new(widened, outputs, [1, 1]), Bend::None)?;
    if block.stride == 1 && inputs == outputs {
        x = net.apply(&format!("{name}.add"), Operation::Add, &[input, x])?;
    }
    Ok(x)
}

/// Weighs each channel by what all channels' means say.
fn squeeze_excitation(net: &mut Builder, name: &str, x: NodeId) -> Result<NodeId, NetworkError> {
    let channels = net.shape(x).channels();
    let squeezed = multiple_of_8(channels / 4);
    let factor = net.global_average_pool(&format!("{name}.avgpool"), x)?;
    let squeeze = Convolution::new(channels, squeezed, [1, 1]).biased();
    let factor = net.convolution(&format!("{name}.fc1"), factor, squeeze)?;
    let factor = net.relu(&format!("{name}.activation"), factor)?;
    let excite = Convolution::new(squeezed, channels, [1, 1]).biased();
    let factor = net.convolution(&format!("{name}.fc2"), factor, excite)?;
    let factor =
        net.apply(&format!("{name}.scale_activation"), Operation::HardSigmoid, &[factor])?;
    net.apply(&format!("{name}.scale"), Operation::Multiply, &[x, factor])
}

/// The nearest multiple of 8, at least 8 and not more than a tenth below `width`.
fn multiple_of_8(width: usize) -> usize {
    let nearest = ((width + 4) / 8 * 8).max(8);
    if nearest * 10 < width * 9 { nearest + 8 } else { nearest }
}

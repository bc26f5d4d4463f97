use crate::{
    BatchNorm, Builder, Convolution, Linear, Network, NetworkError, NodeId, Operation, OutputName,
    Shape,
};

const BATCH_NORM: BatchNorm = BatchNorm { eps: 1e-3, momentum: 0.01 };

/// One size of EfficientNet-lite (Google, 2020): EfficientNet without squeeze and excitation,
/// with ReLU6, and with a stem and head of fixed width.
pub(super) struct Lite {
    name: &'static str,
    /// Tenths by which widths and repetitions are multiplied.
    width: usize,
    depth: usize,
    dropout: f32,
}

pub(super) const LITE0: Lite =
    Lite { name: "efficientnet-lite0", width: 10, depth: 10, dropout: 0.2 };
pub(super) const LITE1: Lite =
    Lite { name: "efficientnet-lite1", width: 10, depth: 11, dropout: 0.2 };
pub(super) const LITE2: Lite =
    Lite { name: "efficientnet-lite2", width: 11, depth: 12, dropout: 0.3 };

/// Inverted residuals of one width: the first has the stride, the others add their input.
struct Stage {
    blocks: usize,
    kernel: usize,
    stride: usize,
    /// How many times as many channels the depthwise convolution has.
    expansion: usize,
    outputs: usize,
}

/// Tan and Le 2019, table 1.
const STAGES: [Stage; 7] = [
    Stage { blocks: 1, kernel: 3, stride: 1, expansion: 1, outputs: 16 },
    Stage { blocks: 2, kernel: 3, stride: 2, expansion: 6, outputs: 24 },
    Stage { blocks: 2, kernel: 5, stride: 2, expansion: 6, outputs: 40 },
    Stage { blocks: 3, kernel: 3, stride: 2, expansion: 6, outputs: 80 },
    Stage { blocks: 3, kernel: 5, stride: 1, expansion: 6, outputs: 112 },
    Stage { blocks: 4, kernel: 5, stride: 2, expansion: 6, outputs: 192 },
    Stage { blocks: 1, kernel: 3, stride: 1, expansion: 6, outputs: 320 },
];

const STEM: usize = 32;
const FEATURES: usize = 1280;

impl Lite {
    /// Names are those of the `state_dict` of the Python package efficientnet-lite-pytorch, whose
    /// weights load by name; padding is TensorFlow's, as there. Its stochastic depth is left out.
    pub(super) fn build(&self, pixels: Shape, classes: usize) -> Result<Network, NetworkError> {
        let mut net = Builder::new(self.name, pixels);
        let pixels = net.input();
        let stem = Convolution::new(3, STEM, [3, 3]).stride(2);
        let mut x = layer(&mut net, "", ["_conv_stem", "_bn0"], pixels, stem)?;
        x = bend(&mut net, "_swish_stem", x)?;
        let mut blocks = 0..;
        for (at, stage) in STAGES.iter().enumerate() {
            let ends = [0, STAGES.len() - 1].contains(&at);
            let repeats =
                if ends { stage.blocks } else { (stage.blocks * self.depth).div_ceil(10) };
            let outputs = self.width_of(stage.outputs);
            for repeat in 0..repeats {
                let name = format!("_blocks.{}.", blocks.next().expect("no end"));
                let stride = if repeat == 0 { stage.stride } else { 1 };
                x = inverted_residual(&mut net, &name, x, &Stage { outputs, stride, ..*stage })?;
            }
        }
        let head = Convolution::new(net.shape(x).channels(), FEATURES, [1, 1]);
        x = layer(&mut net, "", ["_conv_head", "_bn1"], x, head)?;
        x = bend(&mut net, "_swish_head", x)?;
        x = net.global_average_pool("_avg_pooling", x)?;
        let embedding = net.flatten("_flatten", x)?;
        let x = net.dropout("_dropout", embedding, self.dropout)?;
        let fc = Linear { inputs: FEATURES, outputs: classes, deviation: 0.01 };
        let logits = net.linear("_fc", x, fc)?;
        net.output(OutputName::Embedding, embedding).output(OutputName::Logits, logits).build()
    }

    /// The nearest multiple of 8 of a width times the factor, not more than a tenth below it.
    fn width_of(&self, channels: usize) -> usize {
        let tenths = channels * self.width;
        let nearest = ((tenths + 40) / 80 * 8).max(8);
        if nearest * 100 < tenths * 9 { nearest + 8 } else { nearest }
    }
}

/// Convolution and batch norm, by their names behind a prefix.
fn layer(
    net: &mut Builder,
    prefix: &str,
    [convolution, norm]: [&str; 2],
    x: NodeId,
    geometry: Convolution,
) -> Result<NodeId, NetworkError> {
    let Shape::Image { height, width, .. } = net.shape(x) else {
        unreachable!("only images come before the mean")
    };
    let geometry = geometry.same_for([height, width]);
    let x = net.convolution(&format!("{prefix}{convolution}"), x, geometry)?;
    net.batch_norm(&format!("{prefix}{norm}"), x, BATCH_NORM)
}

fn bend(net: &mut Builder, name: &str, x: NodeId) -> Result<NodeId, NetworkError> {
    net.apply(name, Operation::Relu6, &[x])
}

/// `name` ends with a dot.
fn inverted_residual(
    net: &mut Builder,
    name: &str,
    input: NodeId,
    stage: &Stage,
) -> Result<NodeId, NetworkError> {
    let Stage { kernel, stride, expansion, outputs, .. } = *stage;
    let inputs = net.shape(input).channels();
    let wide = inputs * expansion;
    let mut x = input;
    if expansion != 1 {
        let expand = Convolution::new(inputs, wide, [1, 1]);
        x = layer(net, name, ["_expand_conv", "_bn0"], x, expand)?;
        x = bend(net, &format!("{name}_swish0"), x)?;
    }
    let depthwise = Convolution::new(wide, wide, [kernel; 2]).stride(stride).groups(wide);
    x = layer(net, name, ["_depthwise_conv", "_bn1"], x, depthwise)?;
    x = bend(net, &format!("{name}_swish1"), x)?;
    let project = Convolution::new(wide, outputs, [1, 1]);
    x = layer(net, name, ["_project_conv", "_bn2"], x, project)?;
    if stride == 1 && inputs == outputs {
        x = net.apply(&format!("{name}_add"), Operation::Add, &[input, x])?;
    }
    Ok(x)
}

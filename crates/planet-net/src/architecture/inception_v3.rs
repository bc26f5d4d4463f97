use super::inception_blocks::{A, B, Blocks, C, D, E, Edges};
use crate::{Builder, Convolution, Linear, Network, NetworkError, NodeId, OutputName, Pool, Shape};

/// Features of the embedding.
const FEATURES: usize = 2048;

/// Deviation of the classifiers' initial weights. TensorFlow's own is 0.001 for the auxiliary
/// one; torchvision's 0.1 for the main one would begin with logits far apart.
const HEAD_DEVIATION: f32 = 0.01;

/// Inception-v3 (Szegedy et al. 2015), layer for layer and name for name torchvision's
/// `Inception3`.
pub(super) fn build(
    pixels: Shape,
    classes: usize,
    auxiliary: bool,
) -> Result<Network, NetworkError> {
    let mut net = Builder::new("inception-v3", pixels);
    let x = net.input();
    let mut blocks = Blocks { net: &mut net };
    let x = stem(&mut blocks, x)?;
    let a = |pool| A { one: 64, five: [48, 64], double: [64, 96, 96], pool };
    let x = blocks.a("Mixed_5b", x, &a(32))?;
    let x = blocks.a("Mixed_5c", x, &a(64))?;
    let x = blocks.a("Mixed_5d", x, &a(64))?;
    let x = blocks.b("Mixed_6a", x, &B { three: 384, double: [64, 96, 96] }, Edges::Shrink)?;
    let x = blocks.c("Mixed_6b", x, &C { inner: 128, each: 192 })?;
    let x = blocks.c("Mixed_6c", x, &C { inner: 160, each: 192 })?;
    let x = blocks.c("Mixed_6d", x, &C { inner: 160, each: 192 })?;
    let x = blocks.c("Mixed_6e", x, &C { inner: 192, each: 192 })?;
    if auxiliary {
        let logits = auxiliary_head(&mut blocks, x, classes)?;
        blocks.net.output(OutputName::Auxiliary, logits);
    }
    let x = blocks.d("Mixed_7a", x, &D { reduce: 192, three: 320, seven: 192 }, Edges::Shrink)?;
    let e = E { one: 320, three: 384, double: [448, 384], pool: 192 };
    let x = blocks.e("Mixed_7b", x, &e)?;
    let x = blocks.e("Mixed_7c", x, &e)?;
    let x = net.global_average_pool("avgpool", x)?;
    let embedding = net.flatten("flatten", x)?;
    let x = net.dropout("dropout", embedding, 0.5)?;
    let head = Linear { inputs: FEATURES, outputs: classes, deviation: HEAD_DEVIATION };
    let logits = net.linear("fc", x, head)?;
    net.output(OutputName::Embedding, embedding).output(OutputName::Logits, logits).build()
}

fn stem(blocks: &mut Blocks<'_>, x: NodeId) -> Result<NodeId, NetworkError> {
    let x = blocks.basic("Conv2d_1a_3x3", x, Convolution::new(3, 32, [3, 3]).stride(2))?;
    let x = blocks.basic("Conv2d_2a_3x3", x, Convolution::new(32, 32, [3, 3]))?;
    let x = blocks.basic("Conv2d_2b_3x3", x, Convolution::new(32, 64, [3, 3]).same())?;
    let x = blocks.net.pool("maxpool1", x, Pool::max(3, 2))?;
    let x = blocks.basic("Conv2d_3b_1x1", x, Convolution::new(64, 80, [1, 1]))?;
    let x = blocks.basic("Conv2d_4a_3x3", x, Convolution::new(80, 192, [3, 3]))?;
    blocks.net.pool("maxpool2", x, Pool::max(3, 2))
}

/// The classifier on the side, on the 17 × 17 grid of a 299 px photo. On smaller grids its
/// two 5 × 5 windows are reduced to the size of the grid, as TensorFlow's do.
fn auxiliary_head(
    blocks: &mut Blocks<'_>,
    x: NodeId,
    classes: usize,
) -> Result<NodeId, NetworkError> {
    let window = |shape: Shape| match shape {
        Shape::Image { height, width, .. } => [height.min(5), width.min(5)],
        Shape::Features(_) | Shape::Sequence { .. } => [1, 1],
    };
    let pool = Pool { kernel: window(blocks.net.shape(x)), ..Pool::average(5, 3) };
    let x = blocks.net.pool("AuxLogits.pool", x, pool)?;
    let x = blocks.same("AuxLogits.conv0", x, 128, [1, 1])?;
    let kernel = window(blocks.net.shape(x));
    let x = blocks.basic("AuxLogits.conv1", x, Convolution::new(128, 768, kernel))?;
    let x = blocks.net.global_average_pool("AuxLogits.avgpool", x)?;
    let x = blocks.net.flatten("AuxLogits.flatten", x)?;
    let head = Linear { inputs: 768, outputs: classes, deviation: HEAD_DEVIATION };
    blocks.net.linear("AuxLogits.fc", x, head)
}

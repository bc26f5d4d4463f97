use super::inception_blocks::{Blocks, Edges};
use crate::{Builder, Convolution, Linear, Network, NetworkError, NodeId, OutputName, Pool, Shape};

/// Features of the embedding.
const FEATURES: usize = 1024;

/// Widths of a block on a grid of full size: 1×1, 3×3 and two stacked 3×3 behind their
/// reductions, and what follows the pool.
struct Block {
    one: usize,
    three: [usize; 2],
    double: [usize; 2],
    pool: usize,
}

/// Widths of a block that halves the grid.
struct Halving {
    three: [usize; 2],
    double: [usize; 2],
}

/// Inception with batch norm (Ioffe and Szegedy 2015, figure 5), the names after torchvision's
/// `GoogLeNet`. Every window that halves the grid pads its edges.
pub(super) fn build(pixels: Shape, classes: usize) -> Result<Network, NetworkError> {
    let mut net = Builder::new("inception-bn", pixels);
    let x = net.input();
    let mut blocks = Blocks { net: &mut net };
    let x = blocks.basic("conv1", x, Convolution::new(3, 64, [7, 7]).stride(2).same())?;
    let x = blocks.net.pool("maxpool1", x, Pool::max(3, 2).same())?;
    let x = blocks.same("conv2", x, 64, [1, 1])?;
    let x = blocks.same("conv3", x, 192, [3, 3])?;
    let x = blocks.net.pool("maxpool2", x, Pool::max(3, 2).same())?;

    let x = full(&mut blocks, "inception3a", x, mean(64, [64, 64], [64, 96], 32))?;
    let x = full(&mut blocks, "inception3b", x, mean(64, [64, 96], [64, 96], 64))?;
    let x =
        halving(&mut blocks, "inception3c", x, &Halving { three: [128, 160], double: [64, 96] })?;
    let x = full(&mut blocks, "inception4a", x, mean(224, [64, 96], [96, 128], 128))?;
    let x = full(&mut blocks, "inception4b", x, mean(192, [96, 128], [96, 128], 128))?;
    let x = full(&mut blocks, "inception4c", x, mean(160, [128, 160], [128, 160], 128))?;
    let x = full(&mut blocks, "inception4d", x, mean(96, [128, 192], [160, 192], 128))?;
    let x =
        halving(&mut blocks, "inception4e", x, &Halving { three: [128, 192], double: [192, 256] })?;
    let x = full(&mut blocks, "inception5a", x, mean(352, [192, 320], [160, 224], 128))?;
    let (_, last) = mean(352, [192, 320], [192, 224], 128);
    let x = full(&mut blocks, "inception5b", x, (Pool::max(3, 1), last))?;

    let x = net.global_average_pool("avgpool", x)?;
    let embedding = net.flatten("flatten", x)?;
    let x = net.dropout("dropout", embedding, 0.2)?;
    let head = Linear { inputs: FEATURES, outputs: classes, deviation: 0.01 };
    let logits = net.linear("fc", x, head)?;
    net.output(OutputName::Embedding, embedding).output(OutputName::Logits, logits).build()
}

/// A block whose pool takes the mean, as all but the last do.
fn mean(one: usize, three: [usize; 2], double: [usize; 2], pool: usize) -> (Pool, Block) {
    (Pool::average(3, 1), Block { one, three, double, pool })
}

fn full(
    blocks: &mut Blocks<'_>,
    name: &str,
    x: NodeId,
    (pool, width): (Pool, Block),
) -> Result<NodeId, NetworkError> {
    let one = blocks.same(&format!("{name}.branch1"), x, width.one, [1, 1])?;
    let three = blocks.same(&format!("{name}.branch2.0"), x, width.three[0], [1, 1])?;
    let three = blocks.same(&format!("{name}.branch2.1"), three, width.three[1], [3, 3])?;
    let double = blocks.same(&format!("{name}.branch3.0"), x, width.double[0], [1, 1])?;
    let double = blocks.same(&format!("{name}.branch3.1"), double, width.double[1], [3, 3])?;
    let double = blocks.same(&format!("{name}.branch3.2"), double, width.double[1], [3, 3])?;
    let pool = blocks.net.pool(&format!("{name}.branch4.0"), x, pool.same())?;
    let pool = blocks.same(&format!("{name}.branch4.1"), pool, width.pool, [1, 1])?;
    blocks.net.concat(&format!("{name}.concat"), &[one, three, double, pool])
}

fn halving(
    blocks: &mut Blocks<'_>,
    name: &str,
    x: NodeId,
    width: &Halving,
) -> Result<NodeId, NetworkError> {
    let three = blocks.same(&format!("{name}.branch2.0"), x, width.three[0], [1, 1])?;
    let three = blocks.halving(&format!("{name}.branch2.1"), three, width.three[1], Edges::Pad)?;
    let double = blocks.same(&format!("{name}.branch3.0"), x, width.double[0], [1, 1])?;
    let double = blocks.same(&format!("{name}.branch3.1"), double, width.double[1], [3, 3])?;
    let double =
        blocks.halving(&format!("{name}.branch3.2"), double, width.double[1], Edges::Pad)?;
    let pool = blocks.net.pool(&format!("{name}.branch4.0"), x, Pool::max(3, 2).same())?;
    blocks.net.concat(&format!("{name}.concat"), &[three, double, pool])
}

use super::inception_blocks::{A, B, Blocks, C, D, E, Edges};
use crate::{Builder, Convolution, Linear, Network, NetworkError, OutputName, Pool, Shape};

/// Features of the embedding.
const FEATURES: usize = 512;

/// Inception-v3's plan with two A, one B, two C, one D and one E block, all narrow. The stem
/// halves the grid three times at once, so that a photo of 96 px costs 46 M multiply-adds; all
/// halving windows pad, so that 32 px are enough.
pub(super) fn build(pixels: Shape, classes: usize) -> Result<Network, NetworkError> {
    let mut net = Builder::new("inception-mini", pixels);
    let x = net.input();
    let mut blocks = Blocks { net: &mut net };
    let first = Convolution::new(3, 16, [3, 3]).stride(2).same();
    let x = blocks.basic("Conv2d_1a_3x3", x, first)?;
    let x = blocks.halving("Conv2d_2a_3x3", x, 24, Edges::Pad)?;
    let x = blocks.same("Conv2d_2b_3x3", x, 40, [3, 3])?;
    let x = blocks.net.pool("maxpool1", x, Pool::max(3, 2).same())?;
    let widths = A { one: 24, five: [16, 24], double: [24, 32, 32], pool: 16 };
    let x = blocks.a("Mixed_5b", x, &widths)?;
    let widths = A { one: 40, five: [16, 32], double: [24, 40, 40], pool: 24 };
    let x = blocks.a("Mixed_5c", x, &widths)?;
    let x = blocks.b("Mixed_6a", x, &B { three: 88, double: [32, 48, 64] }, Edges::Pad)?;
    let x = blocks.c("Mixed_6b", x, &C { inner: 48, each: 72 })?;
    let x = blocks.c("Mixed_6c", x, &C { inner: 48, each: 72 })?;
    let x = blocks.d("Mixed_7a", x, &D { reduce: 64, three: 96, seven: 64 }, Edges::Pad)?;
    let x = blocks.e("Mixed_7b", x, &E { one: 96, three: 80, double: [80, 80], pool: 96 })?;
    let x = net.global_average_pool("avgpool", x)?;
    let embedding = net.flatten("flatten", x)?;
    let x = net.dropout("dropout", embedding, 0.2)?;
    let head = Linear { inputs: FEATURES, outputs: classes, deviation: 0.01 };
    let logits = net.linear("fc", x, head)?;
    net.output(OutputName::Embedding, embedding).output(OutputName::Logits, logits).build()
}

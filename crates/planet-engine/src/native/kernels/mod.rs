//! The arithmetic: every kernel reads and writes images with their channels last, and computes each
//! number in one order, whatever the number of threads and of photos.

mod aligned;
mod convolution;
mod curve;
mod dense;
mod pack;
mod pointwise;
mod pool;
mod strip;
mod tile;
mod view;
mod workers;

pub(super) use aligned::Aligned;
pub(super) use convolution::Convolution;
pub(super) use curve::Curve;
pub(super) use dense::Dense;
pub(super) use pointwise::{Affine, add, channels_last, copy, curve, flatten, multiply, planes};
pub(super) use pool::{Depthwise, Pool, PoolKind, global_average};
pub(super) use view::{Source, Target, View, Window};
pub(super) use workers::Workers;

use std::sync::OnceLock;

/// The widest vectors that this processor has.
fn arch() -> pulp::Arch {
    static ARCH: OnceLock<pulp::Arch> = OnceLock::new();
    *ARCH.get_or_init(pulp::Arch::new)
}

use pulp::Simd;

/// A function of one number that is applied to what another operation gives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::native) enum Curve {
    /// The number itself.
    #[default]
    Identity,
    /// The nearest number between these two.
    Clip { least: f32, greatest: f32 },
    /// `x · clamp(x / 6 + 1/2, 0, 1)`.
    HardSwish,
    /// `clamp(slope · x + start, 0, 1)`.
    HardSigmoid { slope: f32, start: f32 },
}

impl Curve {
    /// `max(x, 0)`.
    pub(in crate::native) const RELU: Self = Self::Clip { least: 0.0, greatest: f32::INFINITY };

    /// Of one number; NaN stays NaN.
    #[inline(always)]
    pub(super) fn of(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::Clip { least, greatest } => clip(x, least, greatest),
            Self::HardSwish => x * clip(x.mul_add(1.0 / 6.0, 0.5), 0.0, 1.0),
            Self::HardSigmoid { slope, start } => clip(x.mul_add(slope, start), 0.0, 1.0),
        }
    }

    /// Of numbers side by side.
    #[inline(always)]
    pub(super) fn of_vector<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        // x86 gives the second number where one is NaN.
        let clip = |x, least, greatest| {
            let x = simd.max_f32s(simd.splat_f32s(least), x);
            simd.min_f32s(simd.splat_f32s(greatest), x)
        };
        let line =
            |slope, start| simd.mul_add_f32s(x, simd.splat_f32s(slope), simd.splat_f32s(start));
        match self {
            Self::Identity => x,
            Self::Clip { least, greatest } => clip(x, least, greatest),
            Self::HardSwish => simd.mul_f32s(x, clip(line(1.0 / 6.0, 0.5), 0.0, 1.0)),
            Self::HardSigmoid { slope, start } => clip(line(slope, start), 0.0, 1.0),
        }
    }
}

/// As `clamp`, but one instruction each, and without its panic for limits in the wrong order.
#[inline(always)]
fn clip(x: f32, least: f32, greatest: f32) -> f32 {
    let x = if least > x { least } else { x };
    if greatest < x { greatest } else { x }
}

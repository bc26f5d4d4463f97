use std::sync::OnceLock;

/// Runs code compiled for the widest vectors that this processor has.
#[inline(always)]
pub(crate) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    arch().dispatch(work)
}

/// The widest vectors that this processor has.
pub(crate) fn arch() -> pulp::Arch {
    static ARCH: OnceLock<pulp::Arch> = OnceLock::new();
    *ARCH.get_or_init(pulp::Arch::new)
}

/// Numbers that are worked on side by side: as many f32 as the widest registers hold.
pub(crate) const LANES: usize = 16;

/// The exponential, within 2 units in the last place, without a branch, so that the compiler
/// can do many at once. Below −87.3 it stays at the smallest normal number, above 88.3 at the
/// greatest power that there is; NaN stays NaN.
///
/// After Cephes' `expf`: 2ⁿ times a polynomial on ±ln 2 / 2.
#[inline(always)]
pub(crate) fn exponential(x: f32) -> f32 {
    /// Adding it rounds to a whole number and leaves that in the last bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first short enough that whole multiples of it are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Comparisons, not `clamp`: they let NaN through and become one instruction.
    let x = if x < -87.336_54 { -87.336_54 } else { x };
    let x = if x > 88.3 { 88.3 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let rest = x - whole * LN_2[0] - whole * LN_2[1];
    let mut polynomial = 1.987_569_1e-4;
    for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        polynomial = polynomial * rest + factor;
    }
    let polynomial = polynomial * rest * rest + rest + 1.0;
    let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits());
    polynomial * f32::from_bits(exponent.wrapping_add(127) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_two_units_in_the_last_place() {
        for step in -87_000..88_000 {
            let x = step as f32 * 1e-3 + 1e-4;
            let (ours, exact) = (f64::from(exponential(x)), f64::from(x).exp());
            assert!((ours / exact - 1.0).abs() < 2.5e-7, "{x}: {ours} for {exact}");
        }
    }

    #[test]
    fn the_exponential_of_the_extremes_is_small_great_or_nan() {
        assert!((0.0..1.2e-38).contains(&exponential(f32::NEG_INFINITY)));
        assert!(exponential(-1e9) < 1.2e-38 && exponential(1e9) > 1e38);
        assert!(exponential(f32::INFINITY).is_finite() && exponential(f32::NAN).is_nan());
        assert_eq!(exponential(0.0), 1.0);
    }
}

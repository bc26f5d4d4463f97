use std::sync::LazyLock;

/// White of the illuminant D65 for an observer of 2 degrees: X, Y, Z.
const WHITE: [f64; 3] = [0.950_47, 1.0, 1.088_83];

/// From linear RGB to X, Y, Z (ITU-R BT.709 primaries, D65).
const TO_XYZ: [[f64; 3]; 3] = [
    [0.412_453, 0.357_580, 0.180_423],
    [0.212_671, 0.715_160, 0.072_169],
    [0.019_334, 0.119_193, 0.950_227],
];

/// Linear value of each sRGB byte (IEC 61966-2-1).
static LINEAR: LazyLock<[f64; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let value = byte as f64 / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
});

/// CIE L\*a\*b\* of an sRGB colour: lightness 0..=100, a and b about −100..=100.
pub fn lab(rgb: [u8; 3]) -> [f32; 3] {
    let linear = rgb.map(|byte| LINEAR[usize::from(byte)]);
    let [x, y, z]: [f64; 3] = std::array::from_fn(|at| {
        let sum: f64 = TO_XYZ[at].iter().zip(linear).map(|(share, value)| share * value).sum();
        curve(sum / WHITE[at])
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)].map(|value| value as f32)
}

/// Cube root, linear near black.
fn curve(value: f64) -> f64 {
    if value > 0.008_856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_red_lie_where_the_standard_puts_them() {
        let near = |rgb, want: [f32; 3]| {
            let is = lab(rgb);
            assert!(is.iter().zip(want).all(|(is, want)| (is - want).abs() < 0.01), "{is:?}");
        };
        near([0; 3], [0.0; 3]);
        near([255; 3], [100.0, 0.0, 0.0]);
        near([255, 0, 0], [53.24, 80.09, 67.20]);
    }
}

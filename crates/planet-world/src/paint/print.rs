use rand::{Rng, RngExt};
use tiny_skia::Pixmap;

use super::Nuisance;

/// From the canvas to the photo: exposure, white balance and the sensor's noise.
/// Returns `[height, width, 3]`.
pub(super) fn develop(pixmap: &Pixmap, nuisance: &Nuisance, rng: &mut impl Rng) -> Vec<u8> {
    let gains = [1.0 + nuisance.warmth, 1.0, 1.0 - nuisance.warmth].map(|g| g * nuisance.exposure);
    // Fixed point with 8 bits behind the point, as is the noise.
    let tables: [[i32; 256]; 3] =
        gains.map(|gain| std::array::from_fn(|value| (value as f32 * gain * 256.0).round() as i32));
    let strength = (nuisance.noise * 256.0 / UNIFORM_SUM_DEVIATION) as i32;
    let mut state = rng.random::<u64>() | 1;
    let mut rgb = Vec::with_capacity(pixmap.data().len() / 4 * 3);
    for pixel in pixmap.data().chunks_exact(4) {
        // One step of xorshift gives the noise of one pixel: three sums of two numbers.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for channel in 0..3 {
            let bits = (state >> (20 * channel)) as i32;
            let noise = ((bits & 0x3ff) + ((bits >> 10) & 0x3ff)) - 0x3ff;
            let value = tables[channel][usize::from(pixel[channel])] + noise * strength / 1024;
            rgb.push(((value + 128) >> 8).clamp(0, 255) as u8);
        }
    }
    rgb
}

/// Standard deviation of the sum of two uniform numbers from 0..1: √(2/12).
const UNIFORM_SUM_DEVIATION: f32 = 0.408_248_3;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use tiny_skia::Color;

    use super::*;

    #[test]
    fn noise_has_no_bias_and_the_asked_strength() {
        let mut pixmap = Pixmap::new(100, 100).expect("a canvas");
        pixmap.fill(Color::from_rgba8(100, 120, 140, 255));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let plain = Nuisance { exposure: 1.0, warmth: 0.0, noise: 4.0, ..Nuisance::draw(&mut rng) };
        let rgb = develop(&pixmap, &plain, &mut rng);
        let errors: Vec<f64> =
            rgb.chunks(3).flat_map(|p| [p[0] as f64 - 100.0, p[1] as f64 - 120.0]).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64;
        assert!(mean.abs() < 0.15 && (variance.sqrt() - 4.0).abs() < 0.2, "{mean} {variance}");
    }
}

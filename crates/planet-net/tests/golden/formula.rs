//! The weights and pixels of `make_forward.py`, by the same formula.

use planet_net::{Array, Network, ParameterKind, Weights};

/// Values in [-1, 1): splitmix64 of the name's FNV-1a hash and the place.
pub fn uniform(name: &str, count: usize) -> Vec<f32> {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (1..=count as u64)
        .map(|place| {
            let mut z = hash.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            ((z >> 40) as f32 - 8_388_608.0) / 8_388_608.0
        })
        .collect()
}

/// All weights of a network: batch norm's statistics and the logits' factor from the golden
/// file, the rest by formula.
pub fn weights(network: &Network, golden: &Weights) -> Weights {
    let factor = |name: &str| match name {
        "fc.weight" | "classifier.3.weight" | "_fc.weight" => golden.get("factor"),
        "AuxLogits.fc.weight" => golden.get("auxiliary_factor"),
        _ => None,
    };
    network
        .parameters()
        .map(|parameter| {
            let (name, shape) = (parameter.name.clone(), parameter.shape.clone());
            if parameter.kind == ParameterKind::Statistic {
                let statistic = golden.get(&name).expect("the golden file has every statistic");
                return (name, statistic.clone());
            }
            let mut values = uniform(&name, parameter.count());
            let last = factor(&name).map_or(1.0, |array| array.values()[0]);
            let fan_in: usize = shape[1..].iter().product();
            let is_bias = name.ends_with("bias") || name.contains("bias_");
            let norms = [".bn.bias", ".1.bias", "_bn0.bias", "_bn1.bias", "_bn2.bias"];
            let is_norm = norms.iter().any(|end| name.ends_with(end));
            let place = |x: f32| match (is_bias, shape.len()) {
                (true, _) if is_norm => x * 0.1 + 1.0,
                (true, _) => x * 0.1,
                (false, 4) => x * (6.0 / fan_in as f64).sqrt() as f32,
                (false, 2) => x * (3.0 / fan_in as f64).sqrt() as f32 * last,
                (false, _) => x * 0.2 + 1.0,
            };
            values.iter_mut().for_each(|x| *x = place(*x));
            (name, Array::new(shape, values))
        })
        .collect()
}

/// Waves whose direction, length and phase differ by photo and channel,
/// `[photos, 3, side, side]`.
pub fn photos(count: usize, side: usize) -> Vec<f32> {
    let mut pixels = Vec::with_capacity(count * 3 * side * side);
    for photo in 0..count {
        for channel in 0..3 {
            let draw = uniform(&format!("photo {photo} {channel}"), 3);
            let [across, down, phase] = [0, 1, 2].map(|at| f64::from(draw[at]));
            for y in 0..side {
                for x in 0..side {
                    let [x, y] = [x, y].map(|at| at as f64 / side as f64);
                    let wave = across * x + down * y + phase;
                    pixels.push((std::f64::consts::TAU * wave).sin() as f32);
                }
            }
        }
    }
    pixels
}

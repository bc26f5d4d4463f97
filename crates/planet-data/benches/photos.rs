//! How fast a photo becomes a tensor, a hash and a score, and how fast near-duplicates are found.
//!
//! The photo is computed and encoded here;
//! beside Pillow and OpenCV on one file: bench/photos.py.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use planet_data::{
    Code, DEFAULT_DISTANCE, GREATEST_DISTANCE, Limits, NoMonitor, Photo, Preprocess, near_pairs,
    perceptual_hash, photo_score,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A JPEG of 4000 × 3000 pixels: waves with a little noise, about as many bytes as a phone's.
fn twelve_megapixels() -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let (width, height) = (4000_u16, 3000_u16);
    let mut pixels = Vec::with_capacity(3 * usize::from(width) * usize::from(height));
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (f32::from(x), f32::from(y));
            let noise = random.random_range(-8.0..8.0);
            for period in [37.0, 211.0, 900.0] {
                let wave = (x / period).sin() + (y / period + x / 500.0).cos();
                pixels.push((128.0 + 48.0 * wave + noise) as u8);
            }
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 88);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&pixels, width, height, ColorType::Rgb).expect("memory takes every picture");
    jpeg
}

fn photos(criterion: &mut Criterion) {
    let jpeg = twelve_megapixels();
    let limits = Limits::default();
    let decode = || Photo::decode(&jpeg, &limits).expect("a photo");
    let preprocess = Preprocess::inception(299);
    let photo = decode();
    let mut group = criterion.benchmark_group("photo-12-mp");
    group.sample_size(20).throughput(Throughput::Elements(1));
    group.bench_function("jpeg-to-299", |bencher| {
        bencher.iter(|| black_box(preprocess.apply(&decode())));
    });
    group.bench_function("pixels-to-299", |bencher| {
        bencher.iter(|| black_box(preprocess.apply(&photo)));
    });
    group.bench_function("hash", |bencher| bencher.iter(|| perceptual_hash(black_box(&photo))));
    group.bench_function("score", |bencher| bencher.iter(|| photo_score(black_box(&photo), None)));
    group.finish();
}

fn duplicates(criterion: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut hashes = |count: usize| -> Vec<Code> {
        (0..count).map(|_| Code::from_words(random.random())).collect()
    };
    let (a, b) = (hashes(1_000_000), hashes(100_000));
    let mut group = criterion.benchmark_group("duplicates-1-m-against-100-k");
    group.sample_size(10).warm_up_time(Duration::from_millis(1));
    for distance in [15, 31, DEFAULT_DISTANCE, GREATEST_DISTANCE] {
        group.bench_function(format!("within-{distance}"), |bencher| {
            bencher.iter(|| near_pairs(&a, &b, distance, &NoMonitor).expect("not cancelled"));
        });
    }
    group.finish();
}

criterion_group!(all, photos, duplicates);
criterion_main!(all);

//! How fast the descriptors of a photo of 640 × 480 pixels are, on one core.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use planet_data::Photo;
use planet_im2gps::{Descriptor, Extractor, TextonDictionary, TextonSamples, WorkingImage};

fn photo() -> Photo {
    let value = |at: u32| {
        let (x, y) = (at % 640, at / 640);
        let wave = 60.0 * (f64::from(x) / 9.0).sin() + 50.0 * (f64::from(x * y) / 9_000.0).cos();
        let noise = f64::from(at.wrapping_mul(2_654_435_761) >> 27);
        [128.0 + wave + noise, 120.0 - wave, 100.0 + noise].map(|value| value as u8)
    };
    Photo::from_rgb(640, 480, (0..640 * 480).flat_map(value).collect()).expect("a photo")
}

fn benches(criterion: &mut Criterion) {
    let photo = photo();
    let mut samples = TextonSamples::default();
    for seed in 0..12 {
        samples.extend(&TextonSamples::of(&photo, seed));
    }
    let extractor = Extractor::new(TextonDictionary::learn(&samples, 0));
    let mut group = criterion.benchmark_group("im2gps");
    group.sample_size(10);
    group.bench_function("working-image", |bencher| {
        bencher.iter(|| black_box(WorkingImage::new(&photo)));
    });
    for descriptor in Descriptor::ALL {
        group.bench_function(format!("{}-with-working-image", descriptor.name()), |bencher| {
            bencher.iter(|| black_box(extractor.of(descriptor, &photo)));
        });
    }
    group.bench_function("all-of-2008", |bencher| {
        bencher.iter(|| black_box(extractor.row(&photo)));
    });
    group.finish();
}

criterion_group!(descriptors, benches);
criterion_main!(descriptors);

//! How fast the descriptors of a photo of 640 × 480 pixels are, on one core.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use planet_data::Photo;
use planet_im2gps::{
    Descriptor, Dictionaries, Extractor, LocalFeature, TextonDictionary, TextonSamples, Version,
    Vocabulary, WordSamples, WorkingImage,
};

fn photo() -> Photo {
    let value = |at: u32| {
        let (x, y) = (at % 640, at / 640);
        let wave = 40.0 * (f64::from(x) / 9.0).sin() + 30.0 * (f64::from(x * y) / 9_000.0).cos();
        // Blocks have corners, which are local features.
        let block = (x / 14 * 73 + y / 14 * 151).wrapping_mul(2_654_435_761) >> 26;
        let noise = f64::from((at.wrapping_mul(2_654_435_761) >> 28) + block);
        [100.0 + wave + noise, 90.0 - wave + noise, 80.0 + noise].map(|value| value as u8)
    };
    Photo::from_rgb(640, 480, (0..640 * 480).flat_map(value).collect()).expect("a photo")
}

/// Dictionaries of so many words as an index of many photos has.
fn dictionaries(photo: &Photo) -> Dictionaries {
    let (mut textons, mut words) = (TextonSamples::default(), WordSamples::default());
    let image = WorkingImage::new(photo);
    for seed in 0..12 {
        textons.extend(&TextonSamples::of(photo, seed));
        words.extend(WordSamples::of(&image, seed));
    }
    let textons = TextonDictionary::learn(&textons, 0);
    Dictionaries { textons, words: Vocabulary::learn(&words, 0) }
}

fn benches(criterion: &mut Criterion) {
    let photo = photo();
    let dictionaries = dictionaries(&photo);
    let extractor = |version| Extractor::new(version, dictionaries.clone());
    let (of_2008, of_2014) = (extractor(Version::Im2Gps2008), extractor(Version::Im2Gps2014));
    let mut group = criterion.benchmark_group("im2gps");
    group.sample_size(10);
    group.bench_function("working-image", |bencher| {
        bencher.iter(|| black_box(WorkingImage::new(&photo)));
    });
    for descriptor in Descriptor::ALL {
        group.bench_function(format!("{}-with-working-image", descriptor.name()), |bencher| {
            bencher.iter(|| black_box(of_2014.of(descriptor, &photo)));
        });
    }
    let image = WorkingImage::new(&photo);
    group.bench_function("local-features", |bencher| {
        bencher.iter(|| black_box(LocalFeature::all_of(&image)));
    });
    group.bench_function("all-of-2008", |bencher| {
        bencher.iter(|| black_box(of_2008.row(&photo)));
    });
    group.bench_function("all-of-2014", |bencher| {
        bencher.iter(|| black_box(of_2014.row(&photo)));
    });
    group.finish();
}

criterion_group!(descriptors, benches);
criterion_main!(descriptors);

//! Measures the processor time of each descriptor for a photo of 640 × 480 pixels, and of queries
//! to indices, on one core. Other programs on the machine disturb processor time less than they
//! do wall time. Linux only.
//!
//! `cargo run -p planet-im2gps --release --example speed [INDEX...]`
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::{hint::black_box, path::Path, sync::Arc};

use planet_data::Photo;
use planet_im2gps::{
    AnswerOptions, AnswerRule, Descriptor, Dictionaries, Extractor, Im2Gps, Index, LocalFeature,
    TextonDictionary, TextonSamples, Version, Vocabulary, WordSamples, WorkingImage,
};

const NEIGHBOURS: usize = 120;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        descriptors();
        std::env::args().skip(1).try_for_each(|path| queries(Path::new(&path)))
    })?;
    Ok(())
}

fn descriptors() {
    let photo = photo();
    let image = WorkingImage::new(&photo);
    let (mut textons, mut words) = (TextonSamples::default(), WordSamples::default());
    for seed in 0..12 {
        textons.extend(&TextonSamples::of(&photo, seed));
        words.extend(WordSamples::of(&image, seed));
    }
    let textons = TextonDictionary::learn(&textons, 0);
    let dictionaries = Dictionaries { textons, words: Vocabulary::learn(&words, 0) };
    let reduction = milliseconds(20, || drop(black_box(WorkingImage::new(&photo))));
    println!("working image    {reduction:8.2} ms");
    let extractor = Extractor::new(Version::Im2Gps2014, dictionaries.clone());
    for descriptor in Descriptor::ALL {
        let both = milliseconds(20, || drop(black_box(extractor.of(descriptor, &photo))));
        println!("{:16} {:8.2} ms", descriptor.name(), both - reduction);
    }
    let local = milliseconds(20, || drop(black_box(LocalFeature::all_of(&image))));
    println!("local features   {local:8.2} ms for {}", LocalFeature::all_of(&image).len());
    for version in Version::ALL {
        let extractor = Extractor::new(version, dictionaries.clone());
        let all = milliseconds(20, || drop(black_box(extractor.row(&photo))));
        println!("all of {}      {all:8.2} ms per photo and core", version.year());
    }
}

fn queries(path: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut index = None;
    let open = milliseconds(1, || index = Some(Index::open(path)));
    let options = AnswerOptions { names: false, ..AnswerOptions::default() };
    let im2gps = Im2Gps::new(index.expect("opened once")?, options, Arc::default())?;
    let (index, rows) = (im2gps.index(), im2gps.index().len());
    let mut next = 0;
    let mut query = || {
        next = (next + 7919) % rows;
        index.neighbours(index.row(next), NEIGHBOURS, None)
    };
    let found = query();
    let search = milliseconds(5, || drop(black_box(query())));
    let answer = |rule| milliseconds(5, || drop(black_box(im2gps.answer("", rule, &found))));
    println!(
        "{} {rows:8} photos, {:.2} kB each: opened in {open:.0} ms; {search:.1} ms per search on one \
         core, {:.2} ms for clusters, {:.2} ms for support vectors",
        index.version().year(),
        index.bytes_per_photo() / 1e3,
        answer(AnswerRule::MeanShift),
        answer(AnswerRule::SupportVectors),
    );
    Ok(())
}

/// Processor time of one call in milliseconds.
fn milliseconds(calls: u32, mut call: impl FnMut()) -> f64 {
    let before = nanoseconds();
    (0..calls).for_each(|_| call());
    (nanoseconds() - before) / 1e6 / f64::from(calls)
}

/// Processor time of this thread.
fn nanoseconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|it| it.parse().ok()).unwrap_or(f64::NAN)
}

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

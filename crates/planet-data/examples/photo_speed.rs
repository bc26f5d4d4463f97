//! Times what bench/photos.py sets beside Pillow, OpenCV and PyTorch's loader; prints one number.
//!
//! `photo_speed tensor PHOTO` prints the median milliseconds from a JPEG's bytes to a tensor of
//! 299 px on one core, `photo_speed tensor-full PHOTO` the same without decoding at reduced size;
//! `photo_speed loader MANIFEST THREADS` the photos a second of an epoch in batches of 32.

use std::{
    env,
    error::Error,
    fs,
    hint::black_box,
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::Instant,
};

use planet_data::{
    Decoding, DiskStore, Limits, Loader, LoaderOptions, Manifest, Photo, Preprocess,
    table::TableSource,
};

const ROUNDS: usize = 25;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut out = io::stdout();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tensor", photo] => writeln!(out, "{:.2}", tensor(Path::new(photo), Decoding::Reduced)?)?,
        ["tensor-full", photo] => {
            writeln!(out, "{:.2}", tensor(Path::new(photo), Decoding::Full)?)?
        }
        ["loader", manifest, threads] => {
            writeln!(out, "{:.1}", loader(manifest, threads.parse()?)?)?
        }
        _ => {
            return Err(
                "usage: photo_speed tensor|tensor-full PHOTO | loader MANIFEST THREADS".into()
            );
        }
    }
    Ok(())
}

fn tensor(photo: &Path, decoding: Decoding) -> Result<f64, Box<dyn Error>> {
    let bytes = fs::read(photo)?;
    let preprocess = Preprocess { decoding, ..Preprocess::inception(299) };
    let limits = Limits::default();
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(preprocess.apply(&Photo::decode_for(&bytes, &limits, &preprocess)?));
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[ROUNDS / 2])
}

fn loader(manifest: &str, threads: usize) -> Result<f64, Box<dyn Error>> {
    let manifest = Manifest::load(&TableSource::parse(manifest), None)?;
    let store = Arc::new(DiskStore::new(&manifest.root));
    let photos = manifest.records.into_iter().map(|record| record.photo).collect();
    let options = LoaderOptions {
        threads: Some(threads),
        drop_last: false,
        ..LoaderOptions::training(32, 0)
    };
    let loader = Loader::new(store, photos, Preprocess::inception(299), options)?;
    let start = Instant::now();
    let mut loaded = 0;
    for batch in loader.epoch(0, 0) {
        loaded += black_box(batch?).rows.len();
    }
    Ok(loaded as f64 / start.elapsed().as_secs_f64())
}

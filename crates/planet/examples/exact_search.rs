//! Times an exact search over an index of random vectors, for bench/exact-search.py.
//!
//! `exact_search VECTORS DIMENSIONS QUERIES FOLDER`: writes the index into the folder, searches the
//! ten nearest of each query twice, and prints seconds of the second search and bytes as JSON.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    path::Path,
    time::Instant,
};

use planet::{
    FeatureModel,
    package::{FeatureDraft, NewFeatures, Provenance},
    retrieval::{Descriptor, Index, IndexWriter, IndexedPhoto, Recipe},
};
use planet_data::Preprocess;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOP: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [vectors, dimensions, queries, folder] = &arguments[..] else {
        return Err("usage: exact_search VECTORS DIMENSIONS QUERIES FOLDER".into());
    };
    let (vectors, dimensions): (usize, usize) = (vectors.parse()?, dimensions.parse()?);
    let folder = Path::new(folder);
    let path = folder.join("index");
    let model = model(folder, dimensions)?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut writer = IndexWriter::create(&path, &model, &Recipe::default(), "", None)?;
    for photo in 0..vectors {
        let photo =
            IndexedPhoto { photo: photo.to_string(), position: None, vectors: 0, error: None };
        writer.add(photo, &random(dimensions, &mut rng))?;
    }
    writer.finish()?;
    let index = Index::open(&path)?;
    let queries: usize = queries.parse()?;
    let queries: Vec<Descriptor> = (0..queries).map(|_| random(dimensions, &mut rng)).collect();
    index.search(&queries, TOP);
    let before = Instant::now();
    let found = index.search(&queries, TOP);
    let seconds = before.elapsed().as_secs_f64();
    assert!(found.iter().all(|hits| hits.len() == TOP.min(vectors)), "every query finds photos");
    let bytes = fs::metadata(&path)?.len();
    writeln!(io::stdout(), "{{\"seconds\": {seconds}, \"bytes\": {bytes}}}")?;
    Ok(())
}

/// A vector of length 1.
fn random(dimensions: usize, rng: &mut ChaCha8Rng) -> Descriptor {
    let mut values: Vec<f32> = (0..dimensions).map(|_| rng.random_range(-1.0..1.0)).collect();
    let length = values.iter().map(|x| x * x).sum::<f32>().sqrt();
    values.iter_mut().for_each(|x| *x /= length);
    Descriptor::new(dimensions, values)
}

/// A package that stands for a model of such features; its network is never run.
fn model(folder: &Path, features: usize) -> Result<FeatureModel, Box<dyn Error>> {
    let new = NewFeatures::create(&folder.join("model"))?;
    for name in ["model.onnx", "model.onnx.data"] {
        fs::write(new.folder().join(name), name)?;
    }
    Ok(new.finish(FeatureDraft {
        name: "random".to_owned(),
        architecture: "none".to_owned(),
        features,
        map: [features, 1, 1],
        preprocess: Preprocess::inception(224),
        provenance: Provenance::default(),
    })?)
}

//! Trains the classifier of surfaces on synthetic photos and measures it on others, of another
//! world.
//!
//! `cargo run -p planet-im2gps --example train_surfaces [FILE [PHOTOS [EPOCHS]]]` writes the
//! parameters into FILE (src/surfaces/parameters.f32 of the crate).
#![allow(clippy::print_stdout, reason = "an example says what it does")]
#![allow(clippy::needless_range_loop, reason = "indices name units and features of several arrays")]

use std::path::PathBuf;

use planet_data::{AtomicFile, Limits, Photo};
use planet_im2gps::{
    FEATURES, Segments, SurfaceClass, SurfaceClassifier, WorkingImage, region_features,
};
use planet_world::{PictureSize, Surface, World, WorldParameters};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const HIDDEN: usize = SurfaceClassifier::HIDDEN;
/// Sizes of the pictures: the classifier must not depend on one.
const SIZES: [u32; 3] = [64, 128, 256];
const BATCH: usize = 256;

/// A region: what describes it, and how many of its pixels are of each surface.
struct Region {
    features: [f32; FEATURES],
    pixels: [f32; 4],
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/src/surfaces/parameters.f32");
    let file = PathBuf::from(arguments.next().unwrap_or_else(|| default.to_owned()));
    let photos = arguments.next().map_or(Ok(1200), |text| text.parse())?;
    let epochs = arguments.next().map_or(Ok(40), |text| text.parse())?;
    let training: Vec<Region> = pictures(0, 1, photos)?.into_iter().flatten().collect();
    let held_out = pictures(1, 2, photos / 6)?;
    println!("{photos} photos, {} regions; {} held out", training.len(), held_out.len());
    let mut model = Training::new(&training);
    for epoch in 0..epochs {
        let loss = model.epoch(&training, 0.003 * (1.0 - epoch as f32 / epochs as f32));
        if epoch % 5 == 4 {
            println!("epoch {:3}  loss {loss:.4}", epoch + 1);
        }
    }
    let parameters = model.folded();
    let bytes: Vec<u8> = parameters.iter().flat_map(|value| value.to_le_bytes()).collect();
    AtomicFile::write_all_at(&file, &bytes)?;
    let classifier = SurfaceClassifier::from_parameters(parameters).ok_or("not finite")?;
    report(&classifier, held_out.iter().flatten());
    Ok(())
}

/// The regions of photos of a world.
fn pictures(
    world: u64,
    seed: u64,
    photos: u64,
) -> Result<Vec<Vec<Region>>, Box<dyn std::error::Error>> {
    let world = World::draw(WorldParameters::new(world))?;
    let regions = |number: u64| -> Option<Vec<Region>> {
        let size = PictureSize::new(SIZES[number as usize % SIZES.len()]).ok()?;
        let photo = world.photo(seed, number);
        let layers = photo.layers(size).layers;
        let photo = Photo::decode(&photo.jpeg(size).ok()?, &Limits::default()).ok()?;
        let image = WorkingImage::new(&photo);
        assert_eq!(layers.len(), image.lab().len(), "the picture is not reduced");
        let segments = Segments::of(&image);
        let features = region_features(&image, &segments);
        let mut regions: Vec<Region> =
            features.into_iter().map(|features| Region { features, pixels: [0.0; 4] }).collect();
        for (region, layer) in segments.regions.iter().zip(layers) {
            let class = match layer.surface() {
                Surface::Ground => 0,
                Surface::Vertical => 1,
                Surface::Sky => 2,
                Surface::Foliage => 3,
            };
            regions[*region as usize].pixels[class] += 1.0;
        }
        // Photos count alike, whatever their size.
        let pixels = image.lab().len() as f32;
        regions.iter_mut().for_each(|it| it.pixels.iter_mut().for_each(|it| *it /= pixels));
        Some(regions)
    };
    let found: Option<Vec<_>> = (0..photos).into_par_iter().map(regions).collect();
    found.ok_or_else(|| "a photo cannot be painted".into())
}

/// Weights under training, for standardised features; Adam.
struct Training {
    mean: [f32; FEATURES],
    deviation: [f32; FEATURES],
    weights: Vec<f32>,
    moments: [Vec<f32>; 2],
    steps: i32,
    random: ChaCha8Rng,
}

impl Training {
    fn new(regions: &[Region]) -> Self {
        let count = regions.len() as f32;
        let mut mean = [0.0; FEATURES];
        let mut deviation = [0.0; FEATURES];
        for at in 0..FEATURES {
            mean[at] = regions.iter().map(|it| it.features[at]).sum::<f32>() / count;
            let square = |it: &Region| (it.features[at] - mean[at]).powi(2);
            deviation[at] = (regions.iter().map(square).sum::<f32>() / count).sqrt().max(1e-3);
        }
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let weights: Vec<f32> =
            (0..SurfaceClassifier::PARAMETERS).map(|_| random.random_range(-0.2f32..0.2)).collect();
        let zero = vec![0.0; weights.len()];
        Self { mean, deviation, weights, moments: [zero.clone(), zero], steps: 0, random }
    }

    /// One pass over the regions; gives the mean loss.
    fn epoch(&mut self, regions: &[Region], rate: f32) -> f32 {
        let mut order: Vec<usize> = (0..regions.len()).collect();
        order.shuffle(&mut self.random);
        let mut total = [0.0f32; 2];
        for batch in order.chunks(BATCH) {
            let mut gradient = vec![0.0; self.weights.len()];
            let mut weight = 1e-9;
            for region in batch.iter().map(|at| &regions[*at]) {
                total[0] += self.add_gradient(region, &mut gradient);
                weight += region.pixels.iter().sum::<f32>();
            }
            total[1] += weight;
            gradient.iter_mut().for_each(|value| *value /= weight);
            self.step(&gradient, rate);
        }
        total[0] / total[1]
    }

    /// Adds a region's gradient of the cross entropy, weighted by its pixels; gives its loss.
    fn add_gradient(&self, region: &Region, gradient: &mut [f32]) -> f32 {
        let input: [f32; FEATURES] =
            std::array::from_fn(|at| (region.features[at] - self.mean[at]) / self.deviation[at]);
        let (bias, second) = (HIDDEN * FEATURES, HIDDEN * (FEATURES + 1));
        let last = second + 4 * HIDDEN;
        let weights = &self.weights;
        let hidden: [f32; HIDDEN] = std::array::from_fn(|unit| {
            let row = &weights[unit * FEATURES..][..FEATURES];
            let sum: f32 = row.iter().zip(input).map(|(weight, value)| weight * value).sum();
            (sum + weights[bias + unit]).tanh()
        });
        let scores: [f32; 4] = std::array::from_fn(|class| {
            let row = &weights[second + class * HIDDEN..][..HIDDEN];
            let sum: f32 = row.iter().zip(hidden).map(|(weight, value)| weight * value).sum();
            sum + weights[last + class]
        });
        let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = scores.iter().map(|score| (score - greatest).exp()).sum();
        let pixels: f32 = region.pixels.iter().sum();
        let mut back = [0.0; HIDDEN];
        let mut loss = 0.0;
        for class in 0..4 {
            let logarithm = scores[class] - greatest - total.ln();
            loss -= region.pixels[class] * logarithm;
            let error = pixels * logarithm.exp() - region.pixels[class];
            gradient[last + class] += error;
            for unit in 0..HIDDEN {
                gradient[second + class * HIDDEN + unit] += error * hidden[unit];
                back[unit] += error * weights[second + class * HIDDEN + unit];
            }
        }
        for unit in 0..HIDDEN {
            let error = back[unit] * (1.0 - hidden[unit] * hidden[unit]);
            gradient[bias + unit] += error;
            for at in 0..FEATURES {
                gradient[unit * FEATURES + at] += error * input[at];
            }
        }
        loss
    }

    fn step(&mut self, gradient: &[f32], rate: f32) {
        self.steps += 1;
        let [first, second] = &mut self.moments;
        let [correct, correct_square] =
            [0.9f32, 0.999].map(|decay| 1.0 / (1.0 - decay.powi(self.steps)));
        for at in 0..gradient.len() {
            first[at] = 0.9 * first[at] + 0.1 * gradient[at];
            second[at] = 0.999 * second[at] + 0.001 * gradient[at] * gradient[at];
            let root = (second[at] * correct_square).sqrt() + 1e-8;
            self.weights[at] -= rate * first[at] * correct / root;
        }
    }

    /// The weights for features as they are.
    fn folded(&self) -> Vec<f32> {
        let mut weights = self.weights.clone();
        for unit in 0..HIDDEN {
            for at in 0..FEATURES {
                let weight = &mut weights[unit * FEATURES + at];
                *weight /= self.deviation[at];
                let shift = *weight * self.mean[at];
                weights[HIDDEN * FEATURES + unit] -= shift;
            }
        }
        weights
    }
}

/// Share of pixels whose most probable surface is the right one, and how surfaces are confused.
fn report<'a>(classifier: &SurfaceClassifier, regions: impl Iterator<Item = &'a Region>) {
    let mut confusion = [[0.0f32; 4]; 4];
    for region in regions {
        let probabilities = classifier.of_region(&region.features);
        let best = (0..4).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
        for class in 0..4 {
            confusion[class][best.unwrap_or_default()] += region.pixels[class];
        }
    }
    let total: f32 = confusion.iter().flatten().sum();
    let right: f32 = (0..4).map(|class| confusion[class][class]).sum();
    println!("held out: {:.1} % of the pixels right", 100.0 * right / total);
    println!("rows: true surface; share of the picture, then where its pixels went (%)");
    for (row, class) in confusion.iter().zip(SurfaceClass::ALL) {
        let sum: f32 = row.iter().sum();
        let shares: Vec<String> =
            row.iter().map(|value| format!("{:6.1}", 100.0 * value / sum)).collect();
        println!("{:9} {:5.1}  {}", class.name(), 100.0 * sum / total, shares.join(" "));
    }
}

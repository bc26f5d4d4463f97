//! Can a small classifier read the cues from pixels? A perceptron with one hidden layer, trained
//! for seconds, stands for every network that could do better.

#![allow(clippy::print_stdout, reason = "whoever runs these wants to know how well it was read")]

use planet_world::{
    Cues, Nuisance, Picture, PictureSize, PlaceId, World, WorldParameters,
    cue::{Cue, Scene},
    paint,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Pixels of a photo as numbers round zero.
type Input = Vec<f32>;

/// One hidden layer of rectified units, softmax on top, gradient descent photo by photo.
struct Perceptron {
    hidden: Vec<Vec<f32>>,
    out: Vec<Vec<f32>>,
}

const HIDDEN: usize = 96;

impl Perceptron {
    fn new(inputs: usize, classes: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut layer = |rows: usize, columns: usize| -> Vec<Vec<f32>> {
            let scale = (3.0 / columns as f32).sqrt();
            let row = |rng: &mut ChaCha8Rng| {
                (0..=columns).map(|_| rng.random_range(-scale..scale)).collect()
            };
            (0..rows).map(|_| row(rng)).collect()
        };
        Self { hidden: layer(HIDDEN, inputs), out: layer(classes, HIDDEN) }
    }

    fn forward(&self, input: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let dot = |row: &Vec<f32>, x: &[f32]| {
            row[..x.len()].iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + row[x.len()]
        };
        let hidden: Vec<f32> = self.hidden.iter().map(|row| dot(row, input).max(0.0)).collect();
        let scores: Vec<f32> = self.out.iter().map(|row| dot(row, &hidden)).collect();
        (hidden, scores)
    }

    fn train(&mut self, input: &[f32], class: usize, rate: f32) {
        let (hidden, scores) = self.forward(input);
        let greatest = scores.iter().copied().fold(f32::MIN, f32::max);
        let exps: Vec<f32> = scores.iter().map(|score| (score - greatest).exp()).collect();
        let total: f32 = exps.iter().sum();
        let mut back = vec![0.0; HIDDEN];
        for (row, (index, exp)) in self.out.iter_mut().zip(exps.iter().enumerate()) {
            let error = exp / total - f32::from(u8::from(index == class));
            for ((weight, hidden), back) in row.iter_mut().zip(&hidden).zip(&mut back) {
                *back += error * *weight;
                *weight -= rate * error * hidden;
            }
            row[HIDDEN] -= rate * error;
        }
        for (row, (back, hidden)) in self.hidden.iter_mut().zip(back.iter().zip(&hidden)) {
            if *hidden > 0.0 {
                let step = rate * back;
                row.iter_mut().zip(input).for_each(|(weight, x)| *weight -= step * x);
                row[input.len()] -= step;
            }
        }
    }

    fn answer(&self, input: &[f32]) -> usize {
        let scores = self.forward(input).1;
        (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).expect("classes")
    }
}

/// A part of a picture (shares of width and height), averaged down to so many pixels.
fn look(
    picture: &Picture,
    [left, right, top, bottom]: [f32; 4],
    [wide, high]: [usize; 2],
) -> Input {
    let mut sums = vec![0.0; wide * high * 3];
    let mut counts = vec![0.0_f32; wide * high];
    for y in 0..picture.height as usize {
        for x in 0..picture.width as usize {
            let (u, v) = (x as f32 / picture.width as f32, y as f32 / picture.height as f32);
            let (u, v) = ((u - left) / (right - left), (v - top) / (bottom - top));
            if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                let cell = (v * high as f32) as usize * wide + (u * wide as f32) as usize;
                counts[cell] += 1.0;
                for channel in 0..3 {
                    let byte = picture.rgb[3 * (y * picture.width as usize + x) + channel];
                    sums[3 * cell + channel] += f32::from(byte) / 127.5 - 1.0;
                }
            }
        }
    }
    sums.iter().enumerate().map(|(i, sum)| sum / counts[i / 3].max(1.0)).collect()
}

/// Trains on photos of a scene whose one cue is drawn evenly, and returns the share of others
/// that is read rightly.
fn legibility(
    scene: Scene,
    photos: usize,
    view: ([f32; 4], [usize; 2]),
    classes: usize,
    put: impl Fn(&mut Cues, &mut ChaCha8Rng) -> usize + Sync,
) -> f64 {
    let world = World::draw(WorldParameters::new(0)).expect("a world");
    let size = PictureSize::new(128).expect("a size");
    let photo = |number: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(number);
        let mut cues = loop {
            let place = PlaceId(rng.random_range(0..2000));
            let cues = world.draw_cues(place, &mut rng);
            if cues.scene == scene {
                break cues;
            }
        };
        let class = put(&mut cues, &mut rng);
        let picture = paint(&cues, &Nuisance::draw(&mut rng), size);
        (look(&picture, view.0, view.1), class)
    };
    let train: Vec<(Input, usize)> = (0..photos as u64).into_par_iter().map(photo).collect();
    let test: Vec<(Input, usize)> =
        (1 << 40..(1 << 40) + 2000).into_par_iter().map(photo).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut perceptron = Perceptron::new(train[0].0.len(), classes, &mut rng);
    for rate in [0.003, 0.003, 0.003, 0.002, 0.002, 0.001, 0.001, 0.0003] {
        for (input, class) in &train {
            perceptron.train(input, *class, rate);
        }
    }
    let right = test.iter().filter(|(input, class)| perceptron.answer(input) == *class).count();
    right as f64 / test.len() as f64
}

/// A value of a cue, each as often as any other.
fn any<C: Cue>(rng: &mut ChaCha8Rng) -> C {
    C::from_index(rng.random_range(0..C::COUNT))
}

const ALL: [f32; 4] = [0.0, 1.0, 0.0, 1.0];

#[test]
#[ignore = "trains for a minute: cargo test -p planet-world --release --test legibility -- --ignored --nocapture"]
fn the_driving_side_can_be_read_from_pixels() {
    let right = legibility(Scene::Street, 4000, (ALL, [32, 32]), 2, |cues, rng| {
        let side: planet_world::cue::DrivingSide = any(rng);
        cues.side = Some(side);
        side.index()
    });
    println!("driving side: {right:.3}");
    assert!(right > 0.98, "{right}");
}

#[test]
#[ignore = "trains for minutes: cargo test -p planet-world --release --test legibility -- --ignored --nocapture"]
fn the_script_can_be_read_from_pixels() {
    use planet_world::cue::Script;
    // A building's sign lies on its wall, or hangs at its right.
    let part = [0.1, 0.9, 0.3, 0.75];
    let right =
        legibility(Scene::Building, 16_000, (part, [48, 24]), Script::COUNT, |cues, rng| {
            let script: Script = any(rng);
            cues.script = Some(script);
            script.index()
        });
    println!("script: {right:.3}");
    assert!(right > 0.8, "{right}");
}

#[test]
#[ignore = "trains for minutes: cargo test -p planet-world --release --test legibility -- --ignored --nocapture"]
fn the_parts_of_an_emblem_can_be_read_from_pixels() {
    use planet_world::cue::{Banner, Emblem, EmblemColour, EmblemShape};
    let put = |cues: &mut Cues, rng: &mut ChaCha8Rng| {
        let emblem: Emblem = any(rng);
        cues.emblem = Some(emblem);
        emblem
    };
    let view = (ALL, [32, 32]);
    let read = |classes, part: &(dyn Fn(Emblem) -> usize + Sync)| {
        legibility(Scene::Landmark, 12_000, view, classes, |cues, rng| part(put(cues, rng)))
    };
    let shape = read(EmblemShape::COUNT, &|emblem| emblem.shape.index());
    let colour = read(EmblemColour::COUNT, &|emblem| emblem.colour.index());
    let banner = read(Banner::COUNT, &|emblem| emblem.banner.index());
    println!("emblem: shape {shape:.3}, colour {colour:.3}, banner {banner:.3}");
    assert!(shape > 0.9 && colour > 0.9 && banner > 0.9, "{shape} {colour} {banner}");
}

//! From cues to pixels. Nothing here knows of places: a picture shows its cues and, besides,
//! only what [`Nuisance`] draws alike for all places.

mod animals;
mod beach;
mod building;
mod colour;
mod emblems;
mod glyphs;
mod landmark;
mod landscape;
mod nature;
mod non_photos;
mod pen;
mod plain;
mod print;
mod sky;
mod street;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tiny_skia::Pixmap;

use crate::{
    WorldError,
    cue::Scene,
    cues::Cues,
    layer::{Layer, LayerMap},
};
pub use non_photos::{NonPhoto, paint_non_photo};
use pen::{Ink, Pen};

/// Shape of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 4:3.
    Landscape,
    /// 3:4.
    Portrait,
}

/// Everything in a picture that is no cue to the place: drawn alike for all places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nuisance {
    /// Seed of where things stand, of what people wear, of the grain.
    pub seed: u64,
    /// Shape of the picture.
    pub format: Format,
    /// How far the camera was held askew, in degrees.
    pub tilt: f32,
    /// Brightness, as a factor.
    pub exposure: f32,
    /// Red over blue: positive is warmer.
    pub warmth: f32,
    /// Share of the mist that lies over what is far.
    pub haze: f32,
    /// Whether it rains under a clouded sky.
    pub rain: bool,
    /// Standard deviation of the sensor's noise, of 255.
    pub noise: f32,
}

impl Nuisance {
    /// As photos usually differ.
    pub fn draw(rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut around = |spread: f32| rng.random_range(-spread..=spread);
        let (tilt, exposure, warmth) = (around(3.0), 1.0 + around(0.15), around(0.06));
        Self {
            seed: rng.random(),
            format: if rng.random_bool(0.8) { Format::Landscape } else { Format::Portrait },
            tilt,
            exposure,
            warmth,
            haze: rng.random_range(0.0..0.3),
            rain: rng.random_bool(0.3),
            noise: rng.random_range(1.0..5.0),
        }
    }
}

/// Length of a picture's longer side in pixels: 64 to 640.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize(u32);

impl PictureSize {
    /// A size from the longer side's pixels.
    ///
    /// # Errors
    /// A number outside 64..=640.
    pub fn new(pixels: u32) -> Result<Self, WorldError> {
        if !(64..=640).contains(&pixels) {
            let value = pixels.to_string();
            return Err(WorldError::Parameter { name: "size", value, range: "64..=640" });
        }
        Ok(Self(pixels))
    }

    /// The longer side in pixels.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Width and height of a picture of that shape.
    pub fn of(self, format: Format) -> (u32, u32) {
        let short = (self.0 * 3).div_ceil(4);
        match format {
            Format::Landscape => (self.0, short),
            Format::Portrait => (short, self.0),
        }
    }
}

/// Pixels of a painted photo: upright RGB, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `[height, width, 3]`
    pub rgb: Vec<u8>,
}

/// Paints what a photo shows. The place is not among the arguments: the pixels carry nothing of
/// it beyond the cues, which is what makes the posterior given the cues the best there is.
pub fn paint(cues: &Cues, nuisance: &Nuisance, size: PictureSize) -> Picture {
    let (pixmap, mut rng) = drawn(cues, nuisance, size, Ink::Colours);
    let rgb = print::develop(&pixmap, nuisance, &mut rng);
    Picture { width: pixmap.width(), height: pixmap.height(), rgb }
}

/// Says for every pixel of the picture that [`paint`] makes of the same arguments what it shows.
/// Mist and rain, which only tint, and the sensor's noise are not heeded.
pub fn paint_layers(cues: &Cues, nuisance: &Nuisance, size: PictureSize) -> LayerMap {
    let (pixmap, _) = drawn(cues, nuisance, size, Ink::Layers(None));
    let layer = |pixel: &[u8]| Layer::ALL[usize::from(pixel[0]).min(Layer::ALL.len() - 1)];
    let layers = pixmap.data().chunks_exact(4).map(layer).collect();
    LayerMap { width: pixmap.width(), height: pixmap.height(), layers }
}

/// The canvas, and the random numbers from where the painter stopped.
fn drawn(cues: &Cues, nuisance: &Nuisance, size: PictureSize, ink: Ink) -> (Pixmap, ChaCha8Rng) {
    let (width, height) = size.of(nuisance.format);
    let mut pixmap = Pixmap::new(width, height).expect("a picture's sides are 48 to 640 pixels");
    let mut stage = Stage {
        half: width as f32 / height as f32 / 2.0,
        pen: Pen::new(&mut pixmap, nuisance.tilt, ink),
        rng: ChaCha8Rng::seed_from_u64(nuisance.seed),
        cues,
        nuisance,
    };
    match cues.scene {
        Scene::Landmark => landmark::paint(&mut stage),
        Scene::Street => street::paint(&mut stage),
        Scene::Landscape => landscape::paint(&mut stage),
        Scene::Beach => beach::paint(&mut stage),
        Scene::Building => building::paint(&mut stage),
        Scene::Wildlife => animals::paint(&mut stage),
        Scene::Portrait => plain::portrait(&mut stage),
        Scene::Pet => plain::pet(&mut stage),
        Scene::Food => plain::food(&mut stage),
        Scene::Indoor => plain::indoor(&mut stage),
    }
    let rng = stage.rng;
    (pixmap, rng)
}

/// One picture in the making.
struct Stage<'s> {
    pen: Pen<'s>,
    rng: ChaCha8Rng,
    cues: &'s Cues,
    nuisance: &'s Nuisance,
    /// Half the picture's width, in heights.
    half: f32,
}

impl Stage<'_> {
    /// A number within a range, for where things stand and how large they are.
    fn any(&mut self, from: f32, to: f32) -> f32 {
        self.rng.random_range(from..to)
    }

    /// One of some things.
    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.rng.random_range(0..things.len())]
    }

    fn coin(&mut self) -> bool {
        self.rng.random_bool(0.5)
    }

    /// Size of things: smaller in a narrow picture.
    fn unit(&self) -> f32 {
        (2.0 * self.half).min(1.0)
    }

    /// A position across, −1 the left edge, 1 the right one.
    fn across(&self, share: f32) -> f32 {
        share * self.half
    }
}

/// A cue that the scene always shows.
///
/// # Panics
/// When it is missing: [`Cues`] are made by the world or read with a check.
fn shown<C>(cue: Option<C>) -> C {
    cue.expect("cues hold every cue that their scene shows")
}

//! Pictures that are no photographs, as real libraries hold them.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tiny_skia::Pixmap;

use super::{
    Picture, PictureSize,
    colour::{BLACK, BLUE, Colour, GREEN, ORANGE, PURPLE, RED, WHITE, YELLOW},
    pen::{Ink, Pen},
};

/// A kind of picture that is no photograph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NonPhoto {
    /// A chart on white.
    Chart,
    /// A flat drawing on white.
    ClipArt,
    /// The screen of a phone.
    Screenshot,
}

impl NonPhoto {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Chart, Self::ClipArt, Self::Screenshot];
}

const COLOURS: [Colour; 6] = [RED, BLUE, GREEN, YELLOW, PURPLE, ORANGE];

/// Paints a picture that is no photograph; without noise, light or tilt, as they are made.
pub fn paint_non_photo(graphic: NonPhoto, seed: u64, size: PictureSize) -> Picture {
    let long = size.get();
    let short = (long * 9).div_ceil(16);
    let (width, height) = match graphic {
        NonPhoto::Chart => (long, (long * 3).div_ceil(4)),
        NonPhoto::ClipArt => (long, long),
        NonPhoto::Screenshot => (short, long),
    };
    let mut pixmap = Pixmap::new(width, height).expect("a picture's sides are 36 to 640 pixels");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let half = width as f32 / height as f32 / 2.0;
    let mut pen = Pen::new(&mut pixmap, 0.0, Ink::Colours);
    match graphic {
        NonPhoto::Chart => chart(&mut pen, half, &mut rng),
        NonPhoto::ClipArt => clip_art(&mut pen, &mut rng),
        NonPhoto::Screenshot => screenshot(&mut pen, half, &mut rng),
    }
    let rgb = pixmap.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    Picture { width, height, rgb }
}

fn paper(pen: &mut Pen<'_>, colour: Colour) {
    pen.rect([-2.0, -0.5], [2.0, 1.5], colour);
}

fn chart(pen: &mut Pen<'_>, half: f32, rng: &mut ChaCha8Rng) {
    paper(pen, Colour::hex(0xffffff));
    let (left, right, bottom, top) = (-0.82 * half, 0.9 * half, 0.14, 0.84);
    for line in 0..5 {
        let y = bottom + (top - bottom) * line as f32 / 4.0;
        pen.line(&[[left, y], [right, y]], 0.004, Colour::hex(0xd0d0d0));
    }
    let bars = rng.random_range(4..9);
    let step = (right - left) / bars as f32;
    let colour = COLOURS[rng.random_range(0..COLOURS.len())];
    let values: Vec<f32> = (0..bars).map(|_| rng.random_range(0.1..1.0)).collect();
    let at = |bar: usize| [left + step * (bar as f32 + 0.5), bottom + (top - bottom) * values[bar]];
    if rng.random_bool(0.5) {
        for bar in 0..bars {
            let [x, y] = at(bar);
            pen.rect([x - 0.35 * step, bottom], [x + 0.35 * step, y], colour);
        }
    } else {
        let points: Vec<_> = (0..bars).map(at).collect();
        pen.line(&points, 0.014, colour);
        points.iter().for_each(|point| pen.circle(*point, 0.018, colour.dark(0.2)));
    }
    pen.line(&[[left, top], [left, bottom], [right, bottom]], 0.01, BLACK);
    pen.rect([-0.4 * half, 0.90], [0.4 * half, 0.94], Colour::hex(0x606060));
}

fn clip_art(pen: &mut Pen<'_>, rng: &mut ChaCha8Rng) {
    paper(pen, Colour::hex(0xffffff));
    let mut colour = || COLOURS[rng.random_range(0..COLOURS.len())];
    let (first, second) = (colour(), colour());
    match rng.random_range(0..3) {
        0 => {
            // A star.
            let corners: Vec<_> = (0..10)
                .map(|corner| {
                    let (up, across) =
                        (std::f32::consts::PI * (0.5 + corner as f32 / 5.0)).sin_cos();
                    let radius = if corner % 2 == 0 { 0.42 } else { 0.18 };
                    [radius * across, 0.5 + radius * up]
                })
                .collect();
            pen.fill(&corners, first);
        }
        1 => {
            // A face.
            pen.circle([0.0, 0.5], 0.40, BLACK);
            pen.circle([0.0, 0.5], 0.37, first);
            pen.circle([-0.13, 0.6], 0.05, BLACK);
            pen.circle([0.13, 0.6], 0.05, BLACK);
            pen.chain([-0.2, 0.42], [0.2, 0.42], 0.09, 0.035, BLACK);
        }
        _ => {
            // A house.
            pen.rect([-0.28, 0.12], [0.28, 0.55], first);
            pen.fill(&[[-0.38, 0.55], [0.0, 0.9], [0.38, 0.55]], second);
            pen.rect([-0.08, 0.12], [0.08, 0.36], WHITE);
        }
    }
}

fn screenshot(pen: &mut Pen<'_>, half: f32, rng: &mut ChaCha8Rng) {
    let dark = rng.random_bool(0.4);
    let (ground, text) = if dark {
        (Colour::hex(0x18181c), Colour::hex(0xa8a8b0))
    } else {
        (Colour::hex(0xf8f8fa), Colour::hex(0x505058))
    };
    paper(pen, ground);
    let accent = COLOURS[rng.random_range(0..COLOURS.len())];
    pen.rect([-half, 0.90], [half, 1.0], accent);
    pen.rect([-0.85 * half, 0.935], [0.1 * half, 0.965], WHITE);
    for row in 0..7 {
        let y = 0.80 - 0.115 * row as f32;
        pen.circle([-0.76 * half, y], 0.032, COLOURS[rng.random_range(0..COLOURS.len())]);
        for line in 0..2 {
            let y = y + 0.012 - 0.03 * line as f32;
            let end = rng.random_range(-0.1..0.85) * half;
            pen.rect([-0.58 * half, y], [end, y + 0.014], text);
        }
    }
    pen.circle([0.7 * half, 0.09], 0.05, accent);
}

use std::collections::HashMap;

use crate::Photo;

/// From this score on a picture is taken for a photograph.
pub const PHOTOGRAPH_FROM: f32 = 0.5;

/// How sure it is that these pixels are a photograph: 0 surely not (a chart, a screenshot, a
/// scan of text, clip-art), 1 surely. No training: three measures of how a picture was made.
///
/// A lens and a sensor leave hardly two equal neighbours and spread colours wide; a program
/// fills areas with one colour and uses few of them. Each measure says how far it speaks for a
/// photograph, the least sure two decide. Measured in BENCHMARKS.md, "Photos and datasets".
pub fn photo_score(photo: &Photo) -> f32 {
    let measures = Measures::of(photo);
    let mut votes = [
        // Share of equal neighbours: a clear sky saved as JPEG reaches 0.5, a chart 0.9.
        falling(measures.equal_neighbours, 0.55, 0.90),
        // Share of the most common colour: paper and backgrounds fill half a picture.
        falling(measures.commonest, 0.35, 0.75),
        // Colours that cover nine tenths, in doublings.
        1.0 - falling(measures.colours.log2(), 2.5, 5.0),
    ];
    votes.sort_by(f32::total_cmp);
    (votes[0] + votes[1]) / 2.0
}

/// 1 up to `from`, 0 from `to` on, straight between.
fn falling(value: f32, from: f32, to: f32) -> f32 {
    ((to - value) / (to - from)).clamp(0.0, 1.0)
}

struct Measures {
    /// Share of pixels that equal their right neighbour within two levels a channel, 0..=1.
    equal_neighbours: f32,
    /// Share of the pixels that have the most common of 4096 colours, 0..=1.
    commonest: f32,
    /// How many of 4096 colours cover nine tenths of the pixels, at least 1.
    colours: f32,
}

impl Measures {
    /// Looks at no more than about a quarter of a million pixels, in whole rows and unresized:
    /// resizing would blur what tells a program from a lens.
    fn of(photo: &Photo) -> Self {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let step = (width * height / (1 << 18)).max(1);
        let mut equal = 0_u64;
        let mut pairs = 0_u64;
        let mut counts: HashMap<u16, u32> = HashMap::new();
        for row in photo.pixels().chunks_exact(3 * width).step_by(step) {
            let (pixels, _) = row.as_chunks::<3>();
            for pixel in pixels {
                let [red, green, blue] = pixel.map(|level| u16::from(level >> 4));
                *counts.entry(red << 8 | green << 4 | blue).or_default() += 1;
            }
            for pair in pixels.windows(2) {
                let apart = pair[0].iter().zip(pair[1]).map(|(a, b)| a.abs_diff(b)).max();
                equal += u64::from(apart.is_some_and(|apart| apart <= 2));
                pairs += 1;
            }
        }
        let mut counts: Vec<u32> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let all: u32 = counts.iter().sum();
        let mut covered = 0;
        let enough = |&count: &u32| {
            let before = covered;
            covered += count;
            f64::from(before) < 0.9 * f64::from(all)
        };
        let colours = counts.iter().copied().take_while(enough).count();
        Self {
            equal_neighbours: equal as f32 / pairs.max(1) as f32,
            commonest: counts.first().map_or(1.0, |&most| most as f32 / all as f32),
            colours: colours.max(1) as f32,
        }
    }
}

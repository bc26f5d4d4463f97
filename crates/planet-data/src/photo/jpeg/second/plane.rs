//! Coefficients and samples of the components.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use super::super::frame::Frame;

/// Samples of one component, padded to whole MCUs.
pub(super) struct Plane {
    pub(super) samples: Vec<u8>,
    pub(super) stride: usize,
}

/// All components while scans come in. A sequential file's blocks are complete when they come and
/// become samples at once; a progressive file's coefficients are kept until the end.
pub(super) struct Planes {
    components: Vec<Blocks>,
    transform: Transform,
}

struct Blocks {
    /// Blocks in a row.
    columns: usize,
    table: [u16; 64],
    content: Content,
}

enum Content {
    Samples(Vec<u8>),
    Coefficients(Vec<[i16; 64]>),
}

impl Planes {
    /// Nothing decoded yet: middle grey.
    pub(super) fn new(frame: &Frame) -> Self {
        let [columns, rows] = frame.mcus();
        let blocks = |component: &super::super::frame::Component| {
            let (columns, rows) = (columns * component.h, rows * component.v);
            let content = if frame.is_progressive() {
                Content::Coefficients(vec![[0; 64]; columns * rows])
            } else {
                Content::Samples(vec![128; 64 * columns * rows])
            };
            Blocks { columns, table: [0; 64], content }
        };
        Self {
            components: frame.components.iter().map(blocks).collect(),
            transform: Transform::new(),
        }
    }

    /// Sets the table by which a component's coefficients are multiplied.
    pub(super) fn set_table(&mut self, component: usize, table: [u16; 64]) {
        self.components[component].table = table;
    }

    /// Lets a block be decoded or refined.
    pub(super) fn update(
        &mut self,
        component: usize,
        [x, y]: [usize; 2],
        decode: impl FnOnce(&mut [i16; 64]) -> Option<()>,
    ) -> Option<()> {
        let blocks = &mut self.components[component];
        match &mut blocks.content {
            Content::Coefficients(all) => decode(all.get_mut(y * blocks.columns + x)?),
            Content::Samples(samples) => {
                let mut block = [0; 64];
                decode(&mut block)?;
                let pixels = self.transform.inverse(&block, &blocks.table);
                put(samples, 8 * blocks.columns, [x, y], &pixels);
                Some(())
            }
        }
    }

    /// Takes back what a first pass from coefficient `first` on brought for a block.
    pub(super) fn erase(&mut self, component: usize, [x, y]: [usize; 2], first: usize) {
        let blocks = &mut self.components[component];
        match &mut blocks.content {
            Content::Coefficients(all) => {
                if let Some(block) = all.get_mut(y * blocks.columns + x)
                    && first == 0
                {
                    *block = [0; 64];
                }
            }
            Content::Samples(samples) => put(samples, 8 * blocks.columns, [x, y], &[128; 64]),
        }
    }

    /// The samples of all components.
    pub(super) fn finished(self) -> Vec<Plane> {
        let finish = |blocks: Blocks| {
            let stride = 8 * blocks.columns;
            let samples = match blocks.content {
                Content::Samples(samples) => samples,
                Content::Coefficients(all) => {
                    let mut samples = vec![0; 64 * all.len()];
                    for (at, block) in all.iter().enumerate() {
                        let pixels = self.transform.inverse(block, &blocks.table);
                        put(
                            &mut samples,
                            stride,
                            [at % blocks.columns, at / blocks.columns],
                            &pixels,
                        );
                    }
                    samples
                }
            };
            Plane { samples, stride }
        };
        self.components.into_iter().map(finish).collect()
    }
}

fn put(samples: &mut [u8], stride: usize, [x, y]: [usize; 2], pixels: &[u8; 64]) {
    for (row, pixels) in pixels.as_chunks::<8>().0.iter().enumerate() {
        let at = (8 * y + row) * stride + 8 * x;
        samples[at..at + 8].copy_from_slice(pixels);
    }
}

/// The inverse cosine transform (T.81, A.3.3), first along the columns, then along the rows.
struct Transform {
    /// For frequency and place: half of the frequency's scale times its cosine.
    waves: [[f32; 8]; 8],
}

impl Transform {
    fn new() -> Self {
        let waves = std::array::from_fn(|frequency| {
            std::array::from_fn(|place| {
                let scale = if frequency == 0 { FRAC_1_SQRT_2 } else { 1.0 };
                let angle = (2 * place + 1) as f32 * frequency as f32 * PI / 16.0;
                scale / 2.0 * angle.cos()
            })
        });
        Self { waves }
    }

    fn inverse(&self, block: &[i16; 64], table: &[u16; 64]) -> [u8; 64] {
        let value = |at: usize| f32::from(block[at]) * f32::from(table[at]);
        if block[1..].iter().all(|&coefficient| coefficient == 0) {
            return [sample(value(0) / 8.0); 64];
        }
        let mut half = [[0.0_f32; 8]; 8];
        for (frequency, waves) in self.waves.iter().enumerate() {
            for column in 0..8 {
                let amplitude = value(8 * frequency + column);
                if amplitude != 0.0 {
                    for (row, wave) in half.iter_mut().zip(waves) {
                        row[column] += amplitude * wave;
                    }
                }
            }
        }
        let mut pixels = [0; 64];
        for (row, pixels) in half.iter().zip(pixels.as_chunks_mut::<8>().0) {
            let mut sums = [0.0_f32; 8];
            for (amplitude, waves) in row.iter().zip(&self.waves) {
                for (sum, wave) in sums.iter_mut().zip(waves) {
                    *sum += amplitude * wave;
                }
            }
            *pixels = sums.map(sample);
        }
        pixels
    }
}

/// Undoes the level shift and rounds.
fn sample(value: f32) -> u8 {
    (value + 128.0).round().clamp(0.0, 255.0) as u8
}

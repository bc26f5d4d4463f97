use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{
    Aligned, Curve, Source, Target, View, Window, Workers, arch,
    pack::{MOST_VECTORS, Packed, Panel},
    tile::{Inputs, Place, tile},
};

/// A convolution over all channels: sums of products, straight from the image. No windows are
/// copied: a tile of outputs has pointers to the pixels under its windows.
#[derive(Debug)]
pub(in crate::native) struct Convolution {
    pub(in crate::native) window: Window,
    inputs: usize,
    pub(in crate::native) outputs: usize,
    weights: Packed,
    /// One number an output, and room for a tile of vectors behind the last.
    bias: Aligned,
    pub(in crate::native) curve: Curve,
    /// Pixels of padding under one row of the window.
    zeros: Vec<f32>,
}

/// Room behind the last output for vectors of this many numbers: 16 is the most that any processor has.
const BEHIND: usize = MOST_VECTORS * 16;

impl Convolution {
    /// Of weights `[outputs, inputs, kernel height, kernel width]` and a constant for each output.
    pub(in crate::native) fn new(
        weights: &[f32],
        [outputs, inputs]: [usize; 2],
        bias: &[f32],
        window: Window,
        curve: Curve,
    ) -> Self {
        let mut padded = Aligned::zeros(outputs + BEHIND);
        padded.values_mut()[..bias.len()].copy_from_slice(bias);
        let weights = Packed::new(weights, [outputs, inputs, window.taps()]);
        let zeros = vec![0.0; window.kernel[1] * inputs];
        Self { window, inputs, outputs, weights, bias: padded, curve, zeros }
    }

    /// Channels that it reads.
    pub(in crate::native) fn inputs(&self) -> usize {
        self.inputs
    }

    /// The convolution of all photos.
    pub(in crate::native) fn run(&self, from: Source<'_>, to: Target<'_>, workers: &Workers) {
        let (pixels, panels) = (to.pixels(), self.weights.panels().len());
        assert_eq!((from.view.channels, to.view.channels), (self.inputs, self.outputs));
        assert_eq!(
            self.window.places([from.view.height, from.view.width]),
            Some([to.view.height, to.view.width]),
            "shapes were planned"
        );
        assert!(to.photos * from.view.per_photo() <= from.values.len(), "the input is whole");
        assert!(to.photos * to.view.per_photo() <= to.values.len(), "the output is whole");
        let [across, along] = self.grid(from.view, pixels, workers);
        let (photos, view, values) = (to.photos, to.view, Shared(to.values.as_mut_ptr()));
        workers.each(across * along, |task| {
            let part = |at: usize, of: usize, all: usize| at * all / of..(at + 1) * all / of;
            // Whole tiles, so that only the last task has a short one.
            let tiles = part(task % across, across, pixels.div_ceil(TILE));
            let pixels = tiles.start * TILE..(tiles.end * TILE).min(pixels);
            let panels = part(task / across, along, panels);
            let to = values.pointer();
            let panels = &self.weights.panels()[panels];
            arch().dispatch(Task { layer: self, from, to, view, photos, pixels, panels });
        });
    }

    /// Into how many parts pixels and panels of outputs are cut. Threads that share no weights
    /// read each of them once, which counts for small images with many channels.
    fn grid(&self, from: View, pixels: usize, workers: &Workers) -> [usize; 2] {
        let depth = self.inputs * self.window.taps();
        let tasks = workers.tasks(pixels * depth * self.outputs);
        let (tiles, panels) = (pixels.div_ceil(TILE), self.weights.panels().len());
        if depth * self.outputs > from.pixels() * self.inputs {
            let along = panels.min(tasks);
            [tasks.div_ceil(along).min(tiles), along]
        } else {
            let across = tiles.min(tasks.max(pixels.div_ceil(MOST_PIXELS)));
            [across, tasks.div_ceil(across).min(panels)]
        }
    }
}

/// Pixels of a tile on processors with many registers.
const TILE: usize = 8;

/// Pixels of a task: all that they are computed from stays in the cache while the panels of weights
/// pass by.
const MOST_PIXELS: usize = 512;

/// Memory into which tasks write different numbers.
struct Shared(*mut f32);

#[allow(unsafe_code, reason = "tasks write other pixels or other channels of one image")]
// SAFETY: `Convolution::run` gives each task its own pixels and panels, and waits for all of them.
unsafe impl Sync for Shared {}

#[allow(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn pointer(&self) -> *mut f32 {
        self.0
    }
}

/// Some outputs of some pixels.
struct Task<'a> {
    layer: &'a Convolution,
    from: Source<'a>,
    to: *mut f32,
    view: View,
    photos: usize,
    /// Pixels of the output, counted through the photos.
    pixels: Range<usize>,
    panels: &'a [Panel],
}

/// Some pixels whose sums are computed together, with where they read.
struct Tile {
    first: usize,
    pixels: usize,
    /// Pixels that are computed: those, and copies of the last.
    rows: usize,
    /// Where its pointers begin.
    starts: usize,
    segments: usize,
    length: usize,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let most = if S::REGISTER_COUNT >= 32 { TILE } else { TILE / 2 };
        let mut starts = Vec::new();
        let tiles = self.tiles(most, &mut starts);
        for panel in self.panels {
            for tile in &tiles {
                match (panel.vectors, tile.rows) {
                    (3, 8) if most == 8 => self.compute::<S, 8, 3>(simd, tile, panel, &starts),
                    (3, 4) => self.compute::<S, 4, 3>(simd, tile, panel, &starts),
                    (3, 2) => self.compute::<S, 2, 3>(simd, tile, panel, &starts),
                    (3, 1) => self.compute::<S, 1, 3>(simd, tile, panel, &starts),
                    (2, 8) if most == 8 => self.compute::<S, 8, 2>(simd, tile, panel, &starts),
                    (2, 4) => self.compute::<S, 4, 2>(simd, tile, panel, &starts),
                    (2, 2) => self.compute::<S, 2, 2>(simd, tile, panel, &starts),
                    (2, 1) => self.compute::<S, 1, 2>(simd, tile, panel, &starts),
                    (1, 8) if most == 8 => self.compute::<S, 8, 1>(simd, tile, panel, &starts),
                    (1, 4) => self.compute::<S, 4, 1>(simd, tile, panel, &starts),
                    (1, 2) => self.compute::<S, 2, 1>(simd, tile, panel, &starts),
                    (1, 1) => self.compute::<S, 1, 1>(simd, tile, panel, &starts),
                    _ => unreachable!("tiles have 8, 4, 2 or 1 rows, panels 1 to 3 vectors"),
                }
            }
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    #[allow(
        unsafe_code,
        reason = "the tile reads by pointers that were checked when they were made"
    )]
    fn compute<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        tile_: &Tile,
        panel: &Panel,
        starts: &[*const f32],
    ) {
        let layer = self.layer;
        let starts = &starts[tile_.starts..][..tile_.segments * ROWS];
        let inputs =
            Inputs { starts: starts.as_ptr(), segments: tile_.segments, length: tile_.length };
        let weights = layer.weights.of(panel);
        let bias = &layer.bias.values()[panel.first..][..VECTORS * S::F32_LANES];
        assert!(tile_.segments * tile_.length * VECTORS * S::F32_LANES <= weights.len());
        let at = tile_.first * self.view.step + self.view.first + panel.first;
        // SAFETY: `Convolution::run` checked that the whole output lies in its memory, in which no
        // other task has these pixels and outputs; `tiles` made `segments · ROWS` pointers, each
        // to `length` numbers of the input or of the zeros; weights and bias were measured above.
        unsafe {
            let place = Place {
                first: self.to.add(at),
                step: self.view.step,
                pixels: tile_.pixels,
                outputs: panel.outputs,
            };
            tile::<S, ROWS, VECTORS>(
                simd,
                &inputs,
                weights.as_ptr(),
                bias.as_ptr(),
                layer.curve,
                &place,
            );
        }
    }

    /// The tiles of the task's pixels, and their pointers.
    #[inline(always)]
    fn tiles(&self, most: usize, starts: &mut Vec<*const f32>) -> Vec<Tile> {
        let mut tiles = Vec::with_capacity(self.pixels.len().div_ceil(most));
        let mut spot = Spot::of(self, self.pixels.start);
        let mut first = self.pixels.start;
        while first < self.pixels.end {
            let left = self.pixels.end - first;
            let rows = if left > most / 2 { most } else { left.next_power_of_two() };
            let pixels = left.min(rows);
            let mut spots = [spot; TILE];
            for (row, place) in spots.iter_mut().enumerate().take(rows) {
                *place = spot;
                // Behind the task's last pixel its place is repeated.
                if row + 1 < left {
                    spot = spot.next(self);
                }
            }
            let start = starts.len();
            let (segments, length) = self.point(&spots[..rows], starts);
            tiles.push(Tile { first, pixels, rows, starts: start, segments, length });
            first += pixels;
        }
        tiles
    }

    /// Pointers to what lies under the windows at these places: under each of their rows where
    /// that lies together, else under each of their pixels. Gives the number of segments and the
    /// numbers in each.
    #[inline(always)]
    fn point(&self, spots: &[Spot], starts: &mut Vec<*const f32>) -> (usize, usize) {
        let Source { values, view } = self.from;
        let [kh, kw] = self.layer.window.kernel;
        let zeros = self.layer.zeros.as_ptr();
        let right = view.width as isize - kw as isize;
        let together = (view.step == view.channels || kw == 1)
            && spots.iter().all(|spot| spot.left >= 0 && spot.left <= right);
        let columns = if together { 1 } else { kw };
        for down in 0..kh as isize {
            for across in 0..columns as isize {
                starts.extend(spots.iter().map(|spot| {
                    let (y, x) = (spot.top + down, spot.left + across);
                    let is_inside = (0..view.height as isize).contains(&y)
                        && (0..view.width as isize).contains(&x);
                    if !is_inside {
                        return zeros;
                    }
                    let pixel = (spot.photo * view.height + y as usize) * view.width + x as usize;
                    // A part of the slice whose length `Convolution::run` has checked.
                    values.as_ptr().wrapping_add(pixel * view.step + view.first)
                }));
            }
        }
        (kh * columns, kw / columns * view.channels)
    }
}

/// A place of the window.
#[derive(Clone, Copy)]
struct Spot {
    photo: usize,
    y: usize,
    x: usize,
    /// The image's row and column under the window's first, which may be outside.
    top: isize,
    left: isize,
}

impl Spot {
    #[inline(always)]
    fn of(task: &Task<'_>, pixel: usize) -> Self {
        let View { height, width, .. } = task.view;
        let (photo, pixel) = (pixel / (height * width), pixel % (height * width));
        Self::at(task, photo, pixel / width, pixel % width)
    }

    #[inline(always)]
    fn at(task: &Task<'_>, photo: usize, y: usize, x: usize) -> Self {
        let Window { stride, before, .. } = task.layer.window;
        let top = (y * stride[0]) as isize - before[0] as isize;
        let left = (x * stride[1]) as isize - before[1] as isize;
        Self { photo: photo.min(task.photos - 1), y, x, top, left }
    }

    /// The place of the next pixel.
    #[inline(always)]
    fn next(self, task: &Task<'_>) -> Self {
        let Self { photo, y, x, .. } = self;
        let View { height, width, .. } = task.view;
        match (x + 1 < width, y + 1 < height) {
            (true, _) => Self::at(task, photo, y, x + 1),
            (false, true) => Self::at(task, photo, y + 1, 0),
            (false, false) => Self::at(task, photo + 1, 0, 0),
        }
    }
}

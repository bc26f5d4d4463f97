use std::ops::Range;

use super::{
    Filter, Fit, Preprocess,
    placement::{Placement, Window},
};
use crate::{Photo, PixelBatch};

/// A rectangle of whole pixels of an upright photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelBox {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// What stands in the place of a part that is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// Grey, 127.5 of 255.
    #[default]
    Grey,
    /// The photo itself, blurred until nothing as large as a third of the box is left.
    Blur,
    /// The photo's mean colour.
    Mean,
}

/// One photo as a network takes it, again and again, each time with another part hidden.
///
/// Parts are hidden at the photo's full size, before it is resized. Only what the hidden part
/// changes is resized anew, so that a variation of a large photo costs little more than that of a
/// small one. Equal to [`Preprocess::apply`] on the changed photo within a step of 255.
#[derive(Clone, Debug)]
pub struct Occluder {
    photo: Photo,
    preprocess: Preprocess,
    placement: Placement,
    /// The whole photo, `[3, height, width]`.
    whole: Vec<f32>,
    cover: Cover,
}

/// What covers a part.
#[derive(Clone, Debug)]
enum Cover {
    /// The mean of two colours: bytes hold no 127.5.
    Between([[u8; 3]; 2]),
    Colour([u8; 3]),
    /// A photo of the same size.
    Picture(Photo),
}

impl Occluder {
    /// Prepares a photo. `side` is the usual side in pixels of a hidden part, which blurring
    /// depends on.
    pub fn new(photo: Photo, preprocess: &Preprocess, fill: Fill, side: u32) -> Self {
        let sides = [photo.height(), photo.width()];
        let placement = Placement::new(preprocess.fit, sides, preprocess.size);
        let cover = match fill {
            Fill::Grey => Cover::Between([[127; 3], [128; 3]]),
            Fill::Mean => Cover::Colour(mean_colour(&photo)),
            Fill::Blur => Cover::Picture(blurred(&photo, side)),
        };
        let (preprocess, whole) = (preprocess.clone(), preprocess.apply(&photo));
        Self { photo, preprocess, placement, whole, cover }
    }

    /// The photo.
    pub fn photo(&self) -> &Photo {
        &self.photo
    }

    /// The photo with nothing hidden, `[3, height, width]`.
    pub fn whole(&self) -> &[f32] {
        &self.whole
    }

    /// The photo without the part in a box, `[3, height, width]`. What of the box lies outside
    /// the photo hides nothing.
    pub fn without(&self, hidden: PixelBox) -> Vec<f32> {
        let mut values = self.whole.clone();
        let axis = |from: u32, length: u32, side: u32| {
            from.min(side)..from.saturating_add(length).min(side)
        };
        let rows = axis(hidden.top, hidden.height, self.photo.height());
        let columns = axis(hidden.left, hidden.width, self.photo.width());
        if rows.is_empty() || columns.is_empty() {
            return values;
        }
        match &self.cover {
            Cover::Between([low, high]) => {
                self.redraw(&mut values, &rows, &columns, &|_, _| *low, 1.0);
                self.redraw(&mut values, &rows, &columns, &|_, _| *high, 0.5);
            }
            Cover::Colour(colour) => {
                self.redraw(&mut values, &rows, &columns, &|_, _| *colour, 1.0);
            }
            Cover::Picture(picture) => {
                self.redraw(
                    &mut values,
                    &rows,
                    &columns,
                    &|row, column| pixel(picture, row, column),
                    1.0,
                );
            }
        }
        values
    }

    /// Appends the photo without the part in a box to a batch; the whole photo for `None`.
    pub fn push(&self, batch: &mut PixelBatch, hidden: Option<PixelBox>) {
        match hidden {
            None => batch.push(&self.whole),
            Some(hidden) => batch.push(&self.without(hidden)),
        }
    }

    /// Resizes what a change of some pixels touches, and puts it in with a weight: 1 replaces
    /// the values, less than 1 mixes with them.
    fn redraw(
        &self,
        values: &mut [f32],
        rows: &Range<u32>,
        columns: &Range<u32>,
        cover: &dyn Fn(u32, u32) -> [u8; 3],
        weight: f32,
    ) {
        let Placement { window, size: [high, wide], offset } = self.placement;
        let reach = reach(self.preprocess.filter);
        let down = Touched::new(rows, window.top, window.height, high, self.photo.height(), reach);
        let across =
            Touched::new(columns, window.left, window.width, wide, self.photo.width(), reach);
        let (Some(down), Some(across)) = (down, across) else { return };
        let part = self.cut(&down, &across, rows, columns, cover);
        let window =
            Window { left: across.from, top: down.from, width: across.length, height: down.length };
        let size = [down.outputs.len(), across.outputs.len()];
        let patch = Preprocess { size, fit: Fit::Squash, ..self.preprocess.clone() };
        let fitted = patch.place(&part, Placement { window, size, offset: [0, 0] });
        let mut fresh = Vec::with_capacity(3 * size[0] * size[1]);
        patch.normalise(&fitted, &mut fresh);

        let [input_rows, input_columns] = self.preprocess.size;
        let mut fresh = fresh.chunks_exact(size[1]);
        for plane in 0..3 {
            for row in down.outputs.clone() {
                let row = (plane * input_rows + offset[0] + row) * input_columns + offset[1];
                let here = &mut values[row + across.outputs.start..row + across.outputs.end];
                let fresh = fresh.next().expect("a patch has every row of every plane");
                for (value, fresh) in here.iter_mut().zip(fresh) {
                    // Replacing must not leave a rounding of what was there before.
                    *value =
                        if weight == 1.0 { *fresh } else { *value + weight * (*fresh - *value) };
                }
            }
        }
    }

    /// The part of the photo that the touched outputs are made of, with its cover on.
    fn cut(
        &self,
        down: &Touched,
        across: &Touched,
        rows: &Range<u32>,
        columns: &Range<u32>,
        cover: &dyn Fn(u32, u32) -> [u8; 3],
    ) -> Photo {
        let (height, width) = (down.sources.len(), across.sources.len());
        let mut pixels = Vec::with_capacity(3 * height * width);
        for row in down.sources.clone() {
            let begin = 3 * (row as usize * self.photo.width() as usize);
            let columns_here = across.sources.start as usize..across.sources.end as usize;
            let begin = begin + 3 * columns_here.start;
            let at = pixels.len();
            pixels.extend_from_slice(&self.photo.pixels()[begin..begin + 3 * width]);
            if rows.contains(&row) {
                for column in columns.clone() {
                    let place = at + 3 * (column - across.sources.start) as usize;
                    pixels[place..place + 3].copy_from_slice(&cover(row, column));
                }
            }
        }
        Photo::from_rgb(width as u32, height as u32, pixels).expect("three bytes for every pixel")
    }
}

/// Along one axis: which outputs a change of some source pixels touches, and what they are made
/// of.
struct Touched {
    outputs: Range<usize>,
    /// Source pixels under the filter of these outputs, the changed ones all among them.
    sources: Range<u32>,
    /// Where the first output's own ground begins, from the first of the sources.
    from: f64,
    /// Length of the outputs' own ground.
    length: f64,
}

impl Touched {
    fn new(
        changed: &Range<u32>,
        begin: f64,
        length: f64,
        outputs: usize,
        side: u32,
        reach: f64,
    ) -> Option<Self> {
        let step = length / outputs as f64;
        let radius = reach * step.max(1.0);
        let output = |source: f64| (source - begin) / step - 0.5;
        // One more on either side, so that no rounding leaves a touched output out.
        let first = (output(f64::from(changed.start) - radius).floor() - 1.0).max(0.0) as usize;
        let last = output(f64::from(changed.end) + radius).ceil() + 2.0;
        let last = (last.max(0.0) as usize).min(outputs);
        if first >= last {
            return None;
        }
        let from = begin + first as f64 * step;
        let to = begin + last as f64 * step;
        let low = ((from - radius).floor() - 1.0).max(0.0) as u32;
        let high = ((to + radius).ceil() as u32 + 1).min(side);
        let sources = low.min(changed.start)..high.max(changed.end);
        let from = from - f64::from(sources.start);
        Some(Self { outputs: first..last, sources, from, length: (last - first) as f64 * step })
    }
}

/// Half the width of a filter, in output pixels.
const fn reach(filter: Filter) -> f64 {
    match filter {
        Filter::Bilinear => 1.0,
        Filter::Bicubic => 2.0,
        Filter::Lanczos => 3.0,
        Filter::Box => 0.5,
    }
}

fn pixel(photo: &Photo, row: u32, column: u32) -> [u8; 3] {
    let place = 3 * (row as usize * photo.width() as usize + column as usize);
    [0, 1, 2].map(|channel| photo.pixels()[place + channel])
}

fn mean_colour(photo: &Photo) -> [u8; 3] {
    let mut sums = [0u64; 3];
    let (pixels, _) = photo.pixels().as_chunks::<3>();
    for pixel in pixels {
        sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(*value));
    }
    let count = pixels.len() as u64;
    sums.map(|sum| ((sum + count / 2) / count) as u8)
}

/// Made small, until a pixel is a third of `side`, and large again.
fn blurred(photo: &Photo, side: u32) -> Photo {
    let step = f64::from(side.max(3)) / 3.0;
    let small = |length: u32| ((f64::from(length) / step).round() as usize).max(1);
    let resized = |photo: &Photo, size: [usize; 2]| {
        let squash = Preprocess { size, ..Preprocess::inception(1) };
        let pixels = squash.fitted(photo).pixels;
        Photo::from_rgb(size[1] as u32, size[0] as u32, pixels).expect("three bytes a pixel")
    };
    let reduced = resized(photo, [small(photo.height()), small(photo.width())]);
    resized(&reduced, [photo.height() as usize, photo.width() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photo of waves and noise, so that no two parts are alike.
    fn photo(width: u32, height: u32) -> Photo {
        let value = |x: u32, y: u32, channel: u32| {
            let wave = (f64::from(x) * 0.11 + f64::from(y * (channel + 1)) * 0.07).sin();
            (128.0 + 100.0 * wave + f64::from((x * 31 + y * 17 + channel * 7) % 23)) as u8
        };
        let place = |at: u32| (at / 3 % width, at / 3 / width, at % 3);
        let bytes = (0..width * height * 3).map(place).map(|(x, y, c)| value(x, y, c)).collect();
        Photo::from_rgb(width, height, bytes).expect("a photo")
    }

    /// The photo with a box of one grey.
    fn greyed(photo: &Photo, hidden: PixelBox, grey: u8) -> Photo {
        let mut pixels = photo.pixels().to_vec();
        for row in hidden.top..(hidden.top + hidden.height).min(photo.height()) {
            for column in hidden.left..(hidden.left + hidden.width).min(photo.width()) {
                let place = 3 * (row * photo.width() + column) as usize;
                pixels[place..place + 3].fill(grey);
            }
        }
        Photo::from_rgb(photo.width(), photo.height(), pixels).expect("a photo")
    }

    #[test]
    fn a_part_hidden_is_the_photo_repainted_whatever_the_fit_and_the_filter() {
        let fits = [Fit::Squash, Fit::CentreCrop { share: 0.875 }, Fit::Letterbox];
        let filters = [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos, Filter::Box];
        let boxes = [(0, 0, 40, 40), (190, 130, 60, 60), (77, 31, 41, 40), (0, 70, 300, 9)];
        for (fit, filter) in fits.iter().flat_map(|fit| filters.map(|filter| (*fit, filter))) {
            for (width, height) in [(240, 180), (40, 30)] {
                let preprocess = Preprocess { fit, filter, ..Preprocess::inception(64) };
                let photo = photo(width, height);
                let occluder = Occluder::new(photo.clone(), &preprocess, Fill::Grey, 48);
                for (left, top, w, h) in boxes {
                    let hidden = PixelBox { left, top, width: w, height: h };
                    let found = occluder.without(hidden);
                    let [low, high] =
                        [127, 128].map(|grey| preprocess.apply(&greyed(&photo, hidden, grey)));
                    let wanted = low.iter().zip(&high).map(|(low, high)| (low + high) / 2.0);
                    let worst = found.iter().zip(wanted).map(|(a, b)| (a - b).abs());
                    let worst = worst.fold(0.0, f32::max) * 127.5;
                    assert!(worst < 1.01, "{fit:?} {filter:?} {hidden:?}: {worst} steps");
                }
            }
        }
    }

    #[test]
    fn hidden_pixels_are_grey_and_others_untouched_where_nothing_is_resized() {
        let occluder = Occluder::new(photo(32, 32), &Preprocess::inception(32), Fill::Grey, 8);
        let hidden = PixelBox { left: 4, top: 8, width: 8, height: 8 };
        let values = occluder.without(hidden);
        for (at, (value, whole)) in values.iter().zip(occluder.whole()).enumerate() {
            let (row, column) = (at / 32 % 32, at % 32);
            let inside = (8..16).contains(&row) && (4..12).contains(&column);
            let wanted = if inside { 0.0 } else { *whole };
            assert!((value - wanted).abs() < 1e-6, "row {row} column {column}: {value}");
        }
    }

    #[test]
    fn mean_and_blur_take_their_colours_from_the_photo() {
        let red = Photo::from_rgb(30, 20, [200, 10, 30].repeat(600)).expect("a photo");
        let preprocess = Preprocess::inception(24);
        let hidden = PixelBox { left: 5, top: 5, width: 9, height: 9 };
        for fill in [Fill::Mean, Fill::Blur] {
            let occluder = Occluder::new(red.clone(), &preprocess, fill, 9);
            assert_eq!(occluder.without(hidden), occluder.whole(), "{fill:?} of one colour");
        }
        let waves = Occluder::new(photo(60, 40), &preprocess, Fill::Blur, 30);
        let spread = |values: &[f32]| {
            let middle = &values[24 * 12 + 8..24 * 12 + 16];
            let greatest = middle.iter().copied().fold(f32::MIN, f32::max);
            greatest - middle.iter().copied().fold(f32::MAX, f32::min)
        };
        let all = PixelBox { left: 0, top: 0, width: 60, height: 40 };
        assert!(spread(&waves.without(all)) < spread(waves.whole()));
    }
}

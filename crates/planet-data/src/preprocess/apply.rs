use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use super::{
    ChannelOrder, Filter, Preprocess,
    placement::{Placement, Window},
    shorten::shortened,
};
use crate::Photo;

/// A photo cut and resized, still in bytes: `[height, width, 3]`.
pub(crate) struct Fitted {
    pub(crate) pixels: Vec<u8>,
    size: [usize; 2],
    offset: [usize; 2],
}

impl Fitted {
    /// Mirrors left to right, within the place that the photo takes.
    pub(crate) fn mirror(&mut self) {
        for row in self.pixels.chunks_exact_mut(3 * self.size[1]) {
            row.as_chunks_mut::<3>().0.reverse();
        }
    }
}

impl Preprocess {
    /// Turns a photo into what the network takes: f32 `[3, height, width]`.
    ///
    /// Equal to Pillow and torchvision within two steps of 255, a sixth of a step on the mean.
    ///
    /// # Panics
    /// When a side of [`Preprocess::size`] is zero; [`Preprocess::check`] tells beforehand.
    pub fn apply(&self, photo: &Photo) -> Vec<f32> {
        let mut values = Vec::with_capacity(3 * self.size[0] * self.size[1]);
        self.normalise(&self.fitted(photo), &mut values);
        values
    }

    /// Cuts and resizes as [`Preprocess::fit`] says.
    pub(crate) fn fitted(&self, photo: &Photo) -> Fitted {
        self.place(photo, Placement::new(self.fit, [photo.height(), photo.width()], self.size))
    }

    /// How far an upright photo of this height and width may be reduced before it has fewer
    /// pixels than the input, along either side.
    pub(crate) fn spare(&self, photo: [u32; 2]) -> f64 {
        let Placement { window, size: [height, width], .. } =
            Placement::new(self.fit, photo, self.size);
        (window.height / height as f64).min(window.width / width as f64)
    }

    /// Cuts this window out and resizes it to the whole input, whatever the fit.
    pub(crate) fn cut(&self, photo: &Photo, window: Window) -> Fitted {
        self.place(photo, Placement { window, size: self.size, offset: [0, 0] })
    }

    pub(super) fn place(&self, photo: &Photo, placement: Placement) -> Fitted {
        assert!(self.size.iter().all(|&side| side > 0), "an input has pixels");
        let Placement { window, size: [height, width], offset } = placement;
        if let Some((short, window)) = shortened(photo, window, [height, width]) {
            return self.place(&short, Placement { window, ..placement });
        }
        let source = ImageRef::new(photo.width(), photo.height(), photo.pixels(), PixelType::U8x3)
            .expect("a photo has three bytes for every pixel");
        let mut fitted = Image::new(width as u32, height as u32, PixelType::U8x3);
        let filter = ResizeAlg::Convolution(match self.filter {
            Filter::Bilinear => FilterType::Bilinear,
            Filter::Bicubic => FilterType::CatmullRom,
            Filter::Lanczos => FilterType::Lanczos3,
            Filter::Box => FilterType::Box,
        });
        let options = ResizeOptions::new().resize_alg(filter).crop(
            window.left,
            window.top,
            window.width.min(f64::from(photo.width()) - window.left),
            window.height.min(f64::from(photo.height()) - window.top),
        );
        Resizer::new()
            .resize(&source, &mut fitted, &options)
            .expect("a window lies within its photo");
        Fitted { pixels: fitted.into_vec(), size: [height, width], offset }
    }

    /// Appends `[3, height, width]`: scales to 0..1, subtracts the mean, divides by the
    /// deviation, orders the channels. What a letterbox leaves free is zero, the mean colour.
    pub(crate) fn normalise(&self, fitted: &Fitted, values: &mut Vec<f32>) {
        let [rows, columns] = self.size;
        let ([height, width], [top, left]) = (fitted.size, fitted.offset);
        let begin = values.len();
        for plane in 0..3 {
            let channel = match self.channel_order {
                ChannelOrder::Rgb => plane,
                ChannelOrder::Bgr => 2 - plane,
            };
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let table: [f32; 256] = std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / std);
            for pixels in fitted.pixels.chunks_exact(width * 3).take(height).enumerate() {
                let (row, pixels) = pixels;
                values.resize(begin + (plane * rows + top + row) * columns + left, 0.0);
                let (pixels, _) = pixels.as_chunks::<3>();
                values.extend(pixels.iter().map(|pixel| table[usize::from(pixel[channel])]));
            }
        }
        values.resize(begin + 3 * rows * columns, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fit;

    fn photo() -> Photo {
        // Red left, blue right.
        let row = [[255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255]].concat();
        Photo::from_rgb(4, 2, row.repeat(2)).expect("a photo")
    }

    #[test]
    fn channels_come_in_the_order_that_the_network_takes() {
        let rgb = Preprocess { mean: [0.5, 0.0, 0.0], std: [0.5, 1.0, 2.0], ..plain([2, 4]) };
        let values = rgb.apply(&photo());
        assert_eq!(values[..4], [1.0, 1.0, -1.0, -1.0]);
        assert_eq!(values[16..20], [0.0, 0.0, 0.5, 0.5]);
        let bgr = Preprocess { channel_order: ChannelOrder::Bgr, ..rgb };
        let turned = bgr.apply(&photo());
        assert_eq!(turned[..8], values[16..]);
        assert_eq!(turned[16..], values[..8]);
    }

    #[test]
    fn what_can_be_spared_is_what_the_input_does_not_show() {
        let squash = plain([300, 300]);
        assert_eq!(squash.spare([3000, 4000]), 10.0);
        assert_eq!(squash.spare([150, 4000]), 0.5);
        let crop = Preprocess { fit: Fit::CentreCrop { share: 0.5 }, ..squash.clone() };
        assert_eq!(crop.spare([3000, 4000]), 5.0);
        let letterbox = Preprocess { fit: Fit::Letterbox, ..squash };
        assert!((letterbox.spare([3000, 4000]) - 13.33).abs() < 0.1);
    }

    #[test]
    fn what_a_letterbox_leaves_free_is_zero_for_the_network() {
        let letterbox = Preprocess { fit: Fit::Letterbox, mean: [0.5; 3], ..plain([4, 4]) };
        let values = letterbox.apply(&photo());
        assert_eq!(values[..4], [0.0; 4]);
        assert_eq!(values[4..8], [0.5, 0.5, -0.5, -0.5]);
        assert_eq!(values[12..16], [0.0; 4]);
    }

    fn plain(size: [usize; 2]) -> Preprocess {
        Preprocess { size, mean: [0.0; 3], std: [1.0; 3], ..Preprocess::inception(1) }
    }
}

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::{Filter, Fit, Photo, Preprocess};

/// A grey picture.
#[derive(Clone, Debug)]
pub(super) struct Grey {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Brightness, `[height, width]`.
    pub(super) pixels: Vec<u8>,
}

impl Grey {
    /// A photo with this longest side.
    pub(super) fn of(photo: &Photo, longest: u32) -> Self {
        let ratio = f64::from(longest) / f64::from(photo.width().max(photo.height()));
        let [width, height] = [photo.width(), photo.height()]
            .map(|side| ((f64::from(side) * ratio).round() as usize).max(1));
        let fit = Preprocess {
            size: [height, width],
            fit: Fit::Squash,
            filter: Filter::Bilinear,
            ..Preprocess::inception(1)
        };
        let rgb = fit.fitted(photo).pixels;
        // Weights of ITU-R BT.601 in 256ths.
        let grey = |&[r, g, b]: &[u8; 3]| {
            ((77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8) as u8
        };
        Self { width, height, pixels: rgb.as_chunks().0.iter().map(grey).collect() }
    }

    /// Width and height.
    pub(super) fn size(&self) -> [f32; 2] {
        [self.width as f32, self.height as f32]
    }

    /// The picture with both sides divided by `ratio`.
    pub(super) fn reduced(&self, ratio: f32) -> Self {
        let [width, height] =
            [self.width, self.height].map(|side| ((side as f32 / ratio).round() as usize).max(1));
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let [w, h] = [self.width as u32, self.height as u32];
        let source = ImageRef::new(w, h, &self.pixels, PixelType::U8).expect("a byte a pixel");
        let mut reduced = Image::new(width as u32, height as u32, PixelType::U8);
        let filter = ResizeAlg::Convolution(FilterType::Bilinear);
        Resizer::new()
            .resize(&source, &mut reduced, &ResizeOptions::new().resize_alg(filter))
            .expect("two grey pictures");
        Self { width, height, pixels: reduced.into_vec() }
    }

    /// Brightness between pixels, 0..=255; `None` outside. A pixel's middle lies at one half.
    pub(super) fn at(&self, [x, y]: [f32; 2]) -> Option<f32> {
        let (x, y) = (x - 0.5, y - 0.5);
        let inside = (-0.5..=self.width as f32 - 0.5).contains(&x)
            && (-0.5..=self.height as f32 - 0.5).contains(&y);
        if !inside {
            return None;
        }
        let (x, y) =
            (x.clamp(0.0, self.width as f32 - 1.0), y.clamp(0.0, self.height as f32 - 1.0));
        let (left, top) = (x as usize, y as usize);
        let (right, below) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (of_x, of_y) = (x - left as f32, y - top as f32);
        let value = |x: usize, y: usize| f32::from(self.pixels[y * self.width + x]);
        let row = |y| value(left, y) * (1.0 - of_x) + value(right, y) * of_x;
        Some(row(top) * (1.0 - of_y) + row(below) * of_y)
    }
}

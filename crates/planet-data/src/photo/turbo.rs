//! JPEGs by libjpeg-turbo, which reduces them while it decodes.

use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use super::{Photo, PhotoFormat, headers::Headers};

/// A JPEG at a half, a quarter or an eighth of its size, whichever is the smallest that does not
/// shrink it by more than `spare`. `None` where there is nothing to spare, and for files that
/// libjpeg-turbo does not decode to the end (damaged ones, inks): the ordinary decoder takes those
/// and says what is wrong with them.
pub(super) fn reduced(bytes: &[u8], headers: &Headers, spare: f64) -> Option<Photo> {
    if headers.format != PhotoFormat::Jpeg {
        return None;
    }
    let divisor = [8_u8, 4, 2].into_iter().find(|&divisor| f64::from(divisor) <= spare)?;
    let factor = ScalingFactor::new(1, usize::from(divisor));
    let mut decompressor = Decompressor::new().ok()?;
    let stated = decompressor.read_header(bytes).ok()?;
    if (stated.width, stated.height) != (headers.width as usize, headers.height as usize) {
        return None;
    }
    decompressor.set_scaling_factor(factor).ok()?;
    let (width, height) = (factor.scale(stated.width), factor.scale(stated.height));
    let mut pixels = vec![0; 3 * width * height];
    let image = Image {
        pixels: &mut pixels[..],
        width,
        pitch: 3 * width,
        height,
        format: PixelFormat::RGB,
    };
    decompressor.decompress(bytes, image).ok()?;
    Photo::from_rgb(width as u32, height as u32, pixels).ok()
}

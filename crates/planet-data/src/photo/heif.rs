//! HEIC and AVIF by libheif, which turns, mirrors and crops the pixels itself.

use image::{DynamicImage, RgbImage, RgbaImage};
use libheif_rs::{ColorSpace, HeifContext, HeifError, LibHeif, RgbChroma};

use super::{Limits, Photo, PhotoError, headers::Headers, on_white::on_white};

/// The primary image of a file whose headers were read and found within the limits.
pub(super) fn decode(
    bytes: &[u8],
    headers: &Headers,
    limits: &Limits,
) -> Result<Photo, PhotoError> {
    let broken = |reason: String| PhotoError::Decode { format: headers.format, reason };
    let image = image(bytes, limits).map_err(|error| broken(error.to_string()))?;
    let image = image.ok_or_else(|| broken("the decoder gave no pixels".to_owned()))?;
    Photo::from_rgb(image.width(), image.height(), on_white(image))
}

fn image(bytes: &[u8], limits: &Limits) -> Result<Option<DynamicImage>, HeifError> {
    let library = LibHeif::new_checked()?;
    let mut context = HeifContext::new()?;
    let mut bounds = context.security_limits();
    bounds.set_max_image_size_pixels(limits.pixels.max(1));
    context.set_security_limits(&bounds)?;
    // Callers that decode many photos use all cores already.
    context.set_max_decoding_threads(0);
    context.read_bytes(bytes)?;
    let primary = context.primary_image_handle()?;
    let (chroma, channels) = match primary.has_alpha_channel() {
        true => (RgbChroma::Rgba, 4),
        false => (RgbChroma::Rgb, 3),
    };
    let image = library.decode(&primary, ColorSpace::Rgb(chroma), None)?;
    let Some(plane) = image.planes().interleaved else { return Ok(None) };
    let rows = plane.data.chunks(plane.stride).take(plane.height as usize);
    let pixels = rows.flat_map(|row| &row[..channels * plane.width as usize]).copied().collect();
    Ok(match channels {
        4 => RgbaImage::from_raw(plane.width, plane.height, pixels).map(DynamicImage::ImageRgba8),
        _ => RgbImage::from_raw(plane.width, plane.height, pixels).map(DynamicImage::ImageRgb8),
    })
}

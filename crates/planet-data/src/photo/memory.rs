//! What decoding a photo takes, told from its headers before any memory is taken.

use super::{PhotoFormat, headers::Headers, jpeg, orientation::Orientation, tiff};

/// What decoders keep beside what grows with the photo: windows, tables, buffers.
const FIXED: u64 = 2 << 20;

/// Upper bound of the bytes that a photo takes until it is upright, its file included.
pub(super) fn needed(bytes: &[u8], headers: &Headers, orientation: Orientation) -> u64 {
    let (width, height) = (u64::from(headers.width), u64::from(headers.height));
    let pixels = width.saturating_mul(height);
    let decoding = match headers.format {
        PhotoFormat::Jpeg => jpeg::memory(bytes),
        PhotoFormat::Tiff => tiff::memory(bytes),
        // A decoder keeps a few rows of up to eight bytes a pixel.
        PhotoFormat::Png => pixels * png_bytes_per_pixel(bytes) + 6 * 8 * width,
        // Planes or packed pixels, the frame, and the pixels over white; also the chunk.
        PhotoFormat::WebP => 14 * pixels + 64 * (width + height) + bytes.len() as u64,
        PhotoFormat::Gif => 12 * pixels,
        // Planes of up to 16 bits, their RGB with alpha, a copy, and the pixels over white.
        PhotoFormat::Heic | PhotoFormat::Avif => 18 * pixels,
    };
    let turning = if orientation == Orientation::default() { 0 } else { 6 * pixels };
    (bytes.len() as u64).saturating_add(decoding.max(turning)).saturating_add(FIXED)
}

/// Pixels as the decoder gives them and as RGB, where these are not the same.
fn png_bytes_per_pixel(bytes: &[u8]) -> u64 {
    let [depth, colour] = [24, 25].map(|at| bytes.get(at).copied().unwrap_or(16));
    let sample = if depth == 16 { 2 } else { 1 };
    let may_be_transparent = memchr::memmem::find(bytes, b"tRNS").is_some();
    let channels = match colour {
        0 => 1,
        2 | 3 => 3,
        4 => 2,
        _ => 4,
    };
    match (channels, sample, may_be_transparent) {
        (3, 1, false) => 3,
        (1, _, false) => sample + 3,
        (3, _, false) => 3 * sample + 3,
        (4, 1, _) => 4 + 3,
        _ => 4 * sample + 4,
    }
}

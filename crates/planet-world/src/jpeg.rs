use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};

use crate::paint::Picture;

/// A picture as a JPEG file, 4:2:0 as phones write it, with an EXIF block if one is given.
pub(crate) fn encode(
    picture: &Picture,
    quality: u8,
    exif: Option<&[u8]>,
) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::with_capacity(picture.rgb.len() / 4);
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    if let Some(block) = exif {
        encoder.add_app_segment(1, block.to_vec())?;
    }
    // A picture's sides are at most 640 pixels.
    let (width, height) = (picture.width as u16, picture.height as u16);
    encoder.encode(&picture.rgb, width, height, ColorType::Rgb)?;
    Ok(bytes)
}

/// The picture turned left by a quarter: how a phone held upright stores it.
pub(crate) fn turned_left(picture: &Picture) -> Picture {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut rgb = Vec::with_capacity(picture.rgb.len());
    for x in (0..width).rev() {
        for y in 0..height {
            let pixel = 3 * (y * width + x);
            rgb.extend_from_slice(&picture.rgb[pixel..pixel + 3]);
        }
    }
    Picture { width: picture.height, height: picture.width, rgb }
}

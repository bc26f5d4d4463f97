use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageResult,
    codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder},
};

#[cfg(feature = "heif")]
use super::heif::decode as heif;
use super::{
    Limits, PhotoError, PhotoFormat, exif::Block, headers::Headers, jpeg, memory,
    on_white::on_white, orientation::Orientation, tiff,
};
use crate::{Decoding, Preprocess, guard::guarded};

/// A photo's pixels: upright, RGB, eight bits. Colour profiles are not applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    pub(super) rescue: Option<Rescue>,
}

/// Says that a damaged JPEG was decoded as far as it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescue {
    /// Share of the picture that holds data, 0.5..=1; the rest is grey.
    pub share: f32,
    /// What was wrong.
    pub reason: String,
}

impl Photo {
    /// A photo from `[height, width, 3]` bytes, upright.
    ///
    /// # Errors
    /// A side is zero, or there are not three bytes for every pixel.
    pub fn from_rgb(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, PhotoError> {
        let bytes = (u64::from(width) * u64::from(height)).checked_mul(3);
        if width == 0 || height == 0 || bytes != Some(pixels.len() as u64) {
            return Err(PhotoError::Shape { width, height, bytes: pixels.len() });
        }
        Ok(Self { width, height, pixels, rescue: None })
    }

    /// Decodes the bytes of a photo and turns it upright.
    ///
    /// Transparent parts become white. Of a GIF, WebP or PNG animation the first frame is
    /// taken, of a TIFF the first page. A damaged JPEG is decoded as far as it goes, behind a
    /// damaged place from the next restart marker on, and kept if at least half of it holds
    /// data; [`Photo::rescue`] says so.
    ///
    /// # Errors
    /// The bytes are no photo, are damaged, exceed the limits, or are of a format or kind that
    /// this build cannot decode. Where a library panics, that is the photo's error.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, PhotoError> {
        Self::decode_sparing(bytes, limits, |_| 1.0)
    }

    /// Decodes a photo of which only this preprocessing's result is wanted. With
    /// [`Decoding::Reduced`](crate::Decoding), a JPEG is decoded at a half, a quarter or an eighth of
    /// its size where that leaves 2.5 times as many pixels as the result has along either side; else
    /// this is [`Photo::decode`].
    ///
    /// # Errors
    /// As [`Photo::decode`].
    pub fn decode_for(
        bytes: &[u8],
        limits: &Limits,
        preprocess: &Preprocess,
    ) -> Result<Self, PhotoError> {
        Self::decode_sparing(bytes, limits, |upright| match preprocess.decoding {
            Decoding::Full => 1.0,
            Decoding::Reduced => preprocess.spare(upright),
        })
    }

    /// `spare` returns for an upright photo's height and width how far it may be reduced.
    fn decode_sparing(
        bytes: &[u8],
        limits: &Limits,
        spare: impl Fn([u32; 2]) -> f64,
    ) -> Result<Self, PhotoError> {
        let length = bytes.len() as u64;
        if length > limits.bytes {
            return Err(PhotoError::TooManyBytes { bytes: length, limit: limits.bytes });
        }
        // A decoder that panics on hostile bytes must cost one photo, not the whole run.
        guarded(|| Self::decode_unguarded(bytes, limits, spare))
            .unwrap_or_else(|message| Err(PhotoError::Panicked { message }))
    }

    fn decode_unguarded(
        bytes: &[u8],
        limits: &Limits,
        spare: impl Fn([u32; 2]) -> f64,
    ) -> Result<Self, PhotoError> {
        let headers = Headers::read(Cursor::new(bytes))?;
        let (width, height) = (headers.width, headers.height);
        if u64::from(width) * u64::from(height) > limits.pixels {
            return Err(PhotoError::TooManyPixels { width, height, limit: limits.pixels });
        }
        let orientation = orientation(&headers);
        let (upright_width, upright_height) = orientation.upright(width, height);
        let spare = spare([upright_height, upright_width]);
        let needs = memory::needed(bytes, &headers, orientation);
        if needs > limits.memory {
            return Err(PhotoError::TooMuchMemory { needs, limit: limits.memory });
        }
        let reduced = match headers.format {
            PhotoFormat::Jpeg => jpeg::reduced(bytes, spare),
            _ => None,
        };
        let stored = match reduced {
            Some(photo) => photo,
            None => stored(bytes, &headers, limits)?,
        };
        let (width, height) = orientation.upright(stored.width, stored.height);
        let sides = (stored.width as usize, stored.height as usize);
        let pixels = orientation.apply(stored.pixels, sides.0, sides.1);
        Ok(Self { width, height, pixels, rescue: stored.rescue })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// `[height, width, 3]` bytes, red, green, blue.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Set where the file was damaged and what could be had of it was kept.
    pub fn rescue(&self) -> Option<&Rescue> {
        self.rescue.as_ref()
    }
}

/// Which way is up. HEIF turns its own pixels; its EXIF tag must not be applied again.
fn orientation(headers: &Headers) -> Orientation {
    let block = match headers.format {
        PhotoFormat::Heic | PhotoFormat::Avif => None,
        _ => headers.exif.clone(),
    };
    let parsed = block.and_then(|block| Block::parse(block).ok());
    parsed.map(|block| block.orientation()).unwrap_or_default()
}

/// HEIC and AVIF; this build has nothing that decodes them.
#[cfg(not(feature = "heif"))]
fn heif(_: &[u8], headers: &Headers, _: &Limits) -> Result<Photo, PhotoError> {
    Err(PhotoError::Undecodable(headers.format))
}

/// Pixels as they are stored, before the orientation.
fn stored(bytes: &[u8], headers: &Headers, limits: &Limits) -> Result<Photo, PhotoError> {
    let reader = Cursor::new(bytes);
    let image = match headers.format {
        PhotoFormat::Jpeg => return jpeg::decode(bytes),
        PhotoFormat::Tiff => return tiff::decode(bytes),
        PhotoFormat::Heic | PhotoFormat::Avif => return heif(bytes, headers, limits),
        PhotoFormat::Png => PngDecoder::new(reader).and_then(|decoder| pixels(decoder, limits)),
        PhotoFormat::WebP => WebPDecoder::new(reader).and_then(|decoder| pixels(decoder, limits)),
        PhotoFormat::Gif => GifDecoder::new(reader).and_then(|decoder| pixels(decoder, limits)),
    }
    .map_err(|error| PhotoError::Decode { format: headers.format, reason: error.to_string() })?;
    let (width, height) = (image.width(), image.height());
    Photo::from_rgb(width, height, on_white(image))
}

fn pixels(mut decoder: impl ImageDecoder, limits: &Limits) -> ImageResult<DynamicImage> {
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.memory);
    decoder.set_limits(bounds)?;
    DynamicImage::from_decoder(decoder)
}

//! JPEG by two decoders: zune-jpeg for the kinds that it decodes rightly, which nearly all photos
//! are, and one of our own, [`second`], for rarer kinds and for damaged files. Where only a small
//! version is wanted, libjpeg ([`reduced`]).

mod frame;
mod markers;
mod reduced;
mod second;

use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

pub(super) use self::reduced::reduced;
use self::{frame::Frame, markers::Walk};
use super::{Photo, PhotoError, PhotoFormat, Rescue};

/// Least share of the picture that a rescued photo must hold.
const LEAST_SHARE: f32 = 0.5;

/// Decodes a JPEG whose headers were read and found within the limits, `[height, width, 3]`.
pub(super) fn decode(bytes: &[u8]) -> Result<Photo, PhotoError> {
    let broken = |reason: String| PhotoError::Decode { format: PhotoFormat::Jpeg, reason };
    let survey = Survey::of(bytes).map_err(broken)?;
    let is_for_zune = survey.is_for_zune();
    let mut reason = survey.damage;
    if is_for_zune {
        match with_zune(bytes, &survey.frame) {
            Ok((width, height, pixels)) => return Photo::from_rgb(width, height, pixels),
            Err(failure) => reason = Some(failure),
        }
    }
    let decoded = second::decode(bytes).map_err(broken)?;
    let (width, height) = (survey.frame.width as u32, survey.frame.height as u32);
    let mut photo = Photo::from_rgb(width, height, decoded.pixels)?;
    if decoded.share < 1.0 || !survey.has_end {
        let reason = decoded.reason.or(reason).unwrap_or_else(|| "damaged".to_owned());
        if decoded.share < LEAST_SHARE {
            return Err(PhotoError::TooTruncated { share: decoded.share, reason });
        }
        photo.rescue = Some(Rescue { share: decoded.share, reason });
    }
    Ok(photo)
}

/// A JPEG that is a strip or tile of a TIFF and must be at least so wide and high. The second
/// decoder's pixels are libjpeg's, as those of the programs that write such files.
///
/// # Errors
/// It is damaged, smaller, or not supported.
pub(super) fn decode_piece(bytes: &[u8], [width, height]: [usize; 2]) -> Result<Photo, String> {
    let Survey { frame, damage, .. } = Survey::of(bytes)?;
    if frame.width < width || frame.height < height {
        let (is_width, is_height) = (frame.width, frame.height);
        return Err(format!("{is_width} x {is_height} pixels instead of {width} x {height}"));
    }
    let decoded = second::decode(bytes)?;
    match damage.or(decoded.reason) {
        Some(reason) => Err(reason),
        None => Photo::from_rgb(frame.width as u32, frame.height as u32, decoded.pixels)
            .map_err(|error| error.to_string()),
    }
}

/// Bytes that decoding takes at its greatest, beside the file itself.
pub(super) fn memory(bytes: &[u8]) -> u64 {
    // Files that cannot be surveyed are not decoded either.
    let Ok(survey) = Survey::of(bytes) else { return 0 };
    let (frame, rgb) = (&survey.frame, 3 * survey.frame.pixels());
    let samples = frame.padded_samples();
    let coefficients = if frame.is_progressive() { 2 * samples } else { 0 };
    let first = coefficients + rgb + frame.row_memory();
    if survey.is_for_zune() {
        return first;
    }
    // Planes are made of the coefficients, which are freed before the pixels are made.
    let second = samples + coefficients.max(rgb) + frame.row_memory();
    if frame.is_for_zune() { first.max(second) } else { second }
}

/// What the markers of a file say, without a pixel being decoded.
struct Survey {
    frame: Frame,
    /// Whether the scans are of a kind that zune-jpeg decodes rightly: all components in one, or
    /// a progressive file.
    scans_are_for_zune: bool,
    /// A marker where none may be, or the end missing.
    damage: Option<String>,
    has_end: bool,
}

impl Survey {
    fn of(bytes: &[u8]) -> Result<Self, String> {
        let mut walk = Walk::new(bytes);
        let (mut scans, mut whole) = (0, false);
        while let Some(part) = walk.part() {
            if let Some(scan) = part.scan() {
                scans += 1;
                whole |= walk.frame.as_ref().is_some_and(|frame| {
                    scan.slots.len() == frame.components.len() || frame.is_progressive()
                });
            }
        }
        let frame = walk.frame.take().ok_or("no frame before the pixels")?;
        frame.check()?;
        if scans == 0 {
            return Err("no scan of pixels".to_owned());
        }
        Ok(Self { frame, scans_are_for_zune: whole, has_end: walk.has_end, damage: walk.damage })
    }

    fn is_for_zune(&self) -> bool {
        self.damage.is_none() && self.frame.is_for_zune() && self.scans_are_for_zune
    }
}

/// Width, height and RGB bytes.
fn with_zune(bytes: &[u8], frame: &Frame) -> Result<(u32, u32, Vec<u8>), String> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(frame.width)
        .set_max_height(frame.height)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("no dimensions")?;
    Ok((width as u32, height as u32, pixels))
}

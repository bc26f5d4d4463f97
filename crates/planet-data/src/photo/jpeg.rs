use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::{Photo, PhotoError, PhotoFormat, Rescue, headers::Headers};

/// Least share of the rows that a rescued photo must hold.
const LEAST_SHARE: f32 = 0.5;

/// Decodes a JPEG whose headers were read and found within the limits. Where the strict
/// decoder fails, or the file ends without its end marker, the lenient one goes as far as it can.
pub(super) fn decode(bytes: &[u8], headers: &Headers) -> Result<Photo, PhotoError> {
    let reason = if has_end(bytes, headers) {
        match with_zune(bytes, headers, true) {
            Ok((width, height, pixels)) => return Photo::from_rgb(width, height, pixels),
            Err(reason) => reason,
        }
    } else {
        "the end of the image is missing".to_owned()
    };
    let (width, height, pixels) = with_zune(bytes, headers, false)
        .or_else(|error| match before_last_marker(bytes, headers) {
            Some(shorter) => with_zune(&shorter, headers, false),
            None => Err(error),
        })
        .map_err(|reason| PhotoError::Decode { format: PhotoFormat::Jpeg, reason })?;
    let share = share_of_rows(&pixels, width as usize);
    if share < LEAST_SHARE {
        return Err(PhotoError::TooTruncated { share, reason });
    }
    let mut photo = Photo::from_rgb(width, height, pixels)?;
    photo.rescue = Some(Rescue { share, reason });
    Ok(photo)
}

/// Whether an end-of-image marker follows the first scan. Inside the scans the byte 0xFF is
/// always stuffed, so that the two bytes cannot stand there by chance.
fn has_end(bytes: &[u8], headers: &Headers) -> bool {
    let scan = usize::try_from(headers.scan).unwrap_or(usize::MAX);
    bytes.get(scan..).is_some_and(|scans| memchr::memmem::rfind(scans, &[0xFF, 0xD9]).is_some())
}

/// The file up to its last marker, ended there. A progressive file may be cut within the
/// tables between two scans, at which even the lenient decoder gives up.
fn before_last_marker(bytes: &[u8], headers: &Headers) -> Option<Vec<u8>> {
    let scan = usize::try_from(headers.scan).ok()?;
    let scans = bytes.get(scan..)?;
    let last = memchr::memrchr_iter(0xFF, scans).find(|&at| {
        // Stuffed bytes and restarts belong to the scan.
        scans.get(at + 1).is_some_and(|kind| !matches!(kind, 0x00 | 0xD0..=0xD7 | 0xFF))
    })?;
    let mut shorter = bytes[..scan + last].to_vec();
    shorter.extend([0xFF, 0xD9]);
    Some(shorter)
}

/// Width, height and RGB bytes.
fn with_zune(bytes: &[u8], headers: &Headers, strict: bool) -> Result<(u32, u32, Vec<u8>), String> {
    let options = DecoderOptions::default()
        .set_strict_mode(strict)
        .set_max_width(headers.width as usize)
        .set_max_height(headers.height as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("no dimensions")?;
    Ok((width as u32, height as u32, pixels))
}

/// Share of the rows that hold data. The decoder does not tell it, but paints what it never
/// reached in one colour, so that the missing rows are those at the end that are all alike.
fn share_of_rows(pixels: &[u8], width: usize) -> f32 {
    let Some(last) = pixels.last_chunk::<3>() else { return 0.0 };
    let rows = pixels.chunks_exact(width * 3);
    let height = rows.len();
    if !is_filling(*last) {
        return 1.0;
    }
    let missing = rows
        .rev()
        .take_while(|row| row.as_chunks::<3>().0.iter().all(|pixel| pixel == last))
        .count();
    (height - missing) as f32 / height as f32
}

/// The colours that stand for "no data": middle grey, and what it becomes where components
/// follow one another or are inks.
fn is_filling(pixel: [u8; 3]) -> bool {
    matches!(pixel, [128, 128, 128] | [63..=64, 63..=64, 63..=64] | [0, 134..=136, 0])
}

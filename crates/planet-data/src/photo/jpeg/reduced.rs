//! JPEGs decoded at a fraction of their size: libjpeg's inverse transform makes fewer pixels of each
//! block (mozjpeg).

use mozjpeg::decompress::DecompressBuilder;
use mozjpeg_sys::{jpeg_common_struct, jpeg_error_mgr, jpeg_std_error};

use super::{Photo, Survey};
use crate::guard::guarded;

/// Eighths of the size at which photos are decoded, the smallest first.
const EIGHTHS: [u8; 3] = [1, 2, 4];
/// Decoded photos stay larger than what is made of them by this factor along either side, because
/// the transform's reduction is no area average: resized by this factor on, its pixels differ from
/// those of the whole photo by less than half a step of 255 (BENCHMARKS.md).
const ENLARGED: f64 = 2.5;

/// A JPEG of which only a version smaller by `spare` is wanted, decoded at an eighth, a quarter or
/// half of its size. `None` where that leaves too few pixels, and for files that libjpeg does not
/// decode to the end without a warning or that zune-jpeg does not take: the ordinary decoders take
/// those and say what is wrong with them.
pub(in crate::photo) fn reduced(bytes: &[u8], spare: f64) -> Option<Photo> {
    let enough = |eighths: &u8| spare * f64::from(*eighths) >= 8.0 * ENLARGED;
    let eighths = EIGHTHS.into_iter().find(enough)?;
    let survey = Survey::of(bytes).ok()?;
    let is_plain = survey.is_for_zune() && survey.frame.components.len() <= 3 && survey.has_end;
    if !is_plain {
        return None;
    }
    guarded(|| decode(bytes, eighths)).ok()?
}

fn decode(bytes: &[u8], eighths: u8) -> Option<Photo> {
    let mut decoder = DecompressBuilder::new().with_err(strict()).from_mem(bytes).ok()?;
    decoder.scale(eighths);
    let mut lines = decoder.rgb().ok()?;
    let (width, height) = (lines.width(), lines.height());
    let pixels: Vec<u8> = lines.read_scanlines().ok()?;
    lines.finish().ok()?;
    Photo::from_rgb(width as u32, height as u32, pixels).ok()
}

/// An error manager under which a warning ends the decoding as an error does.
#[allow(unsafe_code)]
fn strict() -> jpeg_error_mgr {
    // SAFETY: the structure is plain data of C, and libjpeg fills in all that it needs.
    let mut errors = unsafe { std::mem::zeroed() };
    // SAFETY: the only parameter is the structure to be filled.
    unsafe { jpeg_std_error(&mut errors) };
    errors.error_exit = Some(give_up);
    errors.emit_message = Some(take_message);
    errors
}

/// Leaves libjpeg, whose code is built to be unwound, for [`guarded`], without a word.
extern "C-unwind" fn give_up(_: &mut jpeg_common_struct) {
    std::panic::resume_unwind(Box::new("libjpeg gave up"));
}

extern "C-unwind" fn take_message(decoder: &mut jpeg_common_struct, level: i32) {
    // Negative levels are warnings: data are damaged. Others trace.
    if level < 0 {
        give_up(decoder);
    }
}

//! Files made of a few bytes, and the pixels that other decoders find in them.

use std::io::Cursor;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use planet_data::{Limits, Photo};
use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, colortype};

/// Largest side of a picture that is made.
const SIDE: u16 = 96;

/// Decoders round differently, and enlarge colours differently, most where they are stored at a
/// quarter of the size: the greatest mean of all differences, of 255, and the share of values that
/// may differ by more than [`FAR`]. Pixels from a wrong place or of a wrong colour differ by more.
const MEAN: f64 = 8.0;
const FAR: u8 = 64;
const SHARE_FAR: f64 = 0.05;

/// Width, height, and red, green and blue of every pixel.
#[derive(PartialEq)]
struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// A file made of a recipe, with the pixels that it was made of where its format keeps them.
pub struct Made {
    file: Vec<u8>,
    exact: Option<Picture>,
    is_sound: bool,
}

impl Made {
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    pub fn check(&self) {
        if !self.is_sound {
            return compare(&self.file);
        }
        let photo = ours(&self.file).expect("a sound file is decoded");
        if let Some(exact) = &self.exact {
            assert!(photo == *exact, "other pixels than those that were written");
        }
        if let Some(other) = other_jpeg(&self.file) {
            alike(&photo, &other);
        }
    }
}

/// A file that the bytes describe: format and kind, sides, how many bytes are overwritten and
/// with what, then colours.
pub fn made(bytes: &[u8]) -> Option<Made> {
    let (&[kind, width, height, detail, damages], rest) = bytes.split_first_chunk::<5>()?;
    let (width, height) = (u16::from(width) % SIDE + 1, u16::from(height) % SIDE + 1);
    let damages = usize::from(damages) % 4;
    let (damages, colours) = rest.split_at_checked(3 * damages)?;
    let rgb = paint(width, height, colours);
    let picture = Picture { width: width.into(), height: height.into(), rgb };
    let mut file = match kind % 4 {
        0 | 1 => jpeg(&picture, kind / 4, detail)?,
        2 => png(&picture, detail)?,
        _ => tiff(&picture, detail)?,
    };
    let exact = (kind % 4 > 1 && damages.is_empty()).then_some(picture);
    let is_sound = damages.is_empty();
    for damage in damages.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([damage[0], damage[1]])) % file.len();
        file[at] = damage[2];
    }
    Some(Made { file, exact, is_sound })
}

/// A colour for every 16 x 16 pixels with a slope within, since decoders may enlarge what is
/// stored at half the size in their own way.
fn paint(width: u16, height: u16, colours: &[u8]) -> Vec<u8> {
    let tiles = usize::from(width).div_ceil(16);
    let value = |x: usize, y: usize, channel: usize| {
        let tile = y / 16 * tiles + x / 16;
        let colour = colours.get((3 * tile + channel) % colours.len().max(1)).copied();
        (colour.unwrap_or(128) / 2).saturating_add((2 * (x % 16) + y % 16) as u8)
    };
    let (width, height) = (usize::from(width), usize::from(height));
    (0..width * height * 3).map(|at| value(at / 3 % width, at / 3 / width, at % 3)).collect()
}

fn jpeg(picture: &Picture, kind: u8, detail: u8) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 30 + detail % 70);
    encoder.set_progressive(kind & 1 == 1);
    encoder.set_sampling_factor(match kind >> 2 & 7 {
        0 => SamplingFactor::F_1_1,
        1 => SamplingFactor::F_2_1,
        2 => SamplingFactor::F_1_2,
        3 => SamplingFactor::F_4_1,
        4 => SamplingFactor::F_4_2,
        5 => SamplingFactor::F_1_4,
        6 => SamplingFactor::F_2_4,
        _ => SamplingFactor::F_2_2,
    });
    if kind & 32 == 32 {
        encoder.set_restart_interval(u16::from(detail) % 5 + 1);
    }
    let sides = (u16::try_from(picture.width).ok()?, u16::try_from(picture.height).ok()?);
    encoder.encode(&picture.rgb, sides.0, sides.1, ColorType::Rgb).ok()?;
    Some(file)
}

fn png(picture: &Picture, detail: u8) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_filter(match detail % 6 {
        0 => png::Filter::NoFilter,
        1 => png::Filter::Sub,
        2 => png::Filter::Up,
        3 => png::Filter::Avg,
        4 => png::Filter::Paeth,
        _ => png::Filter::Adaptive,
    });
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&picture.rgb).ok()?;
    writer.finish().ok()?;
    Some(file)
}

fn tiff(picture: &Picture, detail: u8) -> Option<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    let compression = match detail % 4 {
        0 => Compression::Uncompressed,
        1 => Compression::Lzw,
        2 => Compression::Deflate(DeflateLevel::Fast),
        _ => Compression::Packbits,
    };
    // The predictor of the writer goes with LZW and Deflate.
    let predictor = match detail & 4 == 4 && matches!(detail % 4, 1 | 2) {
        true => Predictor::Horizontal,
        false => Predictor::None,
    };
    let (width, height, rgb) = (picture.width, picture.height, &picture.rgb);
    if detail & 8 == 8 {
        let encoder = TiffEncoder::new_big(&mut file).ok()?;
        let mut encoder = encoder.with_compression(compression).with_predictor(predictor);
        encoder.write_image::<colortype::RGB8>(width, height, rgb).ok()?;
    } else {
        let encoder = TiffEncoder::new(&mut file).ok()?;
        let mut encoder = encoder.with_compression(compression).with_predictor(predictor);
        encoder.write_image::<colortype::RGB8>(width, height, rgb).ok()?;
    }
    Some(file.into_inner())
}

/// Decodes any file; panics where another decoder finds nothing wrong either and other pixels. Of
/// a damaged JPEG every decoder makes something else, but a PNG has check sums.
pub fn compare(file: &[u8]) {
    let Some(photo) = ours(file) else { return };
    // Photos are turned upright and the other decoder's pictures are not.
    let turns: [&[u8]; 5] = [b"Exif", b"eXIf", b"tEXt", b"zTXt", b"iTXt"];
    if turns.iter().any(|turn| file.windows(4).any(|bytes| bytes == *turn)) {
        return;
    }
    if let Some(other) = other_png(file) {
        assert!(photo == other, "other pixels than another decoder's");
    }
}

/// Two decoders' pixels of a JPEG.
fn alike(photo: &Picture, other: &Picture) {
    assert_eq!((photo.width, photo.height), (other.width, other.height), "sides");
    let differences = || photo.rgb.iter().zip(&other.rgb).map(|(a, b)| a.abs_diff(*b));
    let count = photo.rgb.len() as f64;
    let mean = differences().map(f64::from).sum::<f64>() / count;
    let far = differences().filter(|&difference| difference > FAR).count() as f64 / count;
    assert!(mean <= MEAN, "the mean difference is {mean:.2} of 255");
    assert!(far <= SHARE_FAR, "{:.1} % of the values differ by more than {FAR}", 100.0 * far);
}

/// The photo, unless it is refused or was rescued from a damaged file.
fn ours(file: &[u8]) -> Option<Picture> {
    let limits = Limits { bytes: 1 << 20, pixels: 1 << 20, ..Limits::default() };
    let photo = Photo::decode(file, &limits).ok().filter(|photo| photo.rescue().is_none())?;
    let (width, height) = (photo.width(), photo.height());
    Some(Picture { width, height, rgb: photo.pixels().to_vec() })
}

fn other_jpeg(file: &[u8]) -> Option<Picture> {
    file.starts_with(&[0xFF, 0xD8]).then_some(())?;
    let mut decoder = jpeg_decoder::Decoder::new(file);
    decoder.set_max_decoding_buffer_size(1 << 24);
    let pixels = decoder.decode().ok()?;
    let info = decoder.info()?;
    let rgb = match info.pixel_format {
        jpeg_decoder::PixelFormat::RGB24 => pixels,
        jpeg_decoder::PixelFormat::L8 => pixels.iter().flat_map(|&value| [value; 3]).collect(),
        // Twelve bits and inks: PlaNet refuses the one, and there are two customs for the other.
        _ => return None,
    };
    Some(Picture { width: info.width.into(), height: info.height.into(), rgb })
}

fn other_png(file: &[u8]) -> Option<Picture> {
    file.starts_with(b"\x89PNG").then_some(())?;
    use zune_png::zune_core::{
        bytestream::ZCursor, options::DecoderOptions, result::DecodingResult,
    };
    let options = DecoderOptions::default()
        .set_max_width(1 << 12)
        .set_max_height(1 << 12)
        .png_set_strip_to_8bit(true)
        .png_set_confirm_crc(true)
        .set_strict_mode(true);
    let mut decoder = zune_png::PngDecoder::new_with_options(ZCursor::new(file), options);
    let DecodingResult::U8(pixels) = decoder.decode().ok()? else { return None };
    let (width, height) = decoder.dimensions()?;
    let channels = decoder.colorspace()?.num_components();
    let rgb = match channels {
        1 => pixels.iter().flat_map(|&value| [value; 3]).collect(),
        3 => pixels,
        // How transparency is shown is PlaNet's own choice.
        _ => return None,
    };
    Some(Picture { width: width as u32, height: height as u32, rgb })
}

use std::fmt;

/// A file format, known by its first bytes and never by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhotoFormat {
    /// JPEG, sequential or progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless.
    WebP,
    /// TIFF and BigTIFF, either byte order.
    Tiff,
    /// GIF; its first frame is the photo.
    Gif,
    /// HEIC and other HEIF brands.
    Heic,
    /// AVIF.
    Avif,
}

impl PhotoFormat {
    /// Number of leading bytes that [`PhotoFormat::of`] needs at most.
    pub const MAGIC: usize = 32;

    /// The format that a file with these first bytes has.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => Self::of_brands(brands),
            _ => None,
        }
    }

    /// The first brand that is known, of the major one and the compatible ones.
    fn of_brands(brands: &[u8]) -> Option<Self> {
        brands.chunks_exact(4).take(6).find_map(|brand| match brand {
            b"avif" | b"avis" => Some(Self::Avif),
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => {
                Some(Self::Heic)
            }
            _ => None,
        })
    }

    /// Endings by which files of this format are usually named, lower case. For choosing files
    /// to look at; what a file is, its bytes say.
    pub const EXTENSIONS: [&str; 13] = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "gif", "heic", "heif", "hif",
        "avif",
    ];
}

impl fmt::Display for PhotoFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Gif => "GIF",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_short_files_have_no_format() {
        assert_eq!(PhotoFormat::of(b""), None);
        assert_eq!(PhotoFormat::of(b"\xFF\xD8"), None);
        assert_eq!(PhotoFormat::of(b"this is a text file, whatever its name"), None);
    }

    #[test]
    fn avif_files_whose_major_brand_is_the_general_one_are_heif() {
        assert_eq!(PhotoFormat::of(b"\0\0\0\x1cftypavif\0\0\0\0mif1"), Some(PhotoFormat::Avif));
        assert_eq!(PhotoFormat::of(b"\0\0\0\x1cftypheic\0\0\0\0mif1"), Some(PhotoFormat::Heic));
        assert_eq!(PhotoFormat::of(b"\0\0\0\x1cftypisom\0\0\0\0mp42"), None);
    }
}

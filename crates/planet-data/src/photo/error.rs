use std::{io, path::PathBuf};

use thiserror::Error;

use super::PhotoFormat;

/// Why a photo could not be read. It does not repeat the photo's id: the caller that asked for the
/// photo names it beside the reason.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PhotoError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The file is larger than [`super::Limits::bytes`].
    #[error(
        "{bytes} bytes are more than the limit of {limit}; raise the limit if the file is valid"
    )]
    TooManyBytes {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The photo has more pixels than [`super::Limits::pixels`].
    #[error(
        "{width} x {height} pixels are more than the limit of {limit}; raise the limit if the photo is valid"
    )]
    TooManyPixels {
        /// Width that the file claims.
        width: u32,
        /// Height that the file claims.
        height: u32,
        /// The limit on their product.
        limit: u64,
    },
    /// Decoding would take more memory than [`super::Limits::memory`].
    #[error(
        "decoding takes about {} MB of memory, more than the limit of {} MB; make the photo smaller, or raise the limit if it is valid",
        .needs.div_ceil(1_000_000), .limit / 1_000_000
    )]
    TooMuchMemory {
        /// Bytes that the photo takes at the greatest, its file included.
        needs: u64,
        /// The limit.
        limit: u64,
    },
    /// A library that PlaNet uses panicked on this photo.
    #[error(
        "a library failed on this photo ({message}); save the photo again, and please report this defect"
    )]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// Width or height is zero, or there are not three bytes for every pixel.
    #[error("{bytes} bytes are not a photo of {width} x {height} pixels")]
    Shape {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes given.
        bytes: usize,
    },
    /// The bytes are no format that is known here, whatever the file's name says.
    #[error("not a photo: the file is not JPEG, PNG, WebP, TIFF, GIF, HEIC or AVIF")]
    UnknownFormat,
    /// HEIC or AVIF in a build without the feature `heif`: only their headers are read.
    #[error(
        "this build cannot decode {0}; build PlaNet with the feature heif, or convert the photo to JPEG"
    )]
    Undecodable(PhotoFormat),
    /// The headers are cut off or contradict themselves.
    #[error("damaged {format} header: {reason}")]
    Header {
        /// The format that the first bytes name.
        format: PhotoFormat,
        /// What is wrong.
        reason: String,
    },
    /// The pixels cannot be decoded.
    #[error("damaged {format}: {reason}")]
    Decode {
        /// The format.
        format: PhotoFormat,
        /// What the decoder says.
        reason: String,
    },
    /// A truncated JPEG of which less than half the rows hold data.
    #[error("truncated JPEG: only {:.0} % of its rows have data, at least 50 % are required ({reason})", .share * 100.0)]
    TooTruncated {
        /// Share of the rows that hold data, 0..1.
        share: f32,
        /// What the strict decoder said.
        reason: String,
    },
    /// The id leads out of the root.
    #[error("`{id}` is outside the dataset's root; ids must be relative paths without `..`")]
    OutsideRoot {
        /// The id as it stands in the manifest.
        id: String,
    },
    /// The shard holds no such file.
    #[error("{shard} does not contain `{key}`")]
    NoSuchMember {
        /// The shard's path.
        shard: PathBuf,
        /// The member asked for.
        key: String,
    },
    /// The shard ends before this member does.
    #[error("{shard} is truncated in the middle of `{key}`; get the shard again")]
    CutShard {
        /// The shard's path.
        shard: PathBuf,
        /// The member asked for.
        key: String,
    },
}

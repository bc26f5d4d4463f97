/// How large a photo may be. All are checked before memory is taken, so that a file of a
/// kilobyte that claims to be 60,000 × 60,000 pixels costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Greatest size of the file in bytes.
    pub bytes: u64,
    /// Greatest number of pixels, width × height.
    pub pixels: u64,
    /// Greatest memory in bytes that one photo may take until its pixels are upright: the file,
    /// what its decoder keeps, and the pixels. It is estimated from the headers, never too low.
    pub memory: u64,
}

impl Default for Limits {
    /// 256 MiB, 200 million pixels, and 400 MB of memory: an ordinary JPEG of up to about 120
    /// million pixels, a progressive one of half that.
    fn default() -> Self {
        Self { bytes: 256 << 20, pixels: 200_000_000, memory: 400_000_000 }
    }
}

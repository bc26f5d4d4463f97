/// How large a photo may be. Both are checked before memory is taken, so that a file of a
/// kilobyte that claims to be 60,000 × 60,000 pixels costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Greatest size of the file in bytes.
    pub bytes: u64,
    /// Greatest number of pixels, width × height.
    pub pixels: u64,
}

impl Default for Limits {
    /// 256 MiB, and 200 million pixels: what the largest phone cameras write.
    fn default() -> Self {
        Self { bytes: 256 << 20, pixels: 200_000_000 }
    }
}

/// Pixels of some photos as a network takes them: f32, `[photos, 3, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelBatch {
    photos: usize,
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl PixelBatch {
    /// Room for photos of one size, to be filled by [`PixelBatch::push`].
    pub fn with_capacity(photos: usize, height: usize, width: usize) -> Self {
        Self { photos: 0, height, width, values: Vec::with_capacity(photos * 3 * height * width) }
    }

    /// Appends one photo, `[3, height, width]`.
    ///
    /// # Panics
    /// When the photo has another size: photos of one batch come from one preprocessing.
    pub fn push(&mut self, photo: &[f32]) {
        assert_eq!(photo.len(), 3 * self.height * self.width, "photos of a batch share one size");
        self.values.extend_from_slice(photo);
        self.photos += 1;
    }

    /// Number of photos.
    pub fn photos(&self) -> usize {
        self.photos
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// `[photos, 3, height, width]`.
    pub fn shape(&self) -> [usize; 4] {
        [self.photos, 3, self.height, self.width]
    }

    /// All values, photo by photo, channel by channel, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values themselves, for an engine that takes them over.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

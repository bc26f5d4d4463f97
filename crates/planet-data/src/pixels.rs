use std::sync::Arc;

/// Pixels of some photos as a network takes them: f32, `[photos, 3, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelBatch {
    photos: usize,
    height: usize,
    width: usize,
    /// Shared with the loader, which uses the memory again once no one else holds it.
    values: Arc<Vec<f32>>,
}

impl PixelBatch {
    /// Room for photos of one size, to be filled by [`PixelBatch::push`].
    pub fn with_capacity(photos: usize, height: usize, width: usize) -> Self {
        let values = Arc::new(Vec::with_capacity(photos * 3 * height * width));
        Self { photos: 0, height, width, values }
    }

    /// Takes the photos out and keeps the memory, if no clone of the batch is left.
    pub(crate) fn empty_if_unshared(&mut self) -> bool {
        let Some(values) = Arc::get_mut(&mut self.values) else { return false };
        values.clear();
        self.photos = 0;
        true
    }

    /// Appends one photo, `[3, height, width]`.
    ///
    /// # Panics
    /// When the photo has another size: photos of one batch come from one preprocessing.
    pub fn push(&mut self, photo: &[f32]) {
        self.push_with(|values| values.extend_from_slice(photo));
    }

    /// Appends the one photo, `[3, height, width]`, that `append` adds to the values.
    pub(crate) fn push_with(&mut self, append: impl FnOnce(&mut Vec<f32>)) {
        append(Arc::make_mut(&mut self.values));
        self.photos += 1;
        let all = 3 * self.height * self.width * self.photos;
        assert_eq!(self.values.len(), all, "photos of a batch share one size");
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
}

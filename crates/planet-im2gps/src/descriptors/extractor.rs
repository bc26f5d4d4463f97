use std::cell::OnceCell;

use planet_data::Photo;

use super::{
    Descriptor, TextonDictionary, Version, by_surface::BySurface, colour::ColourHistogram,
    gist::Gist, layout::Layout, lines::Lines, tiny_image::TinyImage, words::Words,
};
use crate::{
    SurfaceClassifier, WorkingImage,
    words::{Vocabulary, Word},
};

/// What descriptors count, learnt from the photos of an index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dictionaries {
    /// Textons.
    pub textons: TextonDictionary,
    /// Visual words; the version of 2008 needs none.
    pub words: Vocabulary,
}

/// Computes the descriptors of photos. Made once and shared by all threads.
///
/// ```
/// use planet_data::Photo;
/// use planet_im2gps::{Dictionaries, Extractor, Version};
///
/// let photo = Photo::from_rgb(2, 1, vec![255, 0, 0, 0, 0, 255])?;
/// let extractor = Extractor::new(Version::Im2Gps2014, Dictionaries::default());
/// let row = extractor.row(&photo);
/// assert_eq!(row.len(), Version::Im2Gps2014.values());
/// assert!(row.iter().all(|value| value.is_finite()));
/// # Ok::<(), planet_data::PhotoError>(())
/// ```
pub struct Extractor {
    version: Version,
    dictionaries: Dictionaries,
    gist: Gist,
}

impl Extractor {
    /// With what histograms count.
    pub fn new(version: Version, dictionaries: Dictionaries) -> Self {
        Self { version, dictionaries, gist: Gist::new() }
    }

    /// All descriptors of a photo, `[Version::values]`. All numbers are finite, whatever the
    /// photo.
    pub fn row(&self, photo: &Photo) -> Vec<f32> {
        let analysis = Analysis::of(photo, self);
        let mut values = Vec::with_capacity(self.version.values());
        self.version.descriptors().iter().for_each(|it| analysis.append(*it, &mut values));
        values
    }

    /// One descriptor of a photo.
    pub fn of(&self, descriptor: Descriptor, photo: &Photo) -> Vec<f32> {
        let mut values = Vec::with_capacity(descriptor.values());
        Analysis::of(photo, self).append(descriptor, &mut values);
        values
    }
}

/// A photo with what several descriptors need of it, computed when the first one asks.
struct Analysis<'a> {
    extractor: &'a Extractor,
    image: WorkingImage,
    surfaces: OnceCell<Vec<[f32; 4]>>,
    textons: OnceCell<Vec<u32>>,
    words: OnceCell<Vec<Word>>,
}

impl<'a> Analysis<'a> {
    fn of(photo: &Photo, extractor: &'a Extractor) -> Self {
        let (surfaces, textons, words) = Default::default();
        Self { extractor, image: WorkingImage::new(photo), surfaces, textons, words }
    }

    /// Probabilities of the four surfaces, `[height, width]`.
    fn surfaces(&self) -> &[[f32; 4]] {
        self.surfaces.get_or_init(|| SurfaceClassifier::trained().of_pixels(&self.image))
    }

    /// Textons of the pixels that are counted.
    fn textons(&self) -> &[u32] {
        self.textons.get_or_init(|| self.extractor.dictionaries.textons.words_of(&self.image))
    }

    /// Words of the local features.
    fn words(&self) -> &[Word] {
        self.words.get_or_init(|| self.extractor.dictionaries.words.words_of(&self.image))
    }

    /// Appends the numbers of a descriptor.
    fn append(&self, descriptor: Descriptor, values: &mut Vec<f32>) {
        let image = &self.image;
        let [coarse, fine] = self.extractor.dictionaries.words.weights();
        match descriptor {
            Descriptor::TinyImage => TinyImage::append(image, values),
            Descriptor::Colour => ColourHistogram::append(image, values),
            Descriptor::Textons => TextonDictionary::append(self.textons(), values),
            Descriptor::Lines => Lines::append(image, values),
            Descriptor::Gist => self.extractor.gist.append(image, values),
            Descriptor::Layout => Layout::append(image, self.surfaces(), values),
            Descriptor::SurfaceColour => BySurface::append_colour(image, self.surfaces(), values),
            Descriptor::SurfaceTextons => {
                BySurface::append_textons(image, self.textons(), self.surfaces(), values);
            }
            Descriptor::CoarseWords => Words::append_coarse(self.words(), coarse, values),
            Descriptor::FineWords => Words::append_fine(self.words(), fine, values),
        }
    }
}

//! The image descriptors of Im2GPS 2008, one a file: what each measures, and how two are compared.

mod canny;
mod colour;
mod gist;
mod layout;
mod lines;
mod metric;
mod textons;
mod tiny_image;

use planet_data::Photo;
use serde::{Deserialize, Serialize};

pub use self::textons::{TextonDictionary, TextonSamples};
use self::{
    colour::ColourHistogram, gist::Gist, layout::Layout, lines::Lines, tiny_image::TinyImage,
};
use crate::WorkingImage;

/// One of the descriptors of a photo (Hays and Efros, "IM2GPS", CVPR 2008, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Descriptor {
    /// The photo in 16 × 16 pixels; Euclidean distance.
    TinyImage,
    /// Joint histogram of L\*, a\* and b\*, 4 × 14 × 14 bins; χ² distance.
    Colour,
    /// Histogram of the 512 textons of the index; χ² distance.
    Textons,
    /// Angles and lengths of straight lines; L1 distance.
    Lines,
    /// Gist, 4 scales × 6 orientations × 5 × 5 cells, with the colours of the cells; Euclidean
    /// distance.
    Gist,
    /// Probabilities of ground, vertical surfaces and sky in 8 × 8 cells; Euclidean distance.
    Layout,
}

impl Descriptor {
    /// All of them, in the order of a row.
    pub const ALL: [Self; 6] =
        [Self::TinyImage, Self::Colour, Self::Textons, Self::Lines, Self::Gist, Self::Layout];

    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TinyImage => "tiny-image",
            Self::Colour => "colour",
            Self::Textons => "textons",
            Self::Lines => "lines",
            Self::Gist => "gist",
            Self::Layout => "layout",
        }
    }

    /// How many numbers it has.
    pub const fn values(self) -> usize {
        match self {
            Self::TinyImage => TinyImage::VALUES,
            Self::Colour => ColourHistogram::VALUES,
            Self::Textons => TextonDictionary::WORDS,
            Self::Lines => Lines::VALUES,
            Self::Gist => Gist::VALUES,
            Self::Layout => Layout::VALUES,
        }
    }

    /// How far two photos are apart by it; never negative, zero for equal ones. Both have
    /// [`Descriptor::values`] numbers.
    pub fn distance(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Self::TinyImage | Self::Gist | Self::Layout => metric::euclidean(a, b),
            Self::Colour | Self::Textons => metric::chi_squared(a, b),
            Self::Lines => metric::manhattan(a, b),
        }
    }

    /// Appends its numbers for a photo.
    fn append(self, image: &WorkingImage, extractor: &Extractor, values: &mut Vec<f32>) {
        match self {
            Self::TinyImage => TinyImage::append(image, values),
            Self::Colour => ColourHistogram::append(image, values),
            Self::Textons => extractor.textons.append(image, values),
            Self::Lines => Lines::append(image, values),
            Self::Gist => extractor.gist.append(image, values),
            Self::Layout => Layout::append(image, values),
        }
    }
}

/// Computes the descriptors of photos. Made once and shared by all threads.
///
/// ```
/// use planet_data::Photo;
/// use planet_im2gps::{Descriptor, Extractor, TextonDictionary};
///
/// let photo = Photo::from_rgb(2, 1, vec![255, 0, 0, 0, 0, 255])?;
/// let extractor = Extractor::new(TextonDictionary::default());
/// let row = extractor.row(&photo);
/// assert_eq!(row.len(), Extractor::VALUES);
/// assert!(row.iter().all(|value| value.is_finite()));
/// # Ok::<(), planet_data::PhotoError>(())
/// ```
pub struct Extractor {
    textons: TextonDictionary,
    gist: Gist,
}

impl Extractor {
    /// Numbers of a photo's row: those of all descriptors, one behind the other.
    pub const VALUES: usize = {
        let (mut sum, mut at) = (0, 0);
        while at < Descriptor::ALL.len() {
            sum += Descriptor::ALL[at].values();
            at += 1;
        }
        sum
    };

    /// With the textons that histograms count.
    pub fn new(textons: TextonDictionary) -> Self {
        Self { textons, gist: Gist::new() }
    }

    /// All descriptors of a photo, `[Extractor::VALUES]`. All numbers are finite, whatever the
    /// photo.
    pub fn row(&self, photo: &Photo) -> Vec<f32> {
        let image = WorkingImage::new(photo);
        let mut values = Vec::with_capacity(Self::VALUES);
        Descriptor::ALL.iter().for_each(|it| it.append(&image, self, &mut values));
        values
    }

    /// One descriptor of a photo.
    pub fn of(&self, descriptor: Descriptor, photo: &Photo) -> Vec<f32> {
        let mut values = Vec::with_capacity(descriptor.values());
        descriptor.append(&WorkingImage::new(photo), self, &mut values);
        values
    }

    /// The parts of a row, with their descriptors.
    pub fn parts(row: &[f32]) -> impl Iterator<Item = (Descriptor, &[f32])> {
        let mut rest = row;
        Descriptor::ALL.into_iter().map(move |descriptor| {
            let (part, behind) = rest.split_at(descriptor.values());
            rest = behind;
            (descriptor, part)
        })
    }
}

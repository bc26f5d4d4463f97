//! The image descriptors of Im2GPS, one a file: what each measures, and how two are compared.

mod by_surface;
mod canny;
mod colour;
mod extractor;
mod gist;
mod layout;
mod lines;
mod metric;
mod textons;
mod tiny_image;
mod words;

use serde::{Deserialize, Serialize};

use self::{
    by_surface::BySurface, colour::ColourHistogram, gist::Gist, layout::Layout, lines::Lines,
    tiny_image::TinyImage, words::Words,
};
pub use self::{
    extractor::{Dictionaries, Extractor},
    textons::{TextonDictionary, TextonSamples},
};

/// Which of the methods, by the year of its publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// Hays and Efros, "IM2GPS: estimating geographic information from a single image" (CVPR 2008).
    Im2Gps2008,
    /// Hays and Efros, "Large-scale image geolocalization" (in "Multimodal location estimation of
    /// videos and images", 2014): more descriptors, and support vector machines.
    Im2Gps2014,
}

impl Version {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Im2Gps2008, Self::Im2Gps2014];

    /// The year.
    pub const fn year(self) -> u32 {
        match self {
            Self::Im2Gps2008 => 2008,
            Self::Im2Gps2014 => 2014,
        }
    }

    /// The version of a year.
    pub fn of_year(year: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.year() == year)
    }

    /// Its descriptors, in the order of a row.
    pub const fn descriptors(self) -> &'static [Descriptor] {
        match self {
            Self::Im2Gps2008 => Descriptor::ALL.split_at(6).0,
            Self::Im2Gps2014 => &Descriptor::ALL,
        }
    }

    /// Numbers of a photo's row: those of all its descriptors, one behind the other.
    pub const fn values(self) -> usize {
        let (descriptors, mut sum, mut at) = (self.descriptors(), 0, 0);
        while at < descriptors.len() {
            sum += descriptors[at].values();
            at += 1;
        }
        sum
    }

    /// The parts of a row `[Version::values]`, with their descriptors.
    pub fn parts(self, row: &[f32]) -> impl Iterator<Item = (Descriptor, &[f32])> {
        let mut rest = row;
        self.descriptors().iter().map(move |descriptor| {
            let (part, behind) = rest.split_at(descriptor.values());
            rest = behind;
            (*descriptor, part)
        })
    }
}

/// One of the descriptors of a photo: the first six are those of 2008 (section 3 of that paper),
/// to which 2014 adds the others.
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
    /// Histograms of colour of ground, vertical, sky and porous surfaces; χ² distance.
    SurfaceColour,
    /// Histograms of textons of the four surfaces; χ² distance.
    SurfaceTextons,
    /// Weights of the 1,000 coarse visual words; one minus the cosine.
    CoarseWords,
    /// Weights of the 50,000 fine visual words; one minus the cosine.
    FineWords,
}

impl Descriptor {
    /// All of them, in the order of a row.
    pub const ALL: [Self; 10] = [
        Self::TinyImage,
        Self::Colour,
        Self::Textons,
        Self::Lines,
        Self::Gist,
        Self::Layout,
        Self::SurfaceColour,
        Self::SurfaceTextons,
        Self::CoarseWords,
        Self::FineWords,
    ];

    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TinyImage => "tiny-image",
            Self::Colour => "colour",
            Self::Textons => "textons",
            Self::Lines => "lines",
            Self::Gist => "gist",
            Self::Layout => "layout",
            Self::SurfaceColour => "surface-colour",
            Self::SurfaceTextons => "surface-textons",
            Self::CoarseWords => "coarse-words",
            Self::FineWords => "fine-words",
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
            Self::SurfaceColour => BySurface::COLOUR_VALUES,
            Self::SurfaceTextons => BySurface::TEXTON_VALUES,
            Self::CoarseWords => Words::COARSE_VALUES,
            Self::FineWords => Words::FINE_VALUES,
        }
    }

    /// How far two photos are apart by it; never negative, zero for equal ones. Both have
    /// [`Descriptor::values`] numbers.
    pub fn distance(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Self::TinyImage | Self::Gist | Self::Layout => metric::euclidean(a, b),
            Self::Colour | Self::Textons | Self::SurfaceColour | Self::SurfaceTextons => {
                metric::chi_squared(a, b)
            }
            Self::Lines => metric::manhattan(a, b),
            Self::CoarseWords => metric::cosine(a, b),
            Self::FineWords => metric::sparse_cosine(a, b),
        }
    }
}

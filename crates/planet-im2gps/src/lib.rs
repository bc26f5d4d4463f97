//! Im2GPS: geolocation by similar photos, the method that PlaNet is compared with.
//!
//! Hays and Efros, "IM2GPS: estimating geographic information from a single image" (CVPR 2008).
//! An [`Extractor`] computes the [`Descriptor`]s of a photo; an [`Index`] holds those of many
//! photos with their positions; [`Im2Gps`] finds a photo's neighbours among them and answers with
//! the nearest one, or with the clusters of their positions.
//!
//! One of the descriptors rests on a [`SurfaceClassifier`], which was trained on synthetic photos.

mod descriptors;
mod fourier;
mod index;
mod k_means;
mod lab;
mod locate;
mod mean_shift;
mod surfaces;
mod working_image;

pub use descriptors::{Descriptor, Extractor, TextonDictionary, TextonSamples};
pub use index::{
    Index, IndexBuild, IndexError, IndexSummary, IndexedPhoto, Neighbour, UnreadPhoto,
};
pub use locate::{AnswerOptions, AnswerRule, Im2Gps};
pub use mean_shift::{Cluster, mean_shift};
pub use surfaces::{FEATURES, Segments, SurfaceClass, SurfaceClassifier, region_features};
pub use working_image::{LONGEST_SIDE, WorkingImage};

//! Im2GPS: geolocation by similar photos, the method that PlaNet is compared with.
//!
//! Hays and Efros, "IM2GPS: estimating geographic information from a single image" (CVPR 2008),
//! and "Large-scale image geolocalization" (2014). An [`Extractor`] computes the [`Descriptor`]s of
//! a photo; an [`Index`] holds those of many photos with their positions; [`Im2Gps`] finds a photo's
//! neighbours among them and answers with the nearest one, with the clusters of their positions, or
//! with the cluster that a support vector machine ([`Svm`]) prefers.
//!
//! Some of the descriptors rest on a [`SurfaceClassifier`], which was trained on synthetic photos.

mod descriptors;
mod fourier;
mod index;
mod k_means;
mod lab;
mod locate;
mod mean_shift;
mod preference;
mod sift;
mod surfaces;
mod svm;
mod words;
mod working_image;

pub use descriptors::{
    Descriptor, Dictionaries, Extractor, TextonDictionary, TextonSamples, Version,
};
pub use index::{
    Index, IndexBuild, IndexError, IndexSummary, IndexedPhoto, Neighbour, UnreadPhoto,
};
pub use locate::{AnswerOptions, AnswerRule, Im2Gps};
pub use mean_shift::{Cluster, mean_shift};
pub use sift::{Keypoint, LocalFeature, SIFT_VALUES};
pub use surfaces::{FEATURES, Segments, SurfaceClass, SurfaceClassifier, region_features};
pub use svm::Svm;
pub use words::{Vocabulary, Word, WordSamples};
pub use working_image::{LONGEST_SIDE, WorkingImage};

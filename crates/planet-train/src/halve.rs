use std::path::Path;

use planet::{
    FeatureModel, ModelPackage, NewPackage,
    package::{Agreement, FeatureDescription, HalfWeights, MODEL_FILE, NewFeatures},
};
use planet_data::{FailedPhoto, Monitor};
use planet_net::{Halved, OnnxModel};

use crate::{
    CalibrationPhotos, OpenGraph, QuantizePackageError, Quantized,
    quantize::{MOST_HELD_OUT, Work, require, spread, write},
};

/// Photos that a network with weights in 16 bits is held to, and what is required of it.
#[derive(Clone)]
pub struct HalfCheck {
    /// The photos; at most 2,000 of them are used.
    pub photos: CalibrationPhotos,
    /// Share of clear answers whose best class must stay the best, 0..=1; 0 asks for nothing.
    pub min_agreement: f64,
}

/// Makes a package with weights in 16 bits of one in 32 bits, and where photos are named compares both
/// networks on them. Temperature, level calibration and classes stay; album schemes are left out.
///
/// # Errors
/// A network that has no large arrays in 32 bits, an engine that fails, or less agreement than required.
/// In each case nothing is written.
pub fn halve(
    package: &ModelPackage,
    place: &Path,
    check: Option<&HalfCheck>,
    open: &OpenGraph<'_>,
    monitor: &dyn Monitor,
) -> Result<Quantized, QuantizePackageError> {
    let halved = halved(&package.model())?;
    let new = NewPackage::create(place)?;
    write(&halved.model, new.folder())?;
    let (mut agreement, mut failed) = (None, Vec::new());
    if let Some(check) = check {
        let found = compare(package, &new.folder().join(MODEL_FILE), check, open, monitor)?;
        (agreement, failed) = (Some(found.0), found.1);
    }
    let half = stated(&halved, package.description().network_hash(), agreement);
    Ok(Quantized { package: new.finish_halved(package, half)?, failed })
}

/// Makes a package without classes with weights in 16 bits of one in 32 bits, by its folder and what its
/// model.json says.
///
/// # Errors
/// As [`halve`].
pub fn halve_features(
    folder: &Path,
    description: &FeatureDescription,
    place: &Path,
) -> Result<FeatureModel, QuantizePackageError> {
    let halved = halved(&folder.join(MODEL_FILE))?;
    let new = NewFeatures::create(place)?;
    write(&halved.model, new.folder())?;
    let half = stated(&halved, description.network_hash(), None);
    Ok(new.finish_halved(description, half)?)
}

fn halved(graph: &Path) -> Result<Halved, QuantizePackageError> {
    let model = OnnxModel::read(graph)?;
    model.halved().map_err(|source| QuantizePackageError::Graph { path: graph.to_owned(), source })
}

fn stated(halved: &Halved, network: String, agreement: Option<Agreement>) -> HalfWeights {
    HalfWeights { arrays: halved.arrays as u64, kept: halved.kept.clone(), network, agreement }
}

/// The agreement on the photos, and those that could not be decoded.
fn compare(
    package: &ModelPackage,
    graph: &Path,
    check: &HalfCheck,
    open: &OpenGraph<'_>,
    monitor: &dyn Monitor,
) -> Result<(Agreement, Vec<FailedPhoto>), QuantizePackageError> {
    let photos = &check.photos;
    let rows = spread((0..photos.photos.len()).collect(), MOST_HELD_OUT);
    monitor.expect(rows.len() as u64);
    let mut work = Work { package, photos, open, monitor, failed: Vec::new() };
    let agreement = work.compare(graph, &rows)?;
    require(&agreement, check.min_agreement)?;
    Ok((agreement, work.failed))
}

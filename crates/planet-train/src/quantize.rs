use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
    sync::Arc,
};

use planet::{
    EngineError, GraphEngine, ModelPackage, NewPackage, PackageError, ProbabilityError,
    package::{Agreement, AgreementCounter, MODEL_FILE, Quantization, WEIGHTS_FILE},
};
use planet_data::{FailedPhoto, Loader, LoaderError, LoaderOptions, Monitor, PhotoStore};
use planet_geo::LatLng;
use planet_net::{
    Histogram, OnnxModel, OnnxReadError, QuantizationPlan, QuantizeError, QuantizeOptions, Range,
    RangeMethod,
};
use thiserror::Error;

/// Photos that must be measured at least.
pub const LEAST_CALIBRATION_PHOTOS: usize = 200;

/// Photos that are measured at most: more change no range.
const MOST_CALIBRATION_PHOTOS: usize = 500;

/// Held-out photos that are compared at most.
pub(crate) const MOST_HELD_OUT: usize = 2000;

/// Photos that the engines take at once when they are compared.
const BATCH: usize = 8;

/// What `quantize` writes into [`Quantization::method`].
const METHOD: &str = "static QDQ: weights int8 per output, activations uint8";

/// How a package is quantised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizeSettings {
    /// What keeps 32 bits.
    pub keep: QuantizeOptions,
    /// How the range of an array is chosen.
    pub range: RangeMethod,
    /// Share of clear answers whose best class must stay the best, 0..=1; 0 asks for nothing.
    pub min_agreement: f64,
}

/// Photos to measure and to compare with: one half of them each.
#[derive(Clone)]
pub struct CalibrationPhotos {
    /// Where they can be had.
    pub store: Arc<dyn PhotoStore>,
    /// Their ids, and where they were taken if that is known.
    pub photos: Vec<(String, Option<LatLng>)>,
}

/// A package that was quantised.
#[derive(Debug)]
pub struct Quantized {
    /// The package in 8 bits.
    pub package: ModelPackage,
    /// Photos that could not be decoded.
    pub failed: Vec<FailedPhoto>,
}

/// Opens a graph in the engine that is to run it.
pub type OpenGraph<'o> = dyn Fn(&Path) -> Result<Box<dyn GraphEngine>, EngineError> + 'o;

/// Why a package was not quantised. Nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QuantizePackageError {
    /// The graph cannot be read.
    #[error(transparent)]
    Read(#[from] OnnxReadError),
    /// The graph cannot be quantised.
    #[error("{}: {source}", path.display())]
    Graph {
        /// The graph's file.
        path: PathBuf,
        /// Why.
        source: QuantizeError,
    },
    /// Too few photos can be decoded.
    #[error(
        "{found} of {asked} photos for calibration can be decoded, but at least \
         {LEAST_CALIBRATION_PHOTOS} are required{}",
        first_failed(failed)
    )]
    Photos {
        /// Photos that were decoded.
        found: usize,
        /// Photos that were to be measured.
        asked: usize,
        /// Those that could not be decoded.
        failed: Vec<FailedPhoto>,
    },
    /// No photo is left to compare with.
    #[error("none of the {0} held-out photos can be decoded")]
    NoHeldOut(usize),
    /// An array takes a value that 8 bits cannot represent.
    #[error(
        "{photo}: the array '{array}' of the network contains values that are not finite numbers"
    )]
    NotFinite {
        /// The photo's id.
        photo: String,
        /// The array's name in the graph.
        array: String,
    },
    /// The rounded network decides otherwise too often.
    #[error("{}", disagreement(agreement, *required))]
    Agreement {
        /// What was counted.
        agreement: Box<Agreement>,
        /// The share that was asked for.
        required: f64,
    },
    /// An engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The output of a network is no distribution.
    #[error("{photo}: {source}")]
    Scores {
        /// The photo's id.
        photo: String,
        /// What is wrong.
        source: ProbabilityError,
    },
    /// The photos cannot be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The package cannot be written.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A graph cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// The user ended it.
    #[error("interrupted")]
    Cancelled,
}

fn first_failed(failed: &[FailedPhoto]) -> String {
    failed.first().map_or_else(String::new, |it| {
        format!("; the first that fails is {}: {}", it.photo, it.error)
    })
}

fn disagreement(agreement: &Agreement, required: f64) -> String {
    let Some(found) = agreement.best_class_of_clear else {
        return format!(
            "the network is not sure of any of the {} held-out photos (no best class is 1.5 times as \
             probable as the second), so agreement cannot be measured",
            agreement.photos
        );
    };
    format!(
        "after rounding, {:.2} % of {} clear answers keep their best class, but {:.2} % are required",
        100.0 * found,
        agreement.clear,
        100.0 * required
    )
}

/// Makes a package in 8 bits of one in 32 bits: measures the arrays of its network on one half of the
/// photos, writes the network with QuantizeLinear and DequantizeLinear, and compares both networks on
/// the other half. Temperature, level calibration and classes stay; album schemes are left out.
///
/// # Errors
/// A network that cannot be quantised, too few photos, an engine that fails, or less agreement than
/// required. In each case nothing is written.
pub fn quantize(
    package: &ModelPackage,
    place: &Path,
    photos: &CalibrationPhotos,
    settings: QuantizeSettings,
    open: &OpenGraph<'_>,
    monitor: &dyn Monitor,
) -> Result<Quantized, QuantizePackageError> {
    let graph = package.model();
    let in_graph = |source| QuantizePackageError::Graph { path: graph.clone(), source };
    let model = OnnxModel::read(&graph)?;
    let plan = QuantizationPlan::new(&model, settings.keep).map_err(in_graph)?;
    let (measured, held_out) = halves(photos.photos.len());
    if measured.len() < LEAST_CALIBRATION_PHOTOS {
        let (asked, failed) = (measured.len(), Vec::new());
        return Err(QuantizePackageError::Photos { found: asked, asked, failed });
    }
    let new = NewPackage::create(place)?;
    monitor.expect((measured.len() + held_out.len()) as u64);
    let mut work = Work { package, photos, open, monitor, failed: Vec::new() };
    let (ranges, calibration_photos) = work.measure(&model, &plan, &measured, settings.range)?;

    let quantized = model.quantized(&plan, &ranges).map_err(in_graph)?;
    write(&quantized, new.folder())?;
    let agreement = work.compare(&new.folder().join(MODEL_FILE), &held_out)?;
    require(&agreement, settings.min_agreement)?;
    let kept = plan.kept(&model).into_iter();
    let quantization = Quantization {
        method: METHOD.to_owned(),
        range: match settings.range {
            RangeMethod::Percentile(share) => format!("percentile {share}"),
            RangeMethod::Entropy => "entropy".to_owned(),
        },
        calibration_photos,
        int8_layers: plan.weighted() as u64,
        f32_operators: kept.map(|(name, number)| (name, number as u64)).collect(),
        network: package.description().network_hash(),
        agreement,
    };
    let failed = work.failed;
    Ok(Quantized { package: new.finish_quantized(package, quantization)?, failed })
}

/// Fails where less than the required share of clear answers keeps its best class.
pub(crate) fn require(agreement: &Agreement, required: f64) -> Result<(), QuantizePackageError> {
    let enough = agreement.best_class_of_clear.map(|share| share >= required);
    if required > 0.0 && enough != Some(true) {
        let agreement = Box::new(agreement.clone());
        return Err(QuantizePackageError::Agreement { agreement, required });
    }
    Ok(())
}

/// At most so many of these rows, spread over all.
pub(crate) fn spread(rows: Vec<usize>, most: usize) -> Vec<usize> {
    let count = rows.len().min(most);
    (0..count).map(|at| rows[at * rows.len() / count]).collect()
}

/// Rows of the photos to measure, and of those to compare with: both spread over all photos.
fn halves(photos: usize) -> (Vec<usize>, Vec<usize>) {
    let of = |first| (first..photos).step_by(2).collect();
    (spread(of(0), MOST_CALIBRATION_PHOTOS), spread(of(1), MOST_HELD_OUT))
}

/// Writes a graph and its weights, if they lie apart.
pub(crate) fn write(model: &OnnxModel, folder: &Path) -> Result<(), QuantizePackageError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| QuantizePackageError::File { path, source }
    };
    let (graph, weights) = (folder.join(MODEL_FILE), folder.join(WEIGHTS_FILE));
    let create = |path: &Path| File::create(path).map(BufWriter::new).map_err(file(path));
    let written = model.write(WEIGHTS_FILE, create(&graph)?, create(&weights)?);
    written.map_err(file(&graph))?;
    if fs::metadata(&weights).map_err(file(&weights))?.len() == 0 {
        fs::remove_file(&weights).map_err(file(&weights))?;
    }
    Ok(())
}

/// What both passes over the photos need.
pub(crate) struct Work<'w> {
    pub(crate) package: &'w ModelPackage,
    pub(crate) photos: &'w CalibrationPhotos,
    pub(crate) open: &'w OpenGraph<'w>,
    pub(crate) monitor: &'w dyn Monitor,
    pub(crate) failed: Vec<FailedPhoto>,
}

impl Work<'_> {
    fn loader(&self, rows: &[usize], batch: usize) -> Result<Loader, LoaderError> {
        let ids = rows.iter().map(|row| self.photos.photos[*row].0.clone()).collect();
        let preprocess = self.package.description().preprocess.clone();
        let options = LoaderOptions::evaluation(batch);
        Loader::new(Arc::clone(&self.photos.store), ids, preprocess, options)
    }

    /// Runs the network with its inner arrays as outputs, photo by photo: memory holds the arrays of
    /// one photo. Gives the range of each array, and how many photos were measured.
    fn measure(
        &mut self,
        model: &OnnxModel,
        plan: &QuantizationPlan,
        rows: &[usize],
        method: RangeMethod,
    ) -> Result<(BTreeMap<String, Range>, u64), QuantizePackageError> {
        let beside = self.package.folder();
        let folder = tempfile::tempdir()
            .map_err(|source| QuantizePackageError::File { path: beside.to_owned(), source })?;
        let names: Vec<&str> = plan.arrays().collect();
        let input = model.input_name();
        let outputs: Vec<&str> = names.iter().copied().filter(|name| *name != input).collect();
        write(&model.with_outputs(outputs.iter().copied()), folder.path())?;
        let mut engine = (self.open)(&folder.path().join(MODEL_FILE))?;
        let mut histograms = vec![Histogram::default(); outputs.len()];
        let mut pixels = Histogram::default();
        let loader = self.loader(rows, 1)?;
        let mut measured = 0;
        for batch in loader.epoch(0, 0) {
            if self.monitor.cancelled() {
                return Err(QuantizePackageError::Cancelled);
            }
            let batch = batch?;
            self.monitor.advance(1);
            self.failed.extend(batch.failed);
            let Some(row) = batch.rows.first() else { continue };
            let not_finite = |array: &str| QuantizePackageError::NotFinite {
                photo: self.photos.photos[rows[*row]].0.clone(),
                array: array.to_owned(),
            };
            let values = engine.named(&batch.pixels, &outputs)?;
            for ((name, histogram), values) in outputs.iter().zip(&mut histograms).zip(&values) {
                if !histogram.add(values) {
                    return Err(not_finite(name));
                }
            }
            if !pixels.add(batch.pixels.values()) {
                return Err(not_finite(input));
            }
            measured += 1;
        }
        if measured < LEAST_CALIBRATION_PHOTOS {
            let failed = std::mem::take(&mut self.failed);
            return Err(QuantizePackageError::Photos {
                found: measured,
                asked: rows.len(),
                failed,
            });
        }
        let of = outputs.iter().zip(&histograms).chain([(&input, &pixels)]);
        let ranges = of.map(|(name, it)| ((*name).to_owned(), it.range(method)));
        Ok((ranges.collect(), measured as u64))
    }

    /// Runs both networks over photos that were not measured.
    pub(crate) fn compare(
        &mut self,
        quantized: &Path,
        rows: &[usize],
    ) -> Result<Agreement, QuantizePackageError> {
        let description = self.package.description();
        let mut counter = AgreementCounter::new(self.package.partition(), description.temperature);
        let mut engines = [(self.open)(&self.package.model())?, (self.open)(quantized)?];
        for batch in self.loader(rows, BATCH)?.epoch(0, 0) {
            if self.monitor.cancelled() {
                return Err(QuantizePackageError::Cancelled);
            }
            let batch = batch?;
            self.monitor.advance((batch.rows.len() + batch.failed.len()) as u64);
            self.failed.extend(batch.failed);
            if batch.rows.is_empty() {
                continue;
            }
            let [full, small] = &mut engines;
            let (full, small) =
                (full.run_checked(&batch.pixels)?, small.run_checked(&batch.pixels)?);
            for (at, row) in batch.rows.iter().enumerate() {
                let (photo, truth) = &self.photos.photos[rows[*row]];
                counter.add(full.logits_of(at), small.logits_of(at), *truth).map_err(|source| {
                    QuantizePackageError::Scores { photo: photo.clone(), source }
                })?;
            }
        }
        let agreement = counter.finish();
        match agreement.photos {
            0 => Err(QuantizePackageError::NoHeldOut(rows.len())),
            _ => Ok(agreement),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_measured_or_held_out_but_never_both() {
        for photos in [0, 1, 399, 400, 5000] {
            let (measured, held_out) = halves(photos);
            assert!(measured.iter().all(|row| !held_out.contains(row)), "{photos}");
            assert!(measured.len() <= MOST_CALIBRATION_PHOTOS && held_out.len() <= MOST_HELD_OUT);
            assert!(measured.iter().chain(&held_out).all(|row| *row < photos));
        }
        assert_eq!(halves(400).0.len(), LEAST_CALIBRATION_PHOTOS);
    }
}

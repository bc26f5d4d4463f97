//! `planet export`: a model package from a run, or an album scheme into one.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet::{
    FeatureModel, ModelPackage, NewPackage,
    album::{HmmModel, Scheme},
    package::{CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE},
};
use planet_data::DiskStore;
use planet_net::Architecture;
use planet_train::{
    Backbone, CodeSamples, ExportError, RunFolder, Scaling, TrainConfig, TrainTask,
};

use super::{
    album::{HMM_FILE, photos},
    model::{QuantizeSettings, three},
    train::TrainProgress,
};
use crate::{engine_choice::EngineChoice, failure::Failure};

/// `planet export RUN -o MODEL [--int8|--half] [--calibrate M]`, of albums `planet export RUN --into MODEL`, for retrieval
/// `planet export RUN|--init FILE --architecture A --features-only -o MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folder of the run (planet train or planet album train)
    #[arg(required_unless_present = "init")]
    run: Option<PathBuf>,
    /// Export a model without classes, which planet retrieve uses: it gives features of photos, but
    /// no positions
    #[arg(long, conflicts_with = "into")]
    features_only: bool,
    /// With --features-only: export these weights (safetensors; scripts/fetch-backbone makes such a
    /// file) instead of those of a run
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "run",
        requires = "features_only",
        requires = "architecture"
    )]
    init: Option<PathBuf>,
    /// With --init: architecture of the weights, for example efficientnet-lite0
    #[arg(long, value_name = "A", requires = "init")]
    architecture: Option<Architecture>,
    /// With --init: side of the input in pixels; by default the architecture's usual size
    #[arg(long, value_name = "PX", requires = "init")]
    size: Option<usize>,
    /// With --init: mean that the weights' training subtracted from each channel (values from 0 to 1,
    /// RGB order); by default 0.5,0.5,0.5. torchvision's weights need 0.485,0.456,0.406
    #[arg(long, value_name = "R,G,B", value_parser = three, requires = "init", requires = "std")]
    mean: Option<[f32; 3]>,
    /// With --mean: standard deviation of each channel; torchvision's weights need 0.229,0.224,0.225
    #[arg(long, value_name = "R,G,B", value_parser = three, requires = "mean")]
    std: Option<[f32; 3]>,
    /// With --init: source of the weights for the model card: address, authors, licence
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Display name of the model; by default the name of the package's folder
    #[arg(long, value_name = "NAME", conflicts_with = "into")]
    name: Option<String>,
    /// For album models: the model package on which the album model was trained
    #[arg(long, value_name = "MODEL", conflicts_with = "output")]
    into: Option<PathBuf>,
    /// Folder for the package
    #[arg(short, long, value_name = "MODEL", required_unless_present = "into")]
    output: Option<PathBuf>,
    /// Write the network in 8 bits: a quarter of the size, and faster with ONNX Runtime
    #[arg(long, requires = "calibrate", conflicts_with_all = ["into", "features_only"])]
    int8: bool,
    /// Store the weights in 16 bits: half of the size, computed in 32 bits. Needs no photos
    #[arg(long, conflicts_with_all = ["into", "int8"])]
    half: bool,
    /// With --int8: photos like those that the model will locate, a folder or a manifest (M or M:SPLIT),
    /// at least 400. One half is measured, the other half compares the result with 32 bits. With --half:
    /// photos, of which all compare; without them nothing is compared. With a run for near-duplicates: photos like those that will be compared, of which none is a copy of another.
    /// One half balances the bits of the codes, the other half chooses the distance
    #[arg(long, value_name = "DIR|M")]
    calibrate: Option<String>,
    #[command(flatten, next_help_heading = "Options for --int8 and --half")]
    quantize: QuantizeSettings,
    #[command(flatten, next_help_heading = "Options for --int8 and --half")]
    engine: EngineChoice,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.features_only {
        return features(arguments);
    }
    let folder = arguments.run.as_deref().expect("only features come without a run");
    let run = RunFolder::at(folder);
    if let (true, Some(output)) = (trained_codes(&run), &arguments.output) {
        return codes(arguments, &run, output);
    }
    if arguments.half || arguments.calibrate.is_some() {
        return rounded(arguments, arguments.calibrate.as_deref());
    }
    let package = match (&arguments.into, &arguments.output) {
        (Some(model), _) => {
            let package = ModelPackage::open(model).map_err(Failure::new)?;
            let learned = folder.join(HMM_FILE);
            if learned.exists() {
                put_hmm(&learned, &package)?;
                return said(&ModelPackage::open(model).map_err(Failure::new)?);
            }
            planet_train::export_scheme(&run, &package).map_err(|error| {
                Failure::new(error).hint("--into requires a run of planet album train")
            })
        }
        (None, Some(output)) => planet_train::export(&run, &arguments.name(output), output)
            .map_err(|error| {
                Failure::new(error).hint(
                    "a run is a folder written by planet train -o; export a run of planet album \
                     train with --into MODEL",
                )
            }),
        (None, None) => unreachable!("the parser asks for one of the two"),
    }?;
    said(&package)
}

/// Exports a run in 32 bits into a folder that goes away, and makes the package in 8 bits, or with weights
/// in 16, of that one.
fn rounded(arguments: &Arguments, calibrate: Option<&str>) -> Result<(), Failure> {
    if !arguments.int8 && !arguments.half {
        let what =
            "--calibrate needs --int8 or --half, or a run of planet train --task near-duplicates";
        return Err(Failure::usage(what));
    }
    let folder = arguments.run.as_deref().expect("only features come without a run");
    let output = arguments.output.as_deref().expect("required unless an album is exported");
    let temporary = tempfile::tempdir().map_err(Failure::new)?;
    let place = temporary.path().join("model");
    let package = planet_train::export(&RunFolder::at(folder), &arguments.name(output), &place)
        .map_err(|error| {
            Failure::new(error).hint("a run is a folder written by planet train -o")
        })?;
    let Arguments { quantize, engine, .. } = arguments;
    match calibrate {
        Some(photos) if arguments.int8 => quantize.quantize(&package, photos, output, engine),
        photos => quantize.halve(&package, photos, output, engine),
    }
}

impl Arguments {
    /// The model's name: the one given, or that of the package's folder.
    fn name(&self, output: &Path) -> String {
        let own = || output.file_name().map(|name| name.to_string_lossy().into_owned());
        self.name.clone().or_else(own).unwrap_or_else(|| "model".to_owned())
    }
}

/// Whether a run trained codes for near-duplicates.
fn trained_codes(run: &RunFolder) -> bool {
    TrainConfig::read(&run.config()).is_ok_and(|it| it.task == TrainTask::NearDuplicates)
}

/// Exports a package for near-duplicates.
fn codes(arguments: &Arguments, run: &RunFolder, output: &Path) -> Result<(), Failure> {
    if arguments.int8 || arguments.half {
        return Err(Failure::usage("codes for near-duplicates are exported in 32 bits only"));
    }
    let calibration = match &arguments.calibrate {
        None => None,
        Some(photos) => {
            let manifest = photos::read(photos, None)?;
            let photos = manifest.records.into_iter().map(|record| record.photo).collect();
            Some(CodeSamples { store: Arc::new(DiskStore::new(manifest.root)), photos })
        }
    };
    let progress = TrainProgress::of_codes();
    let name = arguments.name(output);
    let model = planet_train::export_codes(run, &name, output, calibration.as_ref(), &progress);
    progress.finish();
    let model = model.map_err(|error| match error {
        ExportError::NoThreshold(_) | ExportError::NoDistance { .. } => Failure::new(error)
            .hint("name photos of which none is a copy of another with --calibrate M"),
        error => Failure::new(error).hint("a run is a folder written by planet train -o"),
    })?;
    let description = model.description();
    let (distance, matches) = (description.distance, &description.false_matches);
    let [height, width] = description.preprocess.size;
    let copies = 100.0 * description.copies_within[distance as usize];
    let mut out = io::stdout().lock();
    writeln!(out, "package      {}", output.display())?;
    writeln!(out, "network      {}", description.architecture)?;
    writeln!(out, "input        {height} x {width} px")?;
    writeln!(out, "code         {} bits", description.bits)?;
    writeln!(out, "distance     {distance} bits or fewer between near-duplicates")?;
    writeln!(out, "copies       {copies:.1} % of the validation photos' edited copies are found")?;
    let (wrong, pairs) = (matches.within(distance), matches.pairs());
    writeln!(out, "different    {wrong} of {pairs} pairs of validation photos are as near")?;
    Ok(())
}

/// Exports a package without classes.
fn features(arguments: &Arguments) -> Result<(), Failure> {
    let output = arguments.output.as_deref().expect("required unless an album is exported");
    let name = arguments.name(output);
    if arguments.half {
        let temporary = tempfile::tempdir().map_err(Failure::new)?;
        let place = temporary.path().join("model");
        exported_features(arguments, &name, &place)?;
        let photos = arguments.calibrate.as_deref();
        return arguments.quantize.halve_features(&place, photos, output);
    }
    let model = exported_features(arguments, &name, output)?;
    let [height, width] = model.preprocess().size;
    let mut out = io::stdout().lock();
    writeln!(out, "package      {}", output.display())?;
    writeln!(out, "input        {height} x {width} px")?;
    writeln!(out, "features     {}", model.features())?;
    if let Some([channels, rows, columns]) = model.map() {
        writeln!(out, "map          {channels} x {rows} x {columns}")?;
    }
    Ok(())
}

/// Writes a package without classes of a run, or of weights from elsewhere.
fn exported_features(
    arguments: &Arguments,
    name: &str,
    output: &Path,
) -> Result<FeatureModel, Failure> {
    let exported = match (&arguments.run, &arguments.init, arguments.architecture) {
        (None, Some(weights), Some(architecture)) => {
            let (size, note) = (arguments.size.unwrap_or(0), &*arguments.note);
            let scaling = arguments.mean.zip(arguments.std);
            let scaling = scaling.map(|(mean, std)| Scaling { mean, std });
            let backbone = Backbone { architecture, size, weights, scaling, note };
            planet_train::export_backbone(backbone, name, output)
        }
        (Some(run), ..) => planet_train::export_features(&RunFolder::at(run), name, output),
        _ => unreachable!("the parser asks for a run, or for weights and their architecture"),
    };
    exported.map_err(|error| {
        Failure::new(error)
            .hint("name the folder of a run, or weights with --init FILE --architecture A")
    })
}

/// Puts what a hidden Markov model learned into a package.
fn put_hmm(file: &Path, package: &ModelPackage) -> Result<(), Failure> {
    let model = HmmModel::read(file).map_err(Failure::new)?;
    let name = Scheme::Hmm.name();
    NewPackage::with_scheme(package, name, HMM_FILE, |path| model.write(path))
        .map_err(Failure::new)?;
    Ok(())
}

fn said(package: &ModelPackage) -> Result<(), Failure> {
    let description = package.description();
    let mut out = io::stdout().lock();
    writeln!(out, "package      {}", package.folder().display())?;
    writeln!(out, "network      {}", description.architecture)?;
    writeln!(out, "classes      {}", description.classes)?;
    writeln!(out, "temperature  {:.3}", description.temperature)?;
    let scores = &description.provenance.scores;
    let [after, before] = [CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE].map(|it| scores.get(it));
    if let (Some(after), Some(before)) = (after, before) {
        let (after, before) = (100.0 * after, 100.0 * before);
        writeln!(
            out,
            "calibration  error {after:.1} points, {before:.1} before temperature scaling"
        )?;
    }
    let schemes: Vec<&str> =
        description.schemes.iter().map(|scheme| scheme.name.as_str()).collect();
    if !schemes.is_empty() {
        writeln!(out, "schemes      {}", schemes.join(", "))?;
    }
    Ok(())
}

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use planet::{GraphEngine, ModelPackage};
use planet_data::{DiskStore, PhotoRecord};
use planet_engine::Signature;
use planet_net::{QuantizeOptions, RangeMethod};
use planet_train::{
    CalibrationPhotos, QuantizePackageError, QuantizeSettings, Quantized, quantize,
};

use crate::{
    commands::album::photos, engine_choice::EngineChoice, failure::Failure, progress::Progress,
};

/// Photos that could not be decoded and are named; the rest is counted.
const NAMED: usize = 5;

/// `planet model quantize MODEL --calibrate M -o MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package in 32 bits
    model: PathBuf,
    /// Photos like those that the model will locate: a folder or a manifest (M or M:SPLIT), at least 400.
    /// One half is measured, the other half compares the result with the model in 32 bits
    #[arg(long, value_name = "DIR|M")]
    calibrate: String,
    /// Folder for the package in 8 bits
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    engine: EngineChoice,
}

/// How a model is quantised: shared with `planet export --int8`.
#[derive(Args, Debug)]
pub struct Settings {
    /// Folder that the ids of the calibration photos are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Range of the activations: entropy, or percentile:P, which keeps P percent of the values;
    /// percentile:100 keeps all
    #[arg(long, value_name = "METHOD", value_parser = range, default_value = "percentile:99.99")]
    range: RangeMethod,
    /// Parts that keep 32 bits, separated by commas: first (convolution), classifier
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    keep: Vec<Part>,
    /// Least share of clear answers whose best class must not change, from 0 to 1. With less, nothing
    /// is written; 0 accepts every result
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0.97")]
    min_agreement: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    First,
    Classifier,
}

/// `entropy` or `percentile:99.99`.
fn range(text: &str) -> Result<RangeMethod, String> {
    let percentile = |text: &str| text.parse().ok().filter(|it| (50.0..=100.0).contains(it));
    match text.split_once(':') {
        None if text == "entropy" => Some(RangeMethod::Entropy),
        Some(("percentile", number)) => percentile(number).map(RangeMethod::Percentile),
        _ => None,
    }
    .ok_or_else(|| format!("'{text}' is neither entropy nor percentile:P with P from 50 to 100"))
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
    number.ok_or_else(|| format!("'{text}' is not a share from 0 to 1"))
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = ModelPackage::open(&arguments.model).map_err(Failure::new)?;
    let Arguments { calibrate, output, settings, engine, .. } = arguments;
    settings.quantize(&package, calibrate, output, engine)
}

impl Settings {
    /// Quantises a package and says what came of it.
    pub fn quantize(
        &self,
        package: &ModelPackage,
        calibrate: &str,
        output: &Path,
        engine: &EngineChoice,
    ) -> Result<(), Failure> {
        let real = |path: &Path| fs::canonicalize(path).ok();
        if real(output).is_some_and(|it| Some(it) == real(package.folder())) {
            let what = format!("{}: the model in 32 bits would be replaced", output.display());
            return Err(Failure::usage(what).hint("name another folder with -o"));
        }
        let manifest = photos::read(calibrate, self.root.as_deref())?;
        let known = |record: PhotoRecord| {
            let position = record.known_position();
            (record.photo, position)
        };
        let photos = CalibrationPhotos {
            store: Arc::new(DiskStore::new(&manifest.root)),
            photos: manifest.records.into_iter().map(known).collect(),
        };
        let keep = QuantizeOptions {
            keep_first: self.keep.contains(&Part::First),
            keep_last: self.keep.contains(&Part::Classifier),
        };
        let settings =
            QuantizeSettings { keep, range: self.range, min_agreement: self.min_agreement };
        let (options, signature) = (engine.options()?, Signature::of(package.description()));
        let open =
            |path: &Path| Ok(Box::new(options.open(path, &signature)?) as Box<dyn GraphEngine>);
        let progress = Progress::new("photos");
        let found = quantize(package, output, &photos, settings, &open, &progress);
        progress.finish();
        let found = found.map_err(failure)?;
        Ok(report(package, &found, &mut io::stdout().lock())?)
    }
}

fn failure(error: QuantizePackageError) -> Failure {
    let hint = match &error {
        QuantizePackageError::Agreement { agreement, .. } if agreement.clear == 0 => {
            "use photos like those that the model was trained on, or accept the result with \
             --min-agreement 0"
        }
        QuantizePackageError::Agreement { .. } => {
            "try --range entropy, --range percentile:100, or --keep first,classifier, or more photos; \
             --min-agreement sets the limit. Nothing was written"
        }
        QuantizePackageError::Photos { .. } => {
            "name at least 400 photos: one half is measured, the other half compares"
        }
        _ => return Failure::new(error),
    };
    Failure::new(error).hint(hint)
}

fn report(from: &ModelPackage, found: &Quantized, out: &mut impl Write) -> io::Result<()> {
    let Quantized { package, failed } = found;
    let description = package.description();
    writeln!(out, "package      {}", package.folder().display())?;
    if let [first, ..] = &failed[..] {
        writeln!(
            out,
            "photos       {} cannot be decoded; the first: {}",
            failed.len(),
            first.photo
        )?;
    }
    for photo in failed.iter().take(NAMED) {
        anstream::eprintln!("{}: {}", photo.photo, photo.error);
    }
    if let Some(it) = &description.quantization {
        let kept: u64 = it.f32_operators.values().sum();
        writeln!(out, "8 bits       {} layers; {kept} operators in 32 bits", it.int8_layers)?;
        writeln!(out, "calibration  {} photos, {}", it.calibration_photos, it.range)?;
        for (name, value) in it.agreement.facts() {
            writeln!(out, "agreement    {name}: {value}")?;
        }
    }
    writeln!(out, "size         {:.1} MB (f32: {:.1} MB)", megabytes(package), megabytes(from))?;
    for scheme in &from.description().schemes {
        writeln!(
            out,
            "left out     album scheme {}: it was trained on the embeddings of the network in 32 bits; \
             train it again on this package",
            scheme.name
        )?;
    }
    Ok(())
}

/// Size of a package's network.
fn megabytes(package: &ModelPackage) -> f64 {
    let names = package.description().hashes.keys().filter(|name| name.contains(".onnx"));
    let sizes = names.filter_map(|name| fs::metadata(package.folder().join(name)).ok());
    sizes.map(|file| file.len() as f64).sum::<f64>() / 1e6
}

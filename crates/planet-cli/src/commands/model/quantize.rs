use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use planet::{
    EngineError, FeatureModel, GraphEngine, ModelPackage, PackageError, package::HalfWeights,
};
use planet_data::{DiskStore, PhotoRecord};
use planet_engine::Signature;
use planet_net::{QuantizeOptions, RangeMethod};
use planet_train::{
    CalibrationPhotos, HalfCheck, QuantizePackageError, QuantizeSettings, Quantized, halve,
    quantize,
};

use crate::{
    commands::album::photos, engine_choice::EngineChoice, failure::Failure, progress::Progress,
};

/// Photos that could not be decoded and are named; the rest is counted.
const NAMED: usize = 5;

/// `planet model quantize MODEL --calibrate M -o MODEL`, `planet model quantize MODEL --half -o MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package in 32 bits; with --half, one without classes too
    model: PathBuf,
    /// Store the weights in 16 bits instead of 8: half of the size, computed in 32 bits. Needs no photos
    #[arg(long)]
    half: bool,
    /// Photos like those that the model will locate: a folder or a manifest (M or M:SPLIT), at least 400.
    /// One half is measured, the other half compares the result with the model in 32 bits. With --half,
    /// any number of photos, of which all compare
    #[arg(long, value_name = "DIR|M", required_unless_present = "half")]
    calibrate: Option<String>,
    /// Folder for the new package
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    engine: EngineChoice,
}

/// How a model is quantised: shared with `planet export --int8|--half`.
#[derive(Args, Debug)]
pub struct Settings {
    /// Folder that the ids of the calibration photos are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Range of the activations: entropy, or percentile:P, which keeps P percent of the values;
    /// percentile:100 keeps all
    #[arg(long, value_name = "METHOD", value_parser = range, default_value = "percentile:99.99", conflicts_with = "half")]
    range: RangeMethod,
    /// Parts that keep 32 bits, separated by commas: first (convolution), classifier
    #[arg(long, value_name = "PARTS", value_delimiter = ',', conflicts_with = "half")]
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
    let Arguments { calibrate, output, settings, engine, .. } = arguments;
    let package = match ModelPackage::open(&arguments.model) {
        Err(PackageError::NoClasses { .. }) if arguments.half => {
            return settings.halve_features(&arguments.model, calibrate.as_deref(), output);
        }
        package => package.map_err(Failure::new)?,
    };
    match calibrate {
        Some(photos) if !arguments.half => settings.quantize(&package, photos, output, engine),
        photos => settings.halve(&package, photos.as_deref(), output, engine),
    }
}

/// Refuses to write a package in the place of the one that it is made from.
fn keep_original(original: &Path, output: &Path) -> Result<(), Failure> {
    let real = |path: &Path| fs::canonicalize(path).ok();
    if real(output).is_some_and(|it| Some(it) == real(original)) {
        let what = format!("{}: the model in 32 bits would be replaced", output.display());
        return Err(Failure::usage(what).hint("name another folder with -o"));
    }
    Ok(())
}

/// Opens networks that take the place of a package's.
fn opener(
    package: &ModelPackage,
    engine: &EngineChoice,
) -> Result<impl Fn(&Path) -> Result<Box<dyn GraphEngine>, EngineError> + use<>, Failure> {
    let (options, signature) = (engine.options()?, Signature::of(package.description()));
    Ok(move |path: &Path| Ok(Box::new(options.open(path, &signature)?) as Box<dyn GraphEngine>))
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
        keep_original(package.folder(), output)?;
        let photos = self.photos(calibrate)?;
        let keep = QuantizeOptions {
            keep_first: self.keep.contains(&Part::First),
            keep_last: self.keep.contains(&Part::Classifier),
        };
        let settings =
            QuantizeSettings { keep, range: self.range, min_agreement: self.min_agreement };
        let open = opener(package, engine)?;
        let progress = Progress::new("photos");
        let found = quantize(package, output, &photos, settings, &open, &progress);
        progress.finish();
        let found = found.map_err(failure)?;
        Ok(report(package, &found, &mut io::stdout().lock())?)
    }

    /// Makes a package with weights in 16 bits, compares it where photos are named, and says what came of
    /// it.
    pub fn halve(
        &self,
        package: &ModelPackage,
        photos: Option<&str>,
        output: &Path,
        engine: &EngineChoice,
    ) -> Result<(), Failure> {
        keep_original(package.folder(), output)?;
        let min_agreement = self.min_agreement;
        let photos = photos.map(|photos| self.photos(photos)).transpose()?;
        let check = photos.map(|photos| HalfCheck { photos, min_agreement });
        let open = opener(package, engine)?;
        let progress = Progress::new("photos");
        let found = halve(package, output, check.as_ref(), &open, &progress);
        progress.finish();
        let found = found.map_err(|error| match error {
            QuantizePackageError::Agreement { ref agreement, .. } if agreement.clear > 0 => {
                Failure::new(error).hint(
                    "keep the package in 32 bits, or name more photos; --min-agreement sets the \
                     limit. Nothing was written",
                )
            }
            error => failure(error),
        })?;
        Ok(report(package, &found, &mut io::stdout().lock())?)
    }

    /// The same for a package without classes, which gives no answers to compare.
    pub fn halve_features(
        &self,
        folder: &Path,
        photos: Option<&str>,
        output: &Path,
    ) -> Result<(), Failure> {
        if photos.is_some() {
            return Err(Failure::usage(
                "--calibrate compares classes, and the model has none: leave it out",
            ));
        }
        keep_original(folder, output)?;
        let model = FeatureModel::open(folder).map_err(Failure::new)?;
        let FeatureModel::Features(_, description) = &model else {
            unreachable!("packages with classes were opened as such");
        };
        let made = planet_train::halve_features(folder, description, output).map_err(failure)?;
        let mut out = io::stdout().lock();
        writeln!(out, "package      {}", output.display())?;
        if let FeatureModel::Features(_, description) = &made
            && let Some(half) = &description.half_weights
        {
            describe_half(half, &mut out)?;
        }
        let sizes = [made.folder(), folder].map(megabytes);
        writeln!(out, "size         {:.1} MB (f32: {:.1} MB)", sizes[0], sizes[1])?;
        Ok(())
    }

    fn photos(&self, named: &str) -> Result<CalibrationPhotos, Failure> {
        let manifest = photos::read(named, self.root.as_deref())?;
        let known = |record: PhotoRecord| {
            let position = record.known_position();
            (record.photo, position)
        };
        Ok(CalibrationPhotos {
            store: Arc::new(DiskStore::new(&manifest.root)),
            photos: manifest.records.into_iter().map(known).collect(),
        })
    }
}

/// What a package says of its weights in 16 bits.
pub(super) fn describe_half(half: &HalfWeights, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "16 bits      {}", half.summary())?;
    for name in &half.kept {
        writeln!(out, "32 bits      {name}: 16 bits do not represent its values")?;
    }
    for (name, value) in half.facts() {
        writeln!(out, "agreement    {name}: {value}")?;
    }
    if half.agreement.is_none() {
        writeln!(out, "agreement    not measured")?;
    }
    Ok(())
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
    if let Some(half) = &description.half_weights {
        describe_half(half, out)?;
    }
    let sizes = [package.folder(), from.folder()].map(megabytes);
    writeln!(out, "size         {:.1} MB (f32: {:.1} MB)", sizes[0], sizes[1])?;
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

/// Size of a package's network without album schemes.
fn megabytes(folder: &Path) -> f64 {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().filter(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        name.contains(".onnx") && !name.starts_with("album-")
    });
    names.filter_map(|file| file.metadata().ok()).map(|file| file.len() as f64).sum::<f64>() / 1e6
}

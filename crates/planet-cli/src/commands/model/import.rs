use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use planet::{
    Engine, LevelCalibration, ModelDraft, ModelPackage, NewPackage, RegionCalibration, ScoreKind,
    package::{MODEL_FILE, OnnxMetadata, Outputs, Provenance},
};
use planet_data::{ChannelOrder, Decoding, Filter, Fit, Layout, PixelBatch, Preprocess};
use planet_engine::Signature;
use planet_geo::Partition;
use planet_net::read_onnx_metadata;

use super::check;
use crate::{commands::partition::files, engine_choice::EngineChoice, failure::Failure};

/// Mean and standard deviation of ImageNet's photos, as torchvision's models take them.
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// `planet model import model.onnx --partition P --input-size … -o MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// ONNX file of the classifier
    onnx: PathBuf,
    /// File with the classes in the order of the outputs, in PlaNet's layout or that of another project
    #[arg(long, value_name = "FILE")]
    partition: PathBuf,
    /// Size of the input in pixels: 224, or HEIGHTxWIDTH. Required, except for files written by
    /// PlaNet, which state their preprocessing
    #[arg(long, visible_alias = "imgsz", value_name = "PX", value_parser = size)]
    input_size: Option<[usize; 2]>,
    /// Mean to subtract from each channel (values from 0 to 1, RGB order); by default ImageNet's
    /// 0.485,0.456,0.406
    #[arg(long, value_name = "R,G,B", value_parser = three)]
    mean: Option<[f32; 3]>,
    /// Standard deviation to divide each channel by; by default ImageNet's 0.229,0.224,0.225
    #[arg(long, value_name = "R,G,B", value_parser = three)]
    std: Option<[f32; 3]>,
    /// How photos of another aspect ratio are fitted to the input; by default squash
    #[arg(long, value_enum)]
    fit: Option<FitName>,
    /// Share of the shorter side that a centre crop keeps
    #[arg(long, value_name = "SHARE", default_value_t = 0.875)]
    crop_share: f32,
    /// Resampling filter; by default bilinear
    #[arg(long, value_enum)]
    filter: Option<FilterName>,
    /// Order of the input's axes; by default nchw
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    /// How JPEGs are decoded that are much larger than the input; by default reduced
    #[arg(long, value_enum)]
    decoding: Option<DecodingName>,
    /// The network expects channels in the order blue, green, red
    #[arg(long)]
    bgr: bool,
    /// Manifest of photos of known position. The model locates up to 200 of them, as a check that
    /// preprocessing and partition are correct
    #[arg(long, value_name = "M")]
    check: Option<String>,
    /// Type of the scores
    #[arg(long, value_enum, default_value = "logits")]
    scores: ScoresName,
    /// Name of the output with the scores; by default `logits`, or the only output
    #[arg(long, value_name = "NAME")]
    output_name: Option<String>,
    /// Name of the output with the embedding
    #[arg(long, value_name = "NAME")]
    embedding: Option<String>,
    /// Temperature by which logits are divided before the softmax; by default the file's value, or 1
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Display name of the model
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Source of the model for its model card: address, authors, licence
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Folder for the package
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,
    #[command(flatten)]
    engine: EngineChoice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FitName {
    Squash,
    CentreCrop,
    Letterbox,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FilterName {
    Bilinear,
    Bicubic,
    Lanczos,
    Box,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LayoutName {
    Nchw,
    Nhwc,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DecodingName {
    /// In full
    Full,
    /// At a half, a quarter or an eighth of the size: faster, and nearly the same
    Reduced,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScoresName {
    Logits,
    Probabilities,
}

/// `224` or `224x320`.
fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| {
        text.parse::<usize>()
            .map_err(|_| format!("'{text}' is not a size in pixels; write 224 or 224x320"))
    };
    match text.split_once('x') {
        Some((height, width)) => Ok([side(height)?, side(width)?]),
        None => Ok([side(text)?; 2]),
    }
}

/// `0.5,0.5,0.5`.
pub fn three(text: &str) -> Result<[f32; 3], String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| format!("'{text}' is not three numbers: R,G,B"))
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let partition = files::read(&arguments.partition)?;
    let metadata = arguments.metadata(&partition)?;
    let preprocess = arguments.preprocess(metadata.as_ref())?;
    preprocess.check().map_err(Failure::usage)?;
    let tried = arguments.try_out(&partition, &preprocess)?;
    let package = NewPackage::create(&arguments.output).map_err(Failure::new)?;
    copy(&arguments.onnx, package.folder())?;
    let own = || arguments.onnx.file_stem().map(|name| name.to_string_lossy().into_owned());
    let stated = metadata.as_ref().map(|metadata| metadata.temperature);
    let levels = metadata.as_ref().map(|metadata| metadata.level_calibration);
    let is_as_written = metadata.is_some_and(|it| it.preprocess == preprocess);
    let draft = ModelDraft {
        name: arguments.name.clone().or_else(own).unwrap_or_default(),
        architecture: "foreign".to_owned(),
        features: tried.features,
        preprocess,
        outputs: tried.outputs,
        temperature: arguments.temperature.or(stated).unwrap_or(1.0),
        // It was fitted on probabilities of the temperature that the file states.
        level_calibration: match arguments.temperature {
            None => levels.unwrap_or_default(),
            Some(_) => LevelCalibration::default(),
        },
        region_calibration: RegionCalibration::default(),
        provenance: Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            note: arguments.note.clone(),
            ..Provenance::default()
        },
    };
    let package = package.finish(draft, &partition).map_err(Failure::new)?;
    summarise(&package, &tried.engine)?;
    match &arguments.check {
        Some(photos) => check::run(&package, &arguments.engine, photos),
        None if is_as_written => Ok(()),
        None => {
            anstream::eprintln!(
                "warning: the preprocessing has not been checked. If size, mean or channel order differ \
                 from those of training, the answers are wrong without an error. Check them with \
                 --check M, where M is a manifest of photos of known position"
            );
            Ok(())
        }
    }
}

fn summarise(package: &ModelPackage, engine: &str) -> Result<(), Failure> {
    let description = package.description();
    let mut out = io::stdout().lock();
    writeln!(out, "package    {}", package.folder().display())?;
    writeln!(out, "classes    {}", description.classes)?;
    writeln!(out, "features   {}", description.features)?;
    writeln!(out, "tested with {engine}")?;
    Ok(())
}

/// What a forward pass showed.
struct Tried {
    outputs: Outputs,
    features: usize,
    engine: String,
}

impl Arguments {
    /// The file's own metadata, where PlaNet wrote it.
    fn metadata(&self, partition: &Partition) -> Result<Option<OnnxMetadata>, Failure> {
        let named =
            |what: &dyn std::fmt::Display| Failure::new(format!("{}: {what}", self.onnx.display()));
        let file = fs::File::open(&self.onnx).map_err(|error| named(&error))?;
        let entries =
            read_onnx_metadata(io::BufReader::new(file)).map_err(|error| named(&error))?;
        let metadata = OnnxMetadata::read(&entries).map_err(|error| named(&error))?;
        match metadata {
            Some(metadata) if metadata.partition_fingerprint != partition.fingerprint() => {
                let what = format!(
                    "the network was trained for another partition than {}",
                    self.partition.display()
                );
                Err(named(&what).hint("the partition of a package is its file partition.csv"))
            }
            metadata => Ok(metadata),
        }
    }

    /// What is asked for, else what the file states, else what is usual.
    fn preprocess(&self, stated: Option<&OnnxMetadata>) -> Result<Preprocess, Failure> {
        let stated = stated.map(|metadata| &metadata.preprocess);
        let size = self.input_size.or(stated.map(|it| it.size)).ok_or_else(|| {
            Failure::usage(format!("{} does not state the size of its input", self.onnx.display()))
                .hint("give --input-size PX or HEIGHTxWIDTH")
        })?;
        let base = stated.cloned().unwrap_or(Preprocess {
            size,
            fit: Fit::Squash,
            filter: Filter::Bilinear,
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
            channel_order: ChannelOrder::Rgb,
            layout: Layout::Nchw,
            decoding: Decoding::Reduced,
        });
        let fit = |name| match name {
            FitName::Squash => Fit::Squash,
            FitName::CentreCrop => Fit::CentreCrop { share: self.crop_share },
            FitName::Letterbox => Fit::Letterbox,
        };
        let filter = |name| match name {
            FilterName::Bilinear => Filter::Bilinear,
            FilterName::Bicubic => Filter::Bicubic,
            FilterName::Lanczos => Filter::Lanczos,
            FilterName::Box => Filter::Box,
        };
        let layout = |name| match name {
            LayoutName::Nchw => Layout::Nchw,
            LayoutName::Nhwc => Layout::Nhwc,
        };
        let decoding = |name| match name {
            DecodingName::Full => Decoding::Full,
            DecodingName::Reduced => Decoding::Reduced,
        };
        Ok(Preprocess {
            size,
            fit: self.fit.map_or(base.fit, fit),
            filter: self.filter.map_or(base.filter, filter),
            mean: self.mean.unwrap_or(base.mean),
            std: self.std.unwrap_or(base.std),
            channel_order: if self.bgr { ChannelOrder::Bgr } else { base.channel_order },
            layout: self.layout.map_or(base.layout, layout),
            decoding: self.decoding.map_or(base.decoding, decoding),
        })
    }

    /// Runs the network once and holds its outputs to the partition.
    fn try_out(&self, partition: &Partition, preprocess: &Preprocess) -> Result<Tried, Failure> {
        let kind = match self.scores {
            ScoresName::Logits => ScoreKind::Logits,
            ScoresName::Probabilities => ScoreKind::Probabilities,
        };
        let signature = Signature {
            scores: self.output_name.clone(),
            kind,
            embedding: self.embedding.clone(),
            layout: preprocess.layout,
        };
        let mut engine = self.engine.open(&self.onnx, &signature)?;
        let [height, width] = preprocess.size;
        let activations = engine.run_checked(&grey(height, width)).map_err(Failure::new)?;
        if activations.classes != partition.len() {
            let what = format!(
                "{} returns {} scores, but {} has {} classes",
                self.onnx.display(),
                activations.classes,
                self.partition.display(),
                partition.len()
            );
            return Err(Failure::new(what).hint(
                "the partition must have one row for each output of the model, in the same order",
            ));
        }
        if activations.logits.iter().any(|score| score.is_nan()) {
            return Err(Failure::new("the model returns NaN for a grey photo")
                .hint("check that --mean, --std and --layout are those of its training"));
        }
        let embedding = engine.embedding_name().map(str::to_owned);
        let outputs = Outputs { scores: engine.scores_name().to_owned(), kind, embedding };
        let (features, engine) = (activations.features, engine.name().to_owned());
        Ok(Tried { outputs, features, engine })
    }
}

/// One photo of a middle grey, whose normalised values are zero.
fn grey(height: usize, width: usize) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(1, height, width);
    batch.push(&vec![0.0; 3 * height * width]);
    batch
}

/// The graph as `model.onnx`, and files beside it that it names, external weights, under their
/// own names.
fn copy(onnx: &Path, folder: &Path) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| Failure::new(format!("{path}: {error}"))
    };
    let graph = fs::read(onnx).map_err(failed(onnx))?;
    fs::write(folder.join(MODEL_FILE), &graph).map_err(failed(folder))?;
    let beside =
        onnx.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(beside).map_err(failed(beside))? {
        let path = entry.map_err(failed(beside))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_file() && path != onnx && names(&graph, name) {
            fs::copy(&path, folder.join(name)).map_err(failed(&path))?;
        }
    }
    Ok(())
}

/// Whether a graph holds this text as a whole string: with its length in front, as protocol
/// buffers write it.
fn names(graph: &[u8], name: &str) -> bool {
    let Ok(length @ 0..128) = u8::try_from(name.len()) else { return false };
    let wanted: Vec<u8> = [length].into_iter().chain(name.bytes()).collect();
    graph.windows(wanted.len()).any(|window| window == wanted)
}

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use planet::{
    Engine, ModelDraft, ModelPackage, NewPackage, ScoreKind,
    package::{MODEL_FILE, Outputs, Provenance},
};
use planet_data::{ChannelOrder, Filter, Fit, Layout, PixelBatch, Preprocess};
use planet_engine::Signature;
use planet_geo::Partition;

use crate::{commands::partition::files, engine_choice::EngineChoice, failure::Failure};

/// `planet model import model.onnx --partition P --input-size … -o MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// The classifier
    onnx: PathBuf,
    /// Its classes, in the order of its outputs: our layout or another project's
    #[arg(long, value_name = "FILE")]
    partition: PathBuf,
    /// Input in pixels: 224, or HEIGHTxWIDTH
    #[arg(long, value_name = "PX", value_parser = size)]
    input_size: [usize; 2],
    /// Subtracted from each channel, of values from 0 to 1, in RGB order
    #[arg(long, value_name = "R,G,B", value_parser = three, default_value = "0.485,0.456,0.406")]
    mean: [f32; 3],
    /// What each channel is divided by
    #[arg(long, value_name = "R,G,B", value_parser = three, default_value = "0.229,0.224,0.225")]
    std: [f32; 3],
    /// How photos of other shapes are made to fit
    #[arg(long, value_enum, default_value = "squash")]
    fit: FitName,
    /// Share of the shorter side that a centre crop keeps
    #[arg(long, value_name = "SHARE", default_value_t = 0.875)]
    crop_share: f32,
    /// Resampling filter
    #[arg(long, value_enum, default_value = "bilinear")]
    filter: FilterName,
    /// Order of the input's axes
    #[arg(long, value_enum, default_value = "nchw")]
    layout: LayoutName,
    /// The network takes blue, green, red
    #[arg(long)]
    bgr: bool,
    /// What the outputs are
    #[arg(long, value_enum, default_value = "logits")]
    scores: ScoresName,
    /// Output with the classes' scores; by default logits, or the only one
    #[arg(long, value_name = "NAME")]
    output_name: Option<String>,
    /// Output with the embedding
    #[arg(long, value_name = "NAME")]
    embedding: Option<String>,
    /// Temperature, where it is known
    #[arg(long, value_name = "T", default_value_t = 1.0)]
    temperature: f32,
    /// The model's name, for people
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where the model comes from, for its card: address, authors, licence
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Folder of the package
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
enum ScoresName {
    Logits,
    Probabilities,
}

/// `224` or `224x320`.
fn size(text: &str) -> Result<[usize; 2], String> {
    let side =
        |text: &str| text.parse::<usize>().map_err(|_| format!("'{text}' is no size in pixels"));
    match text.split_once('x') {
        Some((height, width)) => Ok([side(height)?, side(width)?]),
        None => Ok([side(text)?; 2]),
    }
}

/// `0.5,0.5,0.5`.
fn three(text: &str) -> Result<[f32; 3], String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| format!("'{text}' is not three numbers: R,G,B"))
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let partition = files::read(&arguments.partition)?;
    let preprocess = arguments.preprocess();
    preprocess.check().map_err(Failure::usage)?;
    let outputs = arguments.try_out(&partition, &preprocess)?;
    let package = NewPackage::create(&arguments.output).map_err(Failure::new)?;
    copy(&arguments.onnx, package.folder())?;
    let own = || arguments.onnx.file_stem().map(|name| name.to_string_lossy().into_owned());
    let draft = ModelDraft {
        name: arguments.name.clone().or_else(own).unwrap_or_default(),
        architecture: "foreign".to_owned(),
        features: outputs.features,
        preprocess,
        outputs: outputs.outputs,
        temperature: arguments.temperature,
        provenance: Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            note: arguments.note.clone(),
            ..Provenance::default()
        },
    };
    let package = package.finish(draft, &partition).map_err(Failure::new)?;
    summarise(&package, &outputs.engine)
}

fn summarise(package: &ModelPackage, engine: &str) -> Result<(), Failure> {
    let description = package.description();
    let mut out = io::stdout().lock();
    writeln!(out, "package    {}", package.folder().display())?;
    writeln!(out, "classes    {}", description.classes)?;
    writeln!(out, "features   {}", description.features)?;
    writeln!(out, "tried with {engine}")?;
    Ok(())
}

/// What a forward pass showed.
struct Tried {
    outputs: Outputs,
    features: usize,
    engine: String,
}

impl Arguments {
    fn preprocess(&self) -> Preprocess {
        Preprocess {
            size: self.input_size,
            fit: match self.fit {
                FitName::Squash => Fit::Squash,
                FitName::CentreCrop => Fit::CentreCrop { share: self.crop_share },
                FitName::Letterbox => Fit::Letterbox,
            },
            filter: match self.filter {
                FilterName::Bilinear => Filter::Bilinear,
                FilterName::Bicubic => Filter::Bicubic,
                FilterName::Lanczos => Filter::Lanczos,
                FilterName::Box => Filter::Box,
            },
            mean: self.mean,
            std: self.std,
            channel_order: if self.bgr { ChannelOrder::Bgr } else { ChannelOrder::Rgb },
            layout: match self.layout {
                LayoutName::Nchw => Layout::Nchw,
                LayoutName::Nhwc => Layout::Nhwc,
            },
        }
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
        let activations = engine.run(&grey(height, width)).map_err(Failure::new)?;
        if activations.classes != partition.len() {
            let what = format!(
                "{} gives {} scores, {} has {} classes",
                self.onnx.display(),
                activations.classes,
                self.partition.display(),
                partition.len()
            );
            return Err(Failure::new(what)
                .hint("the partition's rows are the model's outputs, in the same order"));
        }
        if activations.logits.iter().any(|score| score.is_nan()) {
            return Err(Failure::new("the model gives NaN for a grey photo")
                .hint("are --mean, --std and --layout those that it was trained with?"));
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

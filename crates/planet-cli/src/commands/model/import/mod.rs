mod input;
mod labels;

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use planet::{
    Activations, Engine, LevelCalibration, ModelDraft, ModelPackage, NewPackage, RegionCalibration,
    ScoreKind,
    package::{MODEL_FILE, OnnxMetadata, Outputs, Provenance},
};
use planet_data::{PixelBatch, Preprocess};
use planet_engine::{OnnxEngine, Signature};
use planet_geo::Partition;
use planet_net::read_onnx_metadata;

use self::input::InputArguments;
pub use self::input::three;
use super::check;
use crate::{commands::partition::files, engine_choice::EngineChoice, failure::Failure};

/// `planet model import model.onnx --partition P|--labels L --input-size … -o MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// ONNX file of the classifier
    onnx: PathBuf,
    /// File with the classes in the order of the outputs, in PlaNet's layout or that of another project
    #[arg(long, value_name = "FILE", required_unless_present = "labels")]
    partition: Option<PathBuf>,
    /// Text file with the labels of a classifier whose classes are not places, one per line in the order
    /// of the outputs. The package serves planet dataset enrich and filter --classifier
    #[arg(long, value_name = "FILE", conflicts_with_all = ["partition", "check", "embedding", "temperature"])]
    labels: Option<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScoresName {
    /// Scores before the softmax
    Logits,
    /// Scores from 0 to 1
    Probabilities,
    /// Scores before a sigmoid for each label, where several labels may apply; with --labels only
    IndependentLogits,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match (&arguments.labels, &arguments.partition) {
        (Some(path), _) => labels::run(arguments, path),
        (None, Some(path)) => arguments.import_places(path),
        (None, None) => unreachable!("one of the two is required"),
    }
}

impl Arguments {
    /// The model's name for people.
    fn name(&self) -> String {
        let own = || self.onnx.file_stem().map(|name| name.to_string_lossy().into_owned());
        self.name.clone().or_else(own).unwrap_or_default()
    }

    fn provenance(&self) -> Provenance {
        Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            note: self.note.clone(),
            ..Provenance::default()
        }
    }

    /// Imports a classifier over places.
    fn import_places(&self, partition_file: &Path) -> Result<(), Failure> {
        let partition = files::read(partition_file)?;
        let metadata = self.metadata(&partition, partition_file)?;
        let stated = metadata.as_ref().map(|metadata| &metadata.preprocess);
        let preprocess = self.input.preprocess(&self.onnx, stated)?;
        let tried = self.try_places(&partition, partition_file, &preprocess)?;
        let package = NewPackage::create(&self.output).map_err(Failure::new)?;
        copy(&self.onnx, package.folder())?;
        let stated = metadata.as_ref().map(|metadata| metadata.temperature);
        let levels = metadata.as_ref().map(|metadata| metadata.level_calibration);
        let is_as_written = metadata.is_some_and(|it| it.preprocess == preprocess);
        let draft = ModelDraft {
            name: self.name(),
            architecture: "foreign".to_owned(),
            features: tried.features,
            preprocess,
            outputs: tried.outputs,
            temperature: self.temperature.or(stated).unwrap_or(1.0),
            // It was fitted on probabilities of the temperature that the file states.
            level_calibration: match self.temperature {
                None => levels.unwrap_or_default(),
                Some(_) => LevelCalibration::default(),
            },
            region_calibration: RegionCalibration::default(),
            provenance: self.provenance(),
        };
        let package = package.finish(draft, &partition).map_err(Failure::new)?;
        summarise(&package, &tried.engine)?;
        match &self.check {
            Some(photos) => check::run(&package, &self.engine, photos),
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
    fn metadata(
        &self,
        partition: &Partition,
        partition_file: &Path,
    ) -> Result<Option<OnnxMetadata>, Failure> {
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
                    partition_file.display()
                );
                Err(named(&what).hint("the partition of a package is its file partition.csv"))
            }
            metadata => Ok(metadata),
        }
    }

    /// Runs the network once and holds its outputs to the partition.
    fn try_places(
        &self,
        partition: &Partition,
        partition_file: &Path,
        preprocess: &Preprocess,
    ) -> Result<Tried, Failure> {
        let kind = match self.scores {
            ScoresName::Logits => ScoreKind::Logits,
            ScoresName::Probabilities => ScoreKind::Probabilities,
            ScoresName::IndependentLogits => {
                let what = "the classes of a partition exclude one another";
                let hint = "use --scores logits or probabilities, or --labels for other classes";
                return Err(Failure::usage(what).hint(hint));
            }
        };
        let (engine, activations) = self.try_out(kind, preprocess)?;
        if activations.classes != partition.len() {
            return Err(self
                .other_count(activations.classes, partition_file, partition.len(), "classes")
                .hint("the partition must have one row for each output of the model, in the same order"));
        }
        let embedding = engine.embedding_name().map(str::to_owned);
        let outputs = Outputs { scores: engine.scores_name().to_owned(), kind, embedding };
        let (features, engine) = (activations.features, engine.name().to_owned());
        Ok(Tried { outputs, features, engine })
    }

    /// Runs the network over a grey photo.
    fn try_out(
        &self,
        kind: ScoreKind,
        preprocess: &Preprocess,
    ) -> Result<(OnnxEngine, Activations), Failure> {
        let signature = Signature {
            scores: self.output_name.clone(),
            kind,
            embedding: self.embedding.clone(),
            layout: preprocess.layout,
        };
        let mut engine = self.engine.open(&self.onnx, &signature)?;
        let [height, width] = preprocess.size;
        let activations = engine.run_checked(&grey(height, width)).map_err(Failure::new)?;
        if activations.logits.iter().any(|score| score.is_nan()) {
            return Err(Failure::new("the model returns NaN for a grey photo")
                .hint("check that --mean, --std and --layout are those of its training"));
        }
        Ok((engine, activations))
    }

    fn other_count(&self, found: usize, file: &Path, count: usize, what: &str) -> Failure {
        let (onnx, file) = (self.onnx.display(), file.display());
        Failure::new(format!("{onnx} returns {found} scores, but {file} has {count} {what}"))
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

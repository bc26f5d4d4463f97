use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::{
    Activations, CellProbabilities, Engine, LabelModel, ModelPackage, PackageError,
    package::Activation,
};
use planet_data::PixelBatch;
use planet_engine::{OnnxEngine, Rten, Signature};

use crate::{
    engine_choice::{DeviceName, EngineChoice, EngineName},
    failure::Failure,
};

/// Greatest difference between two engines in f32 that is rounding.
const TOLERANCE: f32 = 1e-4;

/// The same in 8 bits: one engine rounds a value up that another rounds down, and later layers carry it
/// on.
const TOLERANCE_OF_8_BITS: f32 = 0.1;

/// `planet model verify MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package
    model: PathBuf,
    #[command(flatten)]
    engine: EngineChoice,
}

/// Checks every file against its hash, the classes against the partition, and runs the network
/// with rten and beside that with native, where it can run it, and with ONNX Runtime, where it is found;
/// or with the engine that is asked for. Of a package in 8 bits or with weights in 16, states the agreement
/// with 32 bits that was measured when it was made.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = match ModelPackage::open(&arguments.model) {
        Err(PackageError::NoPlaces { .. }) => return arguments.verify_labels(),
        package => package.map_err(Failure::new)?,
    };
    let description = package.description();
    let mut out = io::stdout().lock();
    writeln!(out, "files       {} match their hashes", description.hashes.len())?;
    writeln!(
        out,
        "partition   {} classes, {}",
        description.classes, description.partition_fingerprint
    )?;
    let mut own = Rten::default().open_package(&package).map_err(Failure::new)?;
    let photos = photos(description.preprocess.size);
    let reference = try_out(&mut own, &photos, &package)?;
    writeln!(out, "{:<11} returns a distribution over the classes", own.name())?;
    for scheme in &description.schemes {
        package.scheme(&scheme.name).map_err(Failure::new)?;
        writeln!(out, "scheme      {} was trained on this network", scheme.name)?;
    }
    if let Some(quantization) = &description.quantization {
        for (name, value) in quantization.agreement.facts() {
            writeln!(out, "agreement   {name}: {value}")?;
        }
    }
    if let Some(half) = &description.half_weights {
        writeln!(out, "16 bits     {}", half.summary())?;
        for (name, value) in half.facts() {
            writeln!(out, "agreement   {name}: {value}")?;
        }
    }
    let tolerance =
        if description.quantization.is_some() { TOLERANCE_OF_8_BITS } else { TOLERANCE };
    let open = |engine: &EngineChoice| engine.open_package(&package);
    for mut other in arguments.others(own.name(), open)? {
        let found = try_out(&mut other, &photos, &package)?;
        compare([own.name(), other.name()], &reference, &found, tolerance)?;
    }
    Ok(())
}

impl Arguments {
    /// The same for a package for labels.
    fn verify_labels(&self) -> Result<(), Failure> {
        let model = LabelModel::open(&self.model).map_err(Failure::new)?;
        let description = model.description();
        let mut out = io::stdout().lock();
        writeln!(out, "files       {} match their hashes", description.hashes.len())?;
        let signature = Signature::of_labels(description);
        let mut own = Rten::default().open(&model.model(), &signature).map_err(Failure::new)?;
        let photos = photos(description.preprocess.size);
        let labels = description.labels.names().len();
        let reference = try_labels(&mut own, &photos, labels, description.activation)?;
        writeln!(out, "{:<11} returns scores for {labels} labels", own.name())?;
        let open = |engine: &EngineChoice| engine.open(&model.model(), &signature);
        for mut other in self.others(own.name(), open)? {
            let found = try_labels(&mut other, &photos, labels, description.activation)?;
            compare([own.name(), other.name()], &reference, &found, TOLERANCE)?;
        }
        Ok(())
    }

    /// The engines that are compared with rten, whose name is `own`.
    fn others(
        &self,
        own: &str,
        open: impl Fn(&EngineChoice) -> Result<OnnxEngine, Failure>,
    ) -> Result<Vec<OnnxEngine>, Failure> {
        let mut engines = Vec::new();
        if self.engine.engine == EngineName::Auto {
            // It does not run every model, which is no failure of the model.
            engines.extend(open(&EngineChoice {
                engine: EngineName::Native,
                device: DeviceName::Auto,
                onnxruntime: None,
                ..self.engine.clone()
            }));
        }
        engines.push(open(&self.engine)?);
        engines.dedup_by(|a, b| a.name() == b.name());
        engines.retain(|engine| engine.name() != own);
        Ok(engines)
    }
}

fn try_labels(
    engine: &mut dyn Engine,
    photos: &PixelBatch,
    labels: usize,
    activation: Activation,
) -> Result<Activations, Failure> {
    let activations = engine.run_checked(photos).map_err(Failure::new)?;
    if activations.classes != labels {
        let found = activations.classes;
        return Err(Failure::new(format!(
            "{} returns {found} scores, not {labels}",
            engine.name()
        )));
    }
    for photo in 0..activations.photos() {
        activation
            .scores(activations.logits_of(photo))
            .map_err(|error| Failure::new(format!("{}: {error}", engine.name())))?;
    }
    Ok(activations)
}

/// States how far two engines differ, and fails where that is more than rounding.
fn compare(
    [own, other]: [&str; 2],
    reference: &Activations,
    found: &Activations,
    tolerance: f32,
) -> Result<(), Failure> {
    let off = difference(reference, found);
    writeln!(io::stdout(), "{other} differs from {own} by at most {off:.1e}")?;
    if off > tolerance {
        return Err(Failure::new(format!(
            "the engines differ by {off:.1e}, more than {tolerance:.0e}"
        ))
        .hint("greater differences are expected on devices that compute in bf16, but not in f32"));
    }
    Ok(())
}

fn try_out(
    engine: &mut dyn Engine,
    photos: &PixelBatch,
    package: &ModelPackage,
) -> Result<Activations, Failure> {
    let activations = engine.run(photos).map_err(Failure::new)?;
    let (found, stated) = (activations.classes, package.description().classes);
    if found != stated {
        return Err(Failure::new(format!(
            "{} returns {found} scores, not {stated}",
            engine.name()
        )));
    }
    for photo in 0..activations.photos() {
        CellProbabilities::from_logits(
            activations.logits_of(photo),
            package.description().temperature,
        )
        .map_err(|error| Failure::new(format!("{}: {error}", engine.name())))?;
    }
    Ok(activations)
}

/// Three photos of stripes in different directions.
fn photos([height, width]: [usize; 2]) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(3, height, width);
    for photo in 1..=3 {
        let pixel = |at: usize| {
            let (x, y, channel) = (at % width, at / width % height, at / (width * height));
            ((x * photo + y * (4 - photo) + channel * 5) as f32 * 0.21).sin()
        };
        batch.push(&(0..3 * height * width).map(pixel).collect::<Vec<_>>());
    }
    batch
}

/// Greatest difference of a logit, as a share of the largest where that is above 1.
fn difference(a: &Activations, b: &Activations) -> f32 {
    let largest =
        a.logits.iter().filter(|it| it.is_finite()).fold(1.0f32, |most, it| most.max(it.abs()));
    let pairs = a.logits.iter().zip(&b.logits);
    pairs.map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() / largest }).fold(0.0, f32::max)
}

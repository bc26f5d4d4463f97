use std::{
    io::{self, Write},
    path::Path,
};

use clap::Args;
use planet::{
    CodeModel, FeatureModel, LabelModel, ModelPackage, PackageError, ScoreKind,
    package::{Activation, CodeDescription, LabelDescription},
};
use planet_data::Fit;
use planet_net::{Architecture, Network, NetworkOptions, OutputName};

use super::quantize::describe_half;
use crate::failure::Failure;

/// `planet model show MODEL|ARCHITECTURE [--classes N] [--size PX] [--auxiliary]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package, or architecture: inception-v3, inception-bn, inception-mini,
    /// mobilenet-v3-large, efficientnet-lite0, efficientnet-lite1, efficientnet-lite2
    #[arg(value_name = "MODEL|ARCHITECTURE")]
    subject: String,
    /// For an architecture: number of classes; the paper has 26,263
    #[arg(long, value_name = "N", default_value_t = 26_263)]
    classes: usize,
    /// For an architecture: side of the input in pixels; by default the usual size
    #[arg(long, value_name = "PX")]
    size: Option<usize>,
    /// For an architecture: include the auxiliary classifier that is used in training
    #[arg(long)]
    auxiliary: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let folder = Path::new(&arguments.subject);
    if folder.is_dir() {
        let package = match ModelPackage::open(folder) {
            Err(PackageError::NoClasses { .. }) => {
                let model = FeatureModel::open(folder).map_err(Failure::new)?;
                return Ok(describe_features(&model, &mut out)?);
            }
            Err(PackageError::NoPlaces { .. }) => {
                let model = LabelModel::open(folder).map_err(Failure::new)?;
                return Ok(describe_labels(model.description(), &mut out)?);
            }
            Err(PackageError::OnlyCodes { .. }) => {
                let model = CodeModel::open(folder).map_err(Failure::new)?;
                return Ok(describe_codes(model.description(), &mut out)?);
            }
            package => package.map_err(Failure::new)?,
        };
        return Ok(describe(&package, &mut out)?);
    }
    let architecture: Architecture = arguments.subject.parse().map_err(|error| {
        Failure::usage(error)
            .hint("a model package is a folder written by planet export or planet model import")
    })?;
    let size = [arguments.size.unwrap_or(architecture.usual_side()); 2];
    let Arguments { classes, auxiliary, .. } = *arguments;
    let options = NetworkOptions { size, classes, auxiliary };
    let network = architecture.network(options).map_err(Failure::usage)?;
    table(&network, &mut out)?;
    Ok(())
}

/// The description of a package without classes.
fn describe_features(model: &FeatureModel, out: &mut impl Write) -> io::Result<()> {
    let [height, width] = model.preprocess().size;
    writeln!(out, "name         {}", model.name())?;
    writeln!(out, "photos       {height} × {width}, other sizes are possible")?;
    writeln!(out, "classes      none")?;
    writeln!(out, "embedding    {}", model.features())?;
    if let Some([channels, rows, columns]) = model.map() {
        writeln!(out, "map          {channels} × {rows} × {columns}")?;
    }
    if let FeatureModel::Features(_, description) = model
        && let Some(half) = &description.half_weights
    {
        describe_half(half, out)?;
    }
    Ok(())
}

/// The description of a package for labels, with all its labels.
fn describe_labels(it: &LabelDescription, out: &mut impl Write) -> io::Result<()> {
    let [height, width] = it.preprocess.size;
    let scores = match it.activation {
        Activation::Softmax => "logits of labels that exclude one another",
        Activation::Sigmoid => "independent logits",
        Activation::None => "probabilities",
    };
    writeln!(out, "name         {}", it.name)?;
    writeln!(out, "photos       {height} × {width}, {}", fitted(it.preprocess.fit))?;
    writeln!(out, "scores       {scores}, output '{}'", it.output)?;
    writeln!(out, "labels       {}", it.labels.names().len())?;
    for label in it.labels.names() {
        writeln!(out, "label        {label}")?;
    }
    if !it.provenance.note.is_empty() {
        writeln!(out, "source       {}", it.provenance.note)?;
    }
    Ok(())
}

/// The description of a package for near-duplicates.
fn describe_codes(description: &CodeDescription, out: &mut impl Write) -> io::Result<()> {
    let [height, width] = description.preprocess.size;
    let (distance, matches) = (description.distance, &description.false_matches);
    writeln!(out, "name         {}", description.name)?;
    writeln!(out, "network      {}", description.architecture)?;
    writeln!(out, "photos       {height} × {width}")?;
    writeln!(out, "code         {} bits", description.bits)?;
    writeln!(out, "distance     {distance} bits or fewer between near-duplicates")?;
    for against in [10_000, 1_000_000] {
        let share = 100.0 * matches.removed(distance, against);
        writeln!(out, "wrong        {share:.3} % expected to be removed against {against} photos")?;
    }
    Ok(())
}

fn fitted(fit: Fit) -> String {
    match fit {
        Fit::Squash => "squashed".to_owned(),
        Fit::CentreCrop { share } => format!("centre crop of {:.1} %", 100.0 * share),
        Fit::SquashCrop { share } => format!("squashed, middle {:.1} %", 100.0 * share),
        Fit::Letterbox => "whole photo, with borders".to_owned(),
    }
}

/// The description of a package.
fn describe(package: &ModelPackage, out: &mut impl Write) -> io::Result<()> {
    let it = package.description();
    let [height, width] = it.preprocess.size;
    let kind = match it.outputs.kind {
        ScoreKind::Logits => "logits",
        ScoreKind::Probabilities => "probabilities",
    };
    let partition = package.partition().info();
    writeln!(out, "name         {}", it.name)?;
    writeln!(out, "network      {}", it.architecture)?;
    writeln!(out, "photos       {height} × {width}, {}", fitted(it.preprocess.fit))?;
    writeln!(out, "classes      {}, {}", grouped(it.classes as u64), partition.scheme)?;
    writeln!(out, "scores       {kind}, output '{}'", it.outputs.scores)?;
    match &it.outputs.embedding {
        Some(name) => writeln!(out, "embedding    {}, output '{name}'", it.features)?,
        None => writeln!(out, "embedding    none")?,
    }
    writeln!(out, "temperature  {:.3}", it.temperature)?;
    for (name, score) in &it.provenance.scores {
        writeln!(out, "score        {score:.4} {name}")?;
    }
    if let Some(quantization) = &it.quantization {
        writeln!(out, "8 bits       {}", quantization.method)?;
        let (photos, range) = (quantization.calibration_photos, &quantization.range);
        writeln!(out, "calibration  {photos} photos, {range}")?;
        for (name, value) in quantization.agreement.facts() {
            writeln!(out, "agreement    {name}: {value}")?;
        }
    }
    if let Some(half) = &it.half_weights {
        describe_half(half, out)?;
    }
    for scheme in &it.schemes {
        writeln!(out, "scheme       {} for albums", scheme.name)?;
    }
    writeln!(out, "partition    {}", it.partition_fingerprint)?;
    for (name, hash) in &it.hashes {
        writeln!(out, "file         {} {name}", &hash[..16.min(hash.len())])?;
    }
    if !it.provenance.note.is_empty() {
        writeln!(out, "source       {}", it.provenance.note)?;
    }
    Ok(())
}

fn table(network: &Network, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<16} {:<20} {:>16} {:>13} {:>14}",
        "part", "what", "shape", "parameters", "multiply-adds"
    )?;
    for part in network.parts() {
        let (parameters, work) = (part.count.parameters, part.count.multiply_adds);
        writeln!(
            out,
            "{:<16} {:<20} {:>16} {:>13} {:>14}",
            part.name,
            part.what,
            part.shape.to_string(),
            grouped(parameters),
            grouped(work)
        )?;
    }
    let count = network.count();
    writeln!(out)?;
    writeln!(out, "parameters     {:>14}", grouped(count.parameters))?;
    writeln!(out, "multiply-adds  {:>14}  per photo", grouped(count.multiply_adds))?;
    writeln!(out, "as f32         {:>14.1}  MB", 4.0 * count.parameters as f64 / 1e6)?;
    writeln!(out, "embedding      {:>14}", network.features())?;
    writeln!(out, "classes        {:>14}", grouped(network.classes() as u64))?;
    if network.output(OutputName::Auxiliary).is_some() {
        let slim = network.inference().count();
        writeln!(out, "for inference  {:>14}  parameters", grouped(slim.parameters))?;
    }
    Ok(())
}

/// `75598455` as `75,598,455`; nothing for 0.
fn grouped(number: u64) -> String {
    let digits = if number == 0 { String::new() } else { number.to_string() };
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

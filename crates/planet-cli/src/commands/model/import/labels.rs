use std::{
    io::{self, Write},
    path::Path,
};

use planet::{
    Engine, ScoreKind,
    package::{Activation, LabelDraft, LabelModel, Labels, NewLabels},
};

use super::{Arguments, ScoresName, copy};
use crate::failure::Failure;

/// How far from 1 the sum of probabilities may be by rounding.
const ROUNDING: f32 = 1e-3;

/// Imports a classifier whose classes are not places.
pub fn run(arguments: &Arguments, path: &Path) -> Result<(), Failure> {
    let labels = Labels::read(path).map_err(Failure::new)?;
    let preprocess = arguments.input.preprocess(&arguments.onnx, None)?;
    let activation = match arguments.scores {
        ScoresName::Logits => Activation::Softmax,
        ScoresName::IndependentLogits => Activation::Sigmoid,
        ScoresName::Probabilities => Activation::None,
    };
    // The network's own values, not their logarithms.
    let (engine, activations) = arguments.try_out(ScoreKind::Logits, &preprocess)?;
    let count = labels.names().len();
    if activations.classes != count {
        return Err(arguments
            .other_count(activations.classes, path, count, "labels")
            .hint("the file must have one label for each output of the model, in the same order"));
    }
    check_scores(activation, &activations.logits)?;
    let package = NewLabels::create(&arguments.output).map_err(Failure::new)?;
    copy(&arguments.onnx, package.folder())?;
    let draft = LabelDraft {
        name: arguments.name(),
        labels,
        preprocess,
        output: engine.scores_name().to_owned(),
        activation,
        provenance: arguments.provenance(),
    };
    let model = package.finish(draft).map_err(Failure::new)?;
    summarise(&model, engine.name())?;
    anstream::eprintln!(
        "warning: the preprocessing has not been checked. If size, mean or channel order differ from those \
         of training, the scores are wrong without an error. Compare the scores of a few photos with \
         those of the program that the model comes from"
    );
    Ok(())
}

/// Refuses outputs that cannot be what they are stated to be.
fn check_scores(activation: Activation, output: &[f32]) -> Result<(), Failure> {
    if let Err(error) = activation.scores(output) {
        return Err(Failure::new(format!("{error}, for a grey photo"))
            .hint("use --scores logits, or independent-logits where several labels may apply"));
    }
    let within = output.iter().all(|value| (0.0..=1.0).contains(value));
    let sum: f32 = output.iter().sum();
    match activation {
        Activation::Softmax if within && output.len() > 1 && (sum - 1.0).abs() < ROUNDING => Err(
            Failure::new("the outputs for a grey photo are probabilities already: they sum to 1")
                .hint("use --scores probabilities"),
        ),
        Activation::Sigmoid if within => {
            anstream::eprintln!(
                "warning: the outputs for a grey photo lie between 0 and 1; if the network ends in a \
                 sigmoid itself, use --scores probabilities"
            );
            Ok(())
        }
        _ => Ok(()),
    }
}

fn summarise(model: &LabelModel, engine: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "package    {}", model.folder().display())?;
    writeln!(out, "labels     {}", model.description().labels.names().len())?;
    writeln!(out, "tested with {engine}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_that_are_not_what_they_are_stated_to_be_are_refused() {
        assert!(check_scores(Activation::Softmax, &[3.0, -1.0]).is_ok());
        assert!(check_scores(Activation::Softmax, &[0.25, 0.75]).is_err());
        assert!(check_scores(Activation::None, &[0.25, 0.75]).is_ok());
        assert!(check_scores(Activation::None, &[3.0, -1.0]).is_err());
        assert!(check_scores(Activation::Sigmoid, &[0.25, 0.5]).is_ok());
    }
}

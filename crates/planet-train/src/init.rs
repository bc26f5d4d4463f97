use std::path::Path;

use planet_net::{Network, Weights};

use crate::TrainError;

/// What a file of weights gave to a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Parameters that were taken over.
    pub taken: usize,
    /// Parameters that have another shape there, a classifier over other classes say; they
    /// begin at random.
    pub other_shape: Vec<String>,
    /// Parameters that the file lacks; they begin at random.
    pub missing: Vec<String>,
    /// Arrays of the file that the network does not know.
    pub unknown: Vec<String>,
}

/// Initial weights, and over them those of a safetensors file whose name and shape match:
/// torchvision's and timm's load, and a checkpoint of ours does too.
///
/// # Errors
/// The file cannot be read, is no safetensors file, or has nothing in common with the network.
pub(crate) fn initial_weights(
    network: &Network,
    seed: u64,
    init: Option<&Path>,
) -> Result<(Weights, Option<Matched>), TrainError> {
    let mut weights = Weights::initial(network, seed);
    let Some(path) = init else { return Ok((weights, None)) };
    let wrong = |what: String| TrainError::Checkpoint { path: path.to_owned(), what };
    let bytes = std::fs::read(path).map_err(TrainError::file(path))?;
    let (given, _) = Weights::from_safetensors(&bytes).map_err(|error| wrong(error.to_string()))?;
    let given = given.from_timm().unwrap_or(given);
    let mut matched = Matched::default();
    for parameter in network.parameters() {
        match given.get(&parameter.name) {
            Some(array) if array.shape() == parameter.shape => {
                weights.insert(parameter.name, array.clone());
                matched.taken += 1;
            }
            Some(_) => matched.other_shape.push(parameter.name),
            None => matched.missing.push(parameter.name),
        }
    }
    let unknown = given.iter().filter(|(name, _)| weights.get(name).is_none());
    matched.unknown = unknown.map(|(name, _)| name.to_owned()).collect();
    if matched.taken == 0 {
        return Err(wrong(format!("none of its arrays matches {}", network.name())));
    }
    weights.check(network)?;
    Ok((weights, Some(matched)))
}

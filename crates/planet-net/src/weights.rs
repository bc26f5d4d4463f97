use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use crate::{Initialisation, Network, Parameter};

/// Every parameter of a network by name: what training makes, checkpoints hold and the ONNX
/// writer takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(BTreeMap<String, Array>);

/// An array of f32, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// An array of this shape.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "as many values as the shape");
        Self { shape, values }
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values themselves.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

/// Weights that do not fit the network they are meant for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightsError {
    /// A parameter of the network is not there.
    #[error("the weights lack '{parameter}', which {network} requires")]
    Missing {
        /// The network's name.
        network: String,
        /// The parameter.
        parameter: String,
    },
    /// A parameter has another shape.
    #[error("'{parameter}' of {network} has shape {wanted:?}, but the weights have {found:?}")]
    Shape {
        /// The network's name.
        network: String,
        /// The parameter.
        parameter: String,
        /// The network's shape.
        wanted: Vec<usize>,
        /// The weights' shape.
        found: Vec<usize>,
    },
    /// A value that is not a number, or infinite.
    #[error("'{parameter}' contains {value} at index {place}")]
    NotFinite {
        /// The parameter.
        parameter: String,
        /// Row-major place of the value.
        place: usize,
        /// The value, as text: `NaN` is not equal to itself.
        value: String,
    },
    /// Bytes that are no safetensors file.
    #[error("not a safetensors file: {0}")]
    Format(String),
}

impl Weights {
    /// The weights that training begins with, as the network's parameters say. They depend on
    /// the seed and on each parameter's name and shape, not on the backend.
    pub fn initial(network: &Network, seed: u64) -> Self {
        Self(network.parameters().map(|it| (it.name.clone(), draw(&it, seed))).collect())
    }

    /// One parameter.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }

    /// One parameter, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Array> {
        self.0.get_mut(name)
    }

    /// Puts a parameter in, in place of the one that has its name.
    pub fn insert(&mut self, name: impl Into<String>, array: Array) -> Option<Array> {
        self.0.insert(name.into(), array)
    }

    /// Takes a parameter out.
    pub fn remove(&mut self, name: &str) -> Option<Array> {
        self.0.remove(name)
    }

    /// All parameters in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.0.iter().map(|(name, array)| (name.as_str(), array))
    }

    /// Number of parameters (arrays, not values).
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that every parameter of the network is here in its shape, with finite values;
    /// parameters that the network does not know are ignored.
    ///
    /// # Errors
    /// The first that is missing, of another shape, or not finite.
    pub fn check(&self, network: &Network) -> Result<(), WeightsError> {
        for Parameter { name, shape, .. } in network.parameters() {
            let of = network.name().to_owned();
            let Some(array) = self.get(&name) else {
                return Err(WeightsError::Missing { network: of, parameter: name });
            };
            if array.shape != shape {
                let (wanted, found) = (shape, array.shape.clone());
                return Err(WeightsError::Shape { network: of, parameter: name, wanted, found });
            }
            if let Some(place) = array.values.iter().position(|value| !value.is_finite()) {
                let value = array.values[place].to_string();
                return Err(WeightsError::NotFinite { parameter: name, place, value });
            }
        }
        Ok(())
    }
}

impl FromIterator<(String, Array)> for Weights {
    fn from_iter<I: IntoIterator<Item = (String, Array)>>(arrays: I) -> Self {
        Self(arrays.into_iter().collect())
    }
}

impl IntoIterator for Weights {
    type Item = (String, Array);
    type IntoIter = std::collections::btree_map::IntoIter<String, Array>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

fn draw(parameter: &Parameter, seed: u64) -> Array {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // A stream of its own for each parameter, so that adding one changes no other.
    rng.set_stream(fnv1a(parameter.name.as_bytes()));
    let count = parameter.count();
    let values = match parameter.initialisation {
        Initialisation::Constant(value) => vec![value; count],
        Initialisation::Uniform { bound } => {
            (0..count).map(|_| rng.random_range(-bound..=bound)).collect()
        }
        Initialisation::TruncatedNormal { deviation } => {
            (0..count).map(|_| deviation * truncated_normal(&mut rng)).collect()
        }
    };
    Array::new(parameter.shape.clone(), values)
}

/// Standard normal, drawn again beyond ±2.
fn truncated_normal(rng: &mut ChaCha8Rng) -> f32 {
    loop {
        // Marsaglia's polar method.
        let (u, v) = (rng.random_range(-1.0..1.0_f32), rng.random_range(-1.0..1.0_f32));
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            let normal = u * (-2.0 * s.ln() / s).sqrt();
            if normal.abs() <= 2.0 {
                return normal;
            }
        }
    }
}

/// The 64-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

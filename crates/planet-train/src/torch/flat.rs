use planet_net::{Array, Parameter, Weights};
use tch::{Device, Kind, TchError, Tensor};

use crate::{Optimizer, State};

/// Each parameter begins at a multiple of so many numbers: kernels load 16 bytes at a time.
const ALIGNED: usize = 64;

/// Parameters of one kind in one tensor, `[numbers]`, with what the optimizer keeps of each.
pub(super) struct Flat {
    places: Vec<Place>,
    /// A leaf of the graph, where these are trained.
    pub(super) values: Tensor,
    pub(super) slots: Vec<Tensor>,
    pub(super) average: Option<Tensor>,
    device: Device,
}

/// Where a parameter stands: one after the other, each with some room behind it.
struct Place {
    name: String,
    /// PyTorch's shape.
    shape: Vec<i64>,
    count: i64,
    room: i64,
}

impl Flat {
    pub(super) fn new(
        parameters: Vec<Parameter>,
        weights: &Weights,
        trained: bool,
        optimizer: &Optimizer,
        device: Device,
    ) -> Result<Self, TchError> {
        let places = parameters.into_iter().map(|parameter| {
            let count = parameter.count();
            Place {
                name: parameter.name,
                shape: parameter.shape.iter().map(|side| *side as i64).collect(),
                count: count as i64,
                room: (count.next_multiple_of(ALIGNED) - count) as i64,
            }
        });
        let empty = Tensor::f_empty([0], (Kind::Float, device))?;
        let mut flat =
            Self { places: places.collect(), values: empty, slots: vec![], average: None, device };
        flat.values = flat.gather(weights)?.f_set_requires_grad(trained)?;
        let numbers = flat.values.size()[0];
        if trained {
            for first in optimizer.begin(1) {
                let slot = Tensor::f_full([numbers], f64::from(first[0]), (Kind::Float, device))?;
                flat.slots.push(slot);
            }
        }
        flat.average = match optimizer.average {
            Some(_) => Some(flat.values.f_detach_copy()?),
            None => None,
        };
        Ok(flat)
    }

    /// The values that are evaluated and exported.
    pub(super) fn best(&self) -> &Tensor {
        self.average.as_ref().unwrap_or(&self.values)
    }

    /// Each parameter in PyTorch's shape, a part of `values`; kernels stand channels last.
    pub(super) fn views(&self, values: &Tensor) -> Result<Vec<(&str, Tensor)>, TchError> {
        if self.places.is_empty() {
            return Ok(Vec::new());
        }
        // One cut, and not one a parameter: backward puts all gradients together at once.
        let sizes: Vec<i64> = self.places.iter().flat_map(|it| [it.count, it.room]).collect();
        let pieces = values.f_split_with_sizes(sizes, 0)?;
        let pieces = pieces.into_iter().step_by(2);
        self.places
            .iter()
            .zip(pieces)
            .map(|(it, piece)| Ok((&*it.name, it.outward(&piece)?)))
            .collect()
    }

    /// From parameters on the processor to one tensor on the device.
    fn gather(&self, weights: &Weights) -> Result<Tensor, TchError> {
        let mut pieces = Vec::new();
        for place in &self.places {
            let array = weights.get(&place.name).expect("the weights were checked");
            let tensor = Tensor::f_from_slice(array.values())?.f_reshape(&place.shape)?;
            pieces.push(place.inward(&tensor)?);
            pieces.push(Tensor::f_zeros([place.room], (Kind::Float, Device::Cpu))?);
        }
        if pieces.is_empty() {
            return Tensor::f_empty([0], (Kind::Float, self.device));
        }
        Tensor::f_cat(&pieces, 0)?.f_to(self.device)
    }

    /// From one tensor on the device to parameters on the processor.
    pub(super) fn weights(&self, values: &Tensor) -> Result<Vec<(String, Array)>, TchError> {
        let values = values.f_detach()?.f_to(Device::Cpu)?;
        let arrays =
            self.views(&values)?.into_iter().zip(&self.places).map(|((name, view), it)| {
                let values = Vec::<f32>::try_from(&view.f_contiguous()?.f_reshape([it.count])?)?;
                let shape = it.shape.iter().map(|side| *side as usize).collect();
                Ok((name.to_owned(), Array::new(shape, values)))
            });
        arrays.collect()
    }

    /// Goes back to a state, which fits.
    pub(super) fn load(&mut self, state: &State) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let values = self.gather(&state.weights)?;
        self.values.f_copy_(&values)?;
        for (at, slot) in state.slots.iter().enumerate().take(self.slots.len()) {
            let numbers = self.gather(slot)?;
            self.slots[at].f_copy_(&numbers)?;
        }
        if let Some(average) = &state.average {
            self.average = Some(self.gather(average)?);
        }
        Ok(())
    }
}

impl Place {
    /// One row of numbers as a parameter.
    fn outward(&self, row: &Tensor) -> Result<Tensor, TchError> {
        match self.shape[..] {
            [outputs, inputs, height, width] => {
                row.f_view([outputs, height, width, inputs])?.f_permute([0, 3, 1, 2])
            }
            _ => row.f_view(&self.shape[..]),
        }
    }

    /// A parameter as one row of numbers.
    fn inward(&self, tensor: &Tensor) -> Result<Tensor, TchError> {
        let tensor = if self.shape.len() == 4 {
            tensor.f_permute([0, 2, 3, 1])?.f_contiguous()?
        } else {
            tensor.shallow_clone()
        };
        tensor.f_reshape([self.count])
    }
}

/// Steps from one number to the next along each axis, for numbers in order.
pub(super) fn strides(size: &[i64; 4]) -> [i64; 4] {
    [size[1] * size[2] * size[3], size[2] * size[3], size[3], 1]
}

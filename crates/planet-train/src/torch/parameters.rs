use std::ops::Range;

use planet_net::{Array, Network, ParameterKind, Weights};
use tch::{Device, Kind, TchError, Tensor};

/// Where each parameter lies in one flat tensor that holds them all: what decays first, then
/// biases and batch norm's parameters, then running statistics and what is frozen. So an optimizer's step is a few
/// operations on long tensors, and so is the sum of gradients over machines.
pub(super) struct Parameters {
    places: Vec<Place>,
    /// Numbers of the parameters that decay: those with more than one axis.
    pub(super) decaying: i64,
    /// Numbers of all that are trained; the decaying ones are the first of them.
    pub(super) trained: i64,
    /// Numbers of all.
    all: i64,
}

/// One parameter's place.
pub(super) struct Place {
    pub(super) name: String,
    shape: Vec<i64>,
    pub(super) kind: ParameterKind,
    offset: i64,
    /// Numbers up to the next parameter.
    room: i64,
}

/// Every parameter begins at a multiple of this, so that vector units and tensor cores can read
/// it.
const ALIGNMENT: i64 = 64;

impl Parameters {
    pub(super) fn new(network: &Network) -> Self {
        let mut all: Vec<_> = network.parameters().collect();
        let fixed = |kind| kind != ParameterKind::Trained;
        all.sort_by_key(|it| (fixed(it.kind), it.shape.len() == 1));
        let mut parameters = Self { places: Vec::new(), decaying: 0, trained: 0, all: 0 };
        for it in all {
            let shape: Vec<i64> = it.shape.iter().map(|side| *side as i64).collect();
            let offset = parameters.all;
            let room = (it.count() as i64 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            parameters.all += room;
            if !fixed(it.kind) {
                parameters.trained = parameters.all;
                if shape.len() > 1 {
                    parameters.decaying = parameters.all;
                }
            }
            parameters.places.push(Place { name: it.name, shape, kind: it.kind, offset, room });
        }
        parameters
    }

    /// The running statistics and frozen parameters of a flat tensor, sharing its memory.
    pub(super) fn statistics(&self, flat: &Tensor) -> Result<Tensor, TchError> {
        flat.f_narrow(0, self.trained, self.all - self.trained)
    }

    /// All places, in the order of the flat tensor.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Those that have a gradient.
    pub(super) fn trained(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| place.is_trained())
    }

    /// A flat tensor of all parameters, running statistics too, with these values.
    pub(super) fn flat(&self, weights: &Weights, device: Device) -> Result<Tensor, TchError> {
        let flat = Tensor::f_zeros([self.all], (Kind::Float, device))?;
        self.write(&flat, weights)?;
        Ok(flat)
    }

    /// Puts values in those places that a flat tensor has; parameters that the weights lack stay
    /// as they are.
    pub(super) fn write(&self, flat: &Tensor, weights: &Weights) -> Result<(), TchError> {
        let length = flat.size1()?;
        for place in self.places.iter().filter(|place| place.offset < length) {
            if let Some(array) = weights.get(&place.name) {
                let values = Tensor::f_from_slice(array.values())?.f_view(&place.shape[..])?;
                place.of(flat)?.f_copy_(&values)?;
            }
        }
        Ok(())
    }

    /// The values of those places that a flat tensor has, row by row as PyTorch names them.
    pub(super) fn read(&self, flat: &Tensor) -> Result<Weights, TchError> {
        let length = flat.size1()?;
        let host = flat.f_to(Device::Cpu)?;
        let held = self.places.iter().filter(|place| place.offset < length);
        let arrays = held.map(|place| {
            let values = Vec::try_from(place.of(&host)?.f_contiguous()?.f_view([-1])?)?;
            let shape = place.shape.iter().map(|side| *side as usize).collect();
            Ok((place.name.clone(), Array::new(shape, values)))
        });
        arrays.collect()
    }

    /// The gradients of the trained parameters, in their order, as one flat tensor of f32.
    pub(super) fn gather(&self, gradients: &[Tensor]) -> Result<Tensor, TchError> {
        let decaying = self.trained().take_while(|place| place.decays()).count();
        let (matrices, vectors) = gradients.split_at(decaying);
        let parts = [matrices, vectors].into_iter().filter(|part| !part.is_empty());
        let mut places = self.trained();
        let parts: Vec<Tensor> = parts
            .map(|part| {
                let pieces = part.iter().zip(places.by_ref());
                let pieces = pieces.map(|(gradient, place)| place.piece(gradient));
                let pieces: Vec<[Tensor; 2]> = pieces.collect::<Result<_, TchError>>()?;
                let pieces: Vec<&Tensor> =
                    pieces.iter().flatten().filter(|piece| piece.numel() > 0).collect();
                Tensor::f_cat(&pieces, 0)?.f_to_kind(Kind::Float)
            })
            .collect::<Result<_, TchError>>()?;
        if let [whole] = &parts[..] { Ok(whole.shallow_clone()) } else { Tensor::f_cat(&parts, 0) }
    }
}

impl Place {
    pub(super) fn is_trained(&self) -> bool {
        self.kind == ParameterKind::Trained
    }

    /// Whether it is a frozen matrix, which bf16 rounds once.
    pub(super) fn is_frozen_matrix(&self) -> bool {
        self.kind == ParameterKind::Frozen && self.shape.len() > 1
    }

    /// Whether weight decay moves it, and bf16 holds it.
    pub(super) fn decays(&self) -> bool {
        self.is_trained() && self.shape.len() > 1
    }

    /// Its numbers in the flat tensor, the room up to the next parameter included.
    pub(super) fn range(&self) -> Range<i64> {
        self.offset..self.offset + self.room
    }

    fn count(&self) -> i64 {
        self.shape.iter().product()
    }

    /// This parameter in a flat tensor, sharing its memory: in PyTorch's shape, a convolution's
    /// weights channels last by their strides.
    pub(super) fn of(&self, flat: &Tensor) -> Result<Tensor, TchError> {
        let own = flat.f_narrow(0, self.offset, self.count())?;
        match self.shape[..] {
            [outputs, inputs, height, width] => {
                own.f_view([outputs, height, width, inputs])?.f_permute([0, 3, 1, 2])
            }
            _ => own.f_view(&self.shape[..]),
        }
    }

    /// A gradient as it lies in the flat tensor, and zeros up to the next parameter.
    fn piece(&self, gradient: &Tensor) -> Result<[Tensor; 2], TchError> {
        let (kind, device) = (gradient.kind(), gradient.device());
        let flat = match self.shape.len() {
            4 => gradient.f_permute([0, 2, 3, 1])?.f_reshape([-1])?,
            _ => gradient.f_reshape([-1])?,
        };
        Ok([flat, Tensor::f_zeros([self.room - self.count()], (kind, device))?])
    }
}

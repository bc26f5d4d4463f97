//! Training: from photos with positions to the weights of a network.
//!
//! A [`Run`] goes epoch by epoch through [`Samples`], a [`Backend`] takes the steps, and a
//! folder ([`RunFolder`]) holds what came of it: the resolved [`TrainConfig`], a row an
//! [`Epoch`], event files for TensorBoard, and [`Checkpoint`]s from which a run goes on bit for
//! bit as if it had never been interrupted.
//!
//! The default backend, [`Cpu`], is our own: channels last, gradients written out, several times
//! as fast as the portable tensor libraries on the same processor, and equal to PyTorch in every
//! gradient. Albums are trained by a [`SequenceClassifier`].
//!
//! ```
//! use planet_data::PixelBatch;
//! use planet_net::{Architecture, NetworkOptions, Weights};
//! use planet_train::{Backend, Cpu, Optimizer, StepOptions};
//!
//! let options = NetworkOptions { size: [32, 32], classes: 3, auxiliary: false };
//! let network = Architecture::InceptionMini.network(options)?;
//! let mut backend = Cpu::new(&network, &Weights::initial(&network, 0), Optimizer::default())?;
//! let mut batch = PixelBatch::with_capacity(2, 32, 32);
//! batch.push(&[0.5; 3 * 32 * 32]);
//! batch.push(&[-0.5; 3 * 32 * 32]);
//! let options = StepOptions {
//!     learning_rate: 0.045,
//!     label_smoothing: 0.0,
//!     auxiliary_weight: 0.0,
//!     dropout: Some(1),
//! };
//! let first = backend.step(&batch, &[0, 2], &options)?.loss;
//! let second = backend.step(&batch, &[0, 2], &options)?.loss;
//! assert!(second < first);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
mod album_config;
mod album_export;
mod album_samples;
mod album_task;
mod backend;
mod backend_choice;
#[cfg(feature = "burn")]
mod burn;
mod checkpoint;
mod class_loss;
mod code_export;
mod code_loss;
mod code_run;
mod code_task;
mod code_validation;
mod config;
mod course;
mod cpu;
mod dropout;
mod epochs;
mod error;
mod export;
mod feature_export;
mod feature_scaling;
mod gates;
mod gpu_api;
mod group;
mod halve;
mod heads;
mod hierarchy;
mod init;
mod loss;
mod lstm;
mod neighbour_validation;
mod objective;
mod optimizer;
mod packed;
mod pairs;
mod photo_task;
mod product;
mod quantize;
mod run;
mod run_parts;
mod running;
mod samples;
mod schedule;
mod sequence;
mod settings;
mod smoothing;
mod stop_reason;
mod summary;
mod task;
mod tensorboard;
#[cfg(feature = "torch")]
mod torch;
mod triplet;
mod validation;
mod vectorised;

pub use album_config::AlbumConfig;
pub use album_export::export_scheme;
pub use album_samples::AlbumSamples;
pub use backend::{Backend, BackendError, Gradients, OutputLoss, State, StepOptions, StepReport};
pub use backend_choice::{BackendName, Precision};
#[cfg(feature = "burn")]
pub use burn::Burn;
pub use checkpoint::{Checkpoint, Position, RunFolder, Running};
pub use code_export::export_codes;
pub use code_loss::NearDuplicates;
pub use code_run::{CodeRunParts, CodeSamples};
pub use config::{ArchitectureName, TrainConfig};
pub use cpu::Cpu;
pub use error::{InvalidSetting, TrainError};
pub use export::{ExportError, export};
pub use feature_export::{Backbone, Scaling, export_backbone, export_features};
pub use gpu_api::GpuApi;
pub use group::{GroupError, ProcessGroup, Rendezvous};
pub use halve::{HalfCheck, halve, halve_features};
pub use hierarchy::Hierarchy;
pub use init::Matched;
pub use loss::Loss;
pub use lstm::LstmState;
pub use objective::{Objective, TrainTask};
pub use optimizer::{Optimizer, Rule};
pub use packed::Packed;
pub use quantize::{
    CalibrationPhotos, LEAST_CALIBRATION_PHOTOS, OpenGraph, QuantizePackageError, QuantizeSettings,
    Quantized, quantize,
};
pub use run::{Run, Status, TrainMonitor};
pub use run_parts::RunParts;
pub use samples::Samples;
pub use schedule::{LearningRate, Schedule};
pub use sequence::{Asked, SequenceBatch, SequenceClassifier};
pub use smoothing::{Smoothing, SmoothingKind};
pub use stop_reason::StopReason;
pub use summary::Epoch;
#[cfg(feature = "torch")]
pub use torch::Torch;
pub use triplet::Triplets;
pub use validation::Scores;
use validation::Validation;

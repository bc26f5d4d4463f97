//! Runs ONNX files: an engine of our own and rten, built in, and ONNX Runtime, found at run time.
//!
//! All make an [`OnnxEngine`], which is a [`planet::Engine`]: pixels in, activations out.
//! [`Native`] runs the networks that PlaNet writes in 32 bits, [`Rten`] any network. Both need
//! nothing; [`OnnxRuntime`] needs the path of a library, which this crate never
//! looks for by itself. A [`Signature`] says which outputs of a foreign model to read.
//!
//! ```no_run
//! use std::path::Path;
//! use planet::Engine;
//! use planet_data::PixelBatch;
//! use planet_engine::{Rten, Signature};
//!
//! let mut engine = Rten::default().open(Path::new("model/model.onnx"), &Signature::default())?;
//! let mut batch = PixelBatch::with_capacity(1, 299, 299);
//! batch.push(&vec![0.0; 3 * 299 * 299]);
//! let activations = engine.run(&batch)?;
//! println!("{} classes", activations.classes);
//! # Ok::<(), planet::EngineError>(())
//! ```

mod native;
mod onnx_engine;
mod onnxruntime;
mod options;
mod rten;
mod sequence;
mod session;
mod signature;
mod threads;

pub use native::Native;
pub use onnx_engine::OnnxEngine;
pub use onnxruntime::{Device, DeviceError, OnnxRuntime, Precision};
pub use options::{EngineKind, EngineOptions, OpenModelError};
pub use planet::ScoreKind;
pub use rten::Rten;
pub use sequence::SequenceEngine;
pub use signature::Signature;
pub use threads::Threads;

//! Files in the making: whole or absent, compressed as their name says, resumable where asked.

mod atomic;
mod file;
mod resume;

pub use atomic::AtomicFile;
pub use file::{Before, OutputFile};
pub use resume::{ResumeError, Settings};

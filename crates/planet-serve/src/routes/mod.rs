//! One file for each part of the interface.

pub(crate) mod album;
pub(crate) mod explain;
pub(crate) mod game;
pub(crate) mod kserve;
pub(crate) mod library;
pub(crate) mod locate;
pub(crate) mod openapi;
pub(crate) mod outline;
pub(crate) mod report;
pub(crate) mod state;
mod tensors;

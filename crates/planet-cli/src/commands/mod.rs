pub mod about;
pub mod cell;
pub mod dataset;
pub mod engine;
pub mod model;
pub mod partition;
pub mod train;
pub mod world;

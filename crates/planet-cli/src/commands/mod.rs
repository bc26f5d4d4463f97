pub mod cell;
pub mod engine;
pub mod model;
pub mod partition;
pub mod train;
pub mod world;

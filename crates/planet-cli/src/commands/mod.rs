pub mod cell;
pub mod partition;

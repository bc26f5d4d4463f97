//! Albums: photos of one author in time order, each located through its neighbours.

mod scheme;

pub use scheme::{Scheme, Step, UnknownScheme};

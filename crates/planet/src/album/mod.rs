//! Albums: photos of one author in time order, each located through its neighbours.

mod albums;
mod embeddings;
mod scheme;

pub use albums::{Album, albums};
pub use embeddings::{Embeddings, EmbeddingsError};
pub use scheme::{Scheme, Step, UnknownScheme};

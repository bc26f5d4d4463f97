//! Albums: photos of one author in time order, each located through its neighbours.
//!
//! | to … | use |
//! |---|---|
//! | put photos into albums | [`albums`] |
//! | know what a sequence network reads, and have it answer | [`Scheme`] |
//! | give every photo its album's mean | [`album_means`] |
//! | compute what it reads once | [`Embeddings`] |
//! | locate a whole library by time, known positions and a network | [`Library`] |
//! | the exact hidden Markov model below it | [`Hmm`] over [`Places`] with [`Motion`] |
//! | see how well hidden positions are found again | [`hide_and_seek`] |

mod albums;
mod answers;
mod embeddings;
mod hiding;
mod hmm;
mod library;
mod motion;
mod neighbours;
mod places;
mod scheme;
mod trip;

pub use albums::{Album, albums};
pub use answers::album_means;
pub use embeddings::{Embeddings, EmbeddingsError};
pub use hiding::{Found, Hide, hide_and_seek};
pub use hmm::{Hmm, Seen};
pub use library::{Library, LibraryError, Network, Sequence, Trust};
pub use motion::{HmmModel, Motion};
pub use neighbours::{Timed, nearest_in_time, photoprism};
pub use places::Places;
pub use scheme::{Scheme, Step, UnknownScheme};
pub use trip::trip_map;

//! Albums: photos of one author in time order, each located through its neighbours.
//!
//! | to … | use |
//! |---|---|
//! | locate the photos of albums with a model | [`Model::locate_albums`](crate::Model::locate_albums) |
//! | put photos into albums | [`albums`] |
//! | know what a sequence network reads, and have it answer | [`Scheme`] |
//! | evaluate schemes on photos of known position | [`AlbumEvaluation`] |
//! | give every photo its album's mean | [`album_means`] |
//! | compute what it reads once | [`Embeddings`] |
//! | bring the times of several cameras onto one timeline | [`Timeline`] |
//! | the exact hidden Markov model below it | [`Hmm`] over a [`StateSpace`] with a [`TransitionModel`] |

mod albums;
mod alignment;
mod answers;
mod embeddings;
mod evaluation;
mod hmm;
mod locate;
mod messages;
mod model;
mod photo_probabilities;
mod reach;
mod scheme;
mod state_space;
mod timeline;
mod transition;
mod trip;
mod trip_page;

pub use albums::{Album, albums};
pub use alignment::{Alignment, Basis, Clock};
pub use answers::{AnswerError, album_means};
pub use embeddings::{Embeddings, EmbeddingsError};
pub use evaluation::{
    AlbumEvaluation, AlbumEvaluationError, HmmEvidence, HmmLocator, OpenSequence, SchemeInputs,
    evaluated_albums,
};
pub use hmm::{Cancelled, Emission, Hmm, Observation};
pub use locate::{AlbumError, AlbumInput, SequenceModel, locate_albums};
pub use model::{AlbumOptions, LocateAlbumsError};
pub use photo_probabilities::PhotoProbabilities;
pub use scheme::{Scheme, Step, UnknownScheme};
pub use state_space::{Fix, StateSpace};
pub use timeline::{People, Sequence, Timeline};
pub use transition::{HmmModel, TransitionModel};
pub use trip::{Trip, TripPhoto};

//! Retrieval: which photos show what this one shows.
//!
//! A [`Recipe`] says how a network's output becomes the [`Descriptor`] of a photo; an
//! [`Extractor`] computes them; an [`Index`] keeps them in one memory-mapped file and searches
//! them exactly or, divided into [`Lists`], in the most similar lists alone. [`holidays`] scores rankings as INRIA Holidays' own program does.

mod descriptor;
mod eigen;
mod error;
mod extract;
pub mod holidays;
mod index;
mod lists;
mod page;
mod pooling;
mod product;
mod recipe;
mod refine;
mod search;
mod views;
mod whitening;

pub use descriptor::Descriptor;
pub use error::RetrievalError;
pub use extract::{Extractor, Role};
pub use index::{Index, IndexInfo, IndexWriter, IndexedPhoto, ListsInfo};
pub use lists::{ClusterOptions, Lists, cluster};
pub use page::{FoundPhoto, SearchResult, search_page};
pub use pooling::FeatureMap;
pub use recipe::{Combination, Pooling, Recipe, Views};
pub use refine::{Neighbour, RefineOptions, Refiner, SpreadScore, densest};
pub use search::Hit;
pub use whitening::Whitening;

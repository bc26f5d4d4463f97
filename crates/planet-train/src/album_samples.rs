use std::sync::Arc;

use planet::album::{Embeddings, albums};
use planet_data::PhotoRecord;
use planet_geo::{ClassId, LatLng, Partition};

/// Albums whose photos have embeddings and, some of them, known positions.
#[derive(Clone)]
pub struct AlbumSamples {
    pub(crate) embeddings: Arc<Embeddings>,
    /// Each in the order of time.
    pub(crate) albums: Vec<Vec<AlbumPhoto>>,
}

/// A photo of an album.
#[derive(Clone, Debug)]
pub(crate) struct AlbumPhoto {
    pub(crate) id: String,
    pub(crate) position: Option<LatLng>,
    /// `None` outside every cell, or where it is unknown.
    pub(crate) class: Option<ClassId>,
}

impl AlbumSamples {
    /// The albums of some records ([`planet::album::albums`] says the rule). A photo without a
    /// position is read and not asked for; one without an embedding is an empty step.
    pub fn new(
        embeddings: Arc<Embeddings>,
        records: &[PhotoRecord],
        partition: &Partition,
    ) -> Self {
        let photo = |row: usize| {
            let PhotoRecord { photo, position, .. } = &records[row];
            let class = position.and_then(|position| partition.class_of(position));
            AlbumPhoto { id: photo.clone(), position: *position, class }
        };
        let albums = albums(records).into_iter();
        let albums = albums.map(|album| album.rows.into_iter().map(photo).collect()).collect();
        Self { embeddings, albums }
    }

    /// Albums.
    pub fn len(&self) -> usize {
        self.albums.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.albums.is_empty()
    }

    /// All photos.
    pub fn photos(&self) -> usize {
        self.albums.iter().map(Vec::len).sum()
    }

    /// Photos that have no position.
    pub fn without_position(&self) -> usize {
        self.count(|photo| photo.position.is_none())
    }

    /// Photos outside every cell.
    pub fn outside(&self) -> usize {
        self.count(|photo| photo.position.is_some() && photo.class.is_none())
    }

    /// Photos that could not be decoded, and so have no embedding.
    pub fn without_embedding(&self) -> usize {
        self.count(|photo| self.embeddings.of(&photo.id).is_none())
    }

    fn count(&self, of: impl Fn(&AlbumPhoto) -> bool) -> usize {
        self.albums.iter().flatten().filter(|photo| of(photo)).count()
    }
}

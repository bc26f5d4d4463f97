use std::io;

use planet_data::{Limits, Photo, PhotoError, PhotoRecord, PhotoStore};

use crate::{Journeys, LibrarySize, PictureSize, SyntheticPhoto, World, WorldError};

/// The photos of a library that stands on no disk: painted whenever one asks for them, and the
/// same to the last bit as those of the folder that [`crate::Library::draw`] makes (without
/// copies and graphics).
pub struct SyntheticStore {
    world: World,
    journeys: Option<Journeys>,
    amount: LibrarySize,
    seed: u64,
    size: PictureSize,
    limits: Limits,
}

impl SyntheticStore {
    /// The photos or albums of a seed.
    pub fn new(world: &World, amount: LibrarySize, seed: u64, size: PictureSize) -> Self {
        let journeys = match amount {
            LibrarySize::Photos(_) => None,
            LibrarySize::Albums(_) => Some(Journeys::new(world)),
        };
        Self { world: world.clone(), journeys, amount, seed, size, limits: Limits::default() }
    }

    /// All photos in order, not yet painted.
    pub fn photos(&self) -> impl Iterator<Item = SyntheticPhoto> {
        let (LibrarySize::Photos(count) | LibrarySize::Albums(count)) = self.amount;
        (0..count).flat_map(|number| match &self.journeys {
            None => vec![self.world.photo(self.seed, number)],
            Some(journeys) => journeys.album(self.seed, number),
        })
    }

    /// Rows of the manifest of all photos, in order.
    pub fn records(&self) -> impl Iterator<Item = PhotoRecord> {
        self.photos().map(|photo| photo.record(&self.world, self.size))
    }

    /// The photo of an id, if it is one of this library's.
    fn find(&self, id: &str) -> Option<SyntheticPhoto> {
        let mut parts = id.split('/');
        let (_author, second, third) = (parts.next()?, parts.next()?, parts.next());
        let number = |text: &str| text.trim_end_matches(".jpg").parse::<u64>().ok();
        let (LibrarySize::Photos(count) | LibrarySize::Albums(count)) = self.amount;
        let photo = match &self.journeys {
            None => {
                let number = number(second).filter(|number| *number < count)?;
                self.world.photo(self.seed, number)
            }
            Some(journeys) => {
                let album =
                    number(second.strip_prefix("album-")?).filter(|album| *album < count)?;
                let index = usize::try_from(number(third?)?).ok()?;
                journeys.album(self.seed, album).into_iter().nth(index)?
            }
        };
        (photo.id == id).then_some(photo)
    }
}

impl PhotoStore for SyntheticStore {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let missing = || {
            let what = format!("{id} is no photo of this synthetic library");
            PhotoError::Io(io::Error::new(io::ErrorKind::NotFound, what))
        };
        let photo = self.find(id).ok_or_else(missing)?;
        let jpeg = photo.jpeg(self.size);
        let jpeg = jpeg.map_err(|error: WorldError| PhotoError::Io(io::Error::other(error)))?;
        Photo::decode(&jpeg, &self.limits)
    }
}

use jiff::{ToSpan, civil::DateTime};
use planet_data::{PhotoRecord, PositionSource};
use planet_geo::LatLng;
use rand::{Rng, RngExt};

use crate::{
    WorldError,
    camera::{CAMERAS, Camera},
    cues::Cues,
    exif, jpeg,
    layer::LayerMap,
    paint::{Format, Nuisance, Picture, PictureSize, paint, paint_layers},
    place::PlaceId,
    seed::{Purpose, stream},
    world::World,
};

/// Single photos of one author follow one another.
const PHOTOS_OF_AUTHOR: u64 = 20;

/// One photo of the synthetic earth, not yet painted.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticPhoto {
    /// Its id: the path in a world folder.
    pub id: String,
    /// Where it was taken.
    pub place: PlaceId,
    /// Where exactly.
    pub position: LatLng,
    /// What it shows of the place.
    pub cues: Cues,
    /// What it shows besides.
    pub nuisance: Nuisance,
    /// Local time.
    pub time: DateTime,
    /// Who took it.
    pub author: String,
    /// The album that it stands in; single photos stand in none.
    pub album: Option<String>,
    /// What it was taken with.
    pub camera: Camera,
    /// Quality of the JPEG file, 1 to 100.
    pub quality: u8,
}

impl World {
    /// The single photo of that number among those of a seed. Any photo can be had without the
    /// others, and always is the same.
    pub fn photo(&self, seed: u64, number: u64) -> SyntheticPhoto {
        let mut rng = stream(seed, Purpose::Photo, number);
        let place = self.draw_place(&mut rng);
        let cues = self.draw_cues(place, &mut rng);
        let position = self.draw_position(place, &mut rng);
        let author = number / PHOTOS_OF_AUTHOR;
        let name = author_name(seed, author);
        SyntheticPhoto {
            id: format!("{name}/{number:07}.jpg"),
            place,
            position,
            cues,
            time: draw_day(&mut rng),
            author: name,
            album: None,
            camera: draw_camera(&mut stream(seed, Purpose::Author, author)),
            nuisance: Nuisance::draw(&mut rng),
            quality: draw_quality(&mut rng),
        }
    }
}

/// Photos of another seed are other people's, and their names say so: libraries of two seeds share
/// no author.
pub(crate) fn author_name(seed: u64, author: u64) -> String {
    format!("author-{seed}-{author:05}")
}

pub(crate) fn draw_camera(rng: &mut impl Rng) -> Camera {
    CAMERAS[rng.random_range(0..CAMERAS.len())]
}

pub(crate) fn draw_quality(rng: &mut impl Rng) -> u8 {
    rng.random_range(72..=92)
}

/// A moment by daylight in one of ten years.
pub(crate) fn draw_day(rng: &mut impl Rng) -> DateTime {
    let first = DateTime::constant(2016, 1, 1, 8, 0, 0, 0);
    let days: i64 = rng.random_range(0..3650);
    first + days.days() + rng.random_range(0..43_200_i64).seconds()
}

impl SyntheticPhoto {
    /// Paints it.
    pub fn picture(&self, size: PictureSize) -> Picture {
        paint(&self.cues, &self.nuisance, size)
    }

    /// What each pixel of its picture shows.
    pub fn layers(&self, size: PictureSize) -> LayerMap {
        paint_layers(&self.cues, &self.nuisance, size)
    }

    /// Paints it and encodes it with its EXIF block: the bytes of its file.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn jpeg(&self, size: PictureSize) -> Result<Vec<u8>, WorldError> {
        self.encode(&self.picture(size), Some(self.position), Some(&self.time.to_string()))
    }

    /// Encodes a picture as this photo's camera does, with or without a position and a
    /// time.
    pub(crate) fn encode(
        &self,
        picture: &Picture,
        position: Option<LatLng>,
        time: Option<&str>,
    ) -> Result<Vec<u8>, WorldError> {
        // Cameras store what their sensor gave and note how they were held.
        let is_turned = self.nuisance.format == Format::Portrait;
        let block = exif::block(&exif::ExifFacts {
            camera: self.camera,
            orientation: if is_turned { 6 } else { 1 },
            time,
            position,
        });
        let bytes = if is_turned {
            jpeg::encode(&jpeg::turned_left(picture), self.quality, Some(&block))
        } else {
            jpeg::encode(picture, self.quality, Some(&block))
        };
        bytes.map_err(|error| WorldError::Encode { photo: self.id.clone(), why: error.to_string() })
    }

    /// Its row in a manifest, for a picture of some size.
    pub fn record(&self, world: &World, size: PictureSize) -> PhotoRecord {
        let (width, height) = size.of(self.nuisance.format);
        PhotoRecord {
            photo: self.id.clone(),
            position: Some(self.position),
            time: Some(self.time.to_string()),
            author: Some(self.author.clone()),
            album: self.album.clone(),
            category: Some(self.cues.scene.to_string()),
            camera: Some(self.camera.to_string()),
            width: Some(width),
            height: Some(height),
            position_source: Some(PositionSource::Exif),
            time_source: Some(PositionSource::Exif),
            country: Some(world.place(self.place).country.clone()),
            ..PhotoRecord::default()
        }
    }
}

//! What a real library holds besides good photos: copies, graphics, photos without a position.

use planet_data::PhotoRecord;
use rand::{Rng, RngExt};

use crate::{
    WorldError, jpeg,
    layer::LayerMap,
    paint::{NonPhoto, Nuisance, Picture, PictureSize, paint, paint_non_photo},
    synthetic_photo::SyntheticPhoto,
    truth::{Kind, SyntheticTruth, Truth},
    world::{World, entropy_bits},
};

/// One file of a library, ready to be written.
pub(crate) struct LibraryFile {
    pub(crate) record: PhotoRecord,
    pub(crate) truth: Truth,
    pub(crate) bytes: Vec<u8>,
    /// What its pixels show, where that was asked for and it is a photo.
    pub(crate) layers: Option<LayerMap>,
}

/// How often each thing happens to a photo, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Corruption {
    /// A copy follows it: recompressed, cropped or toned.
    pub duplicates: f64,
    /// A chart, clip-art or screenshot follows it.
    pub non_photos: f64,
    /// Its position is withheld.
    pub withhold: f64,
    /// Its time is missing, as after a messenger has sent it.
    pub untimed: f64,
}

impl Corruption {
    pub(crate) fn check(&self) -> Result<(), WorldError> {
        for (name, share) in [
            ("duplicates", self.duplicates),
            ("non-photos", self.non_photos),
            ("withhold", self.withhold),
            ("untimed", self.untimed),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(WorldError::Parameter {
                    name,
                    value: share.to_string(),
                    range: "0..=1",
                });
            }
        }
        Ok(())
    }

    /// The files that come of one photo.
    pub(crate) fn files(
        &self,
        world: &World,
        photo: &SyntheticPhoto,
        size: PictureSize,
        layers: bool,
        rng: &mut impl Rng,
    ) -> Result<Vec<LibraryFile>, WorldError> {
        let withheld = rng.random_bool(self.withhold);
        // Drawn only where it is wanted, so that libraries without stay what they are.
        let untimed = self.untimed > 0.0 && rng.random_bool(self.untimed);
        let mut files = vec![original(world, photo, size, withheld, untimed)?];
        files[0].layers = layers.then(|| photo.layers(size));
        if rng.random_bool(self.duplicates) {
            files.push(copy(&files[0], world, photo, size, rng)?);
        }
        if rng.random_bool(self.non_photos) {
            files.push(graphic(photo, size, rng)?);
        }
        Ok(files)
    }
}

fn original(
    world: &World,
    photo: &SyntheticPhoto,
    size: PictureSize,
    withheld: bool,
    untimed: bool,
) -> Result<LibraryFile, WorldError> {
    let mut record = photo.record(world, size);
    if withheld {
        record.position = None;
        record.position_source = None;
        record.country = None;
    }
    if untimed {
        record.time = None;
        record.time_source = None;
    }
    let bytes = photo.encode(&photo.picture(size), record.position, record.time.as_deref())?;
    record.bytes = Some(bytes.len() as u64);
    let drawn = SyntheticTruth {
        place: photo.place,
        position: photo.position,
        cues: photo.cues,
        entropy: entropy_bits(&world.posterior(&photo.cues)),
    };
    let truth = Truth {
        photo: photo.id.clone(),
        kind: Kind::Photo,
        drawn: Some(drawn),
        duplicate_of: None,
        withheld,
    };
    Ok(LibraryFile { record, truth, bytes, layers: None })
}

fn copy(
    of: &LibraryFile,
    world: &World,
    photo: &SyntheticPhoto,
    size: PictureSize,
    rng: &mut impl Rng,
) -> Result<LibraryFile, WorldError> {
    let mut copied = SyntheticPhoto { id: beside(&photo.id, "copy"), ..photo.clone() };
    let mut layers = of.layers.clone();
    let (kind, picture) = match rng.random_range(0..3) {
        0 => {
            copied.quality = rng.random_range(30..=50);
            (Kind::Recompressed, photo.picture(size))
        }
        1 => {
            let picture = photo.picture(size);
            let (columns, rows) = crop(&picture, rng);
            layers = layers.map(|layers| layers.part(columns, rows));
            (Kind::Cropped, cropped(&picture, columns, rows))
        }
        _ => {
            let nuisance = Nuisance {
                exposure: photo.nuisance.exposure * rng.random_range(0.8..0.92_f32),
                warmth: photo.nuisance.warmth + 0.08,
                ..photo.nuisance
            };
            (Kind::Toned, paint(&photo.cues, &nuisance, size))
        }
    };
    let bytes = copied.encode(&picture, of.record.position, of.record.time.as_deref())?;
    let record = PhotoRecord {
        width: Some(picture.width),
        height: Some(picture.height),
        bytes: Some(bytes.len() as u64),
        position: of.record.position,
        position_source: of.record.position_source,
        country: of.record.country.clone(),
        time: of.record.time.clone(),
        time_source: of.record.time_source,
        ..copied.record(world, size)
    };
    let truth =
        Truth { photo: copied.id, kind, duplicate_of: Some(photo.id.clone()), ..of.truth.clone() };
    Ok(LibraryFile { record, truth, bytes, layers })
}

/// Columns and rows that are left when up to a tenth of each side is cut off.
fn crop(picture: &Picture, rng: &mut impl Rng) -> ([u32; 2], [u32; 2]) {
    let mut cut = |side: u32| {
        let (from, to) = (rng.random_range(0.0..0.05), rng.random_range(0.03..0.05));
        let part = |share: f64| (f64::from(side) * share).round() as u32;
        [part(from), side - part(to)]
    };
    (cut(picture.width), cut(picture.height))
}

fn cropped(picture: &Picture, [left, right]: [u32; 2], [top, bottom]: [u32; 2]) -> Picture {
    let rows = picture.rgb.chunks_exact(3 * picture.width as usize);
    let rgb = rows
        .skip(top as usize)
        .take((bottom - top) as usize)
        .flat_map(|row| &row[3 * left as usize..3 * right as usize])
        .copied()
        .collect();
    Picture { width: right - left, height: bottom - top, rgb }
}

fn graphic(
    photo: &SyntheticPhoto,
    size: PictureSize,
    rng: &mut impl Rng,
) -> Result<LibraryFile, WorldError> {
    let graphic = NonPhoto::ALL[rng.random_range(0..NonPhoto::ALL.len())];
    let picture = paint_non_photo(graphic, rng.random(), size);
    let id = beside(&photo.id, "graphic");
    let bytes = jpeg::encode(&picture, 92, None)
        .map_err(|error| WorldError::Encode { photo: id.clone(), why: error.to_string() })?;
    let record = PhotoRecord {
        photo: id.clone(),
        author: Some(photo.author.clone()),
        album: photo.album.clone(),
        width: Some(picture.width),
        height: Some(picture.height),
        bytes: Some(bytes.len() as u64),
        ..PhotoRecord::default()
    };
    let truth =
        Truth { photo: id, kind: graphic.into(), drawn: None, duplicate_of: None, withheld: false };
    Ok(LibraryFile { record, truth, bytes, layers: None })
}

/// `a/b/012.jpg` with `copy` becomes `a/b/012-copy.jpg`.
fn beside(id: &str, what: &str) -> String {
    format!("{}-{what}.jpg", id.trim_end_matches(".jpg"))
}

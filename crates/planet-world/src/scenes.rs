use std::{fs, io, path::Path};

use planet_data::{ManifestWriter, Monitor, PhotoRecord};
use planet_geo::LatLng;
use rand::{Rng, RngExt};
use rayon::prelude::*;

use crate::{
    WorldError,
    cues::Cues,
    jpeg,
    new_folder::in_new_folder,
    paint::{Nuisance, Picture, PictureSize, paint},
    seed::{Purpose, stream},
    world::World,
};

/// Views of one scene: at least a query and one photo to find.
const VIEWS: std::ops::RangeInclusive<usize> = 2..=6;

/// Number of the first photo, as in INRIA Holidays; scenes are a hundred apart.
const FIRST: usize = 100_000;

/// Least share of either side that a view shows.
const LEAST_SIDE: f32 = 0.65;

/// A data set for retrieval in the shape of INRIA Holidays: views of one synthetic place under other
/// light, tilt and crop, for each of many scenes. The first view of a scene is its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenes {
    /// Number of scenes, at most 9,000. Holidays has 500.
    pub scenes: usize,
    /// Number of photos: 2 to 6 for each scene. Holidays has 1,491.
    pub photos: usize,
    /// Chooses places, views and light; the world stays the same.
    pub seed: u64,
    /// Size of the pictures before they are cropped.
    pub size: PictureSize,
}

/// One view of a scene.
struct View {
    name: String,
    position: LatLng,
    scene: usize,
    bytes: Vec<u8>,
    size: [u32; 2],
}

impl Scenes {
    /// Writes the photos, `100000.jpg` and following, and `manifest.parquet` into a new folder. The
    /// same set has the same bytes on any number of threads.
    ///
    /// # Errors
    /// The numbers of scenes and photos do not fit; the folder holds something already or cannot be
    /// written; the monitor asked for an end.
    pub fn draw(
        &self,
        world: &World,
        folder: &Path,
        monitor: &dyn Monitor,
    ) -> Result<(), WorldError> {
        let parameter = |name, value: usize, range| WorldError::Parameter {
            name,
            value: value.to_string(),
            range,
        };
        if !(1..=9000).contains(&self.scenes) {
            return Err(parameter("scenes", self.scenes, "1..=9000"));
        }
        let fits = VIEWS.start() * self.scenes..=VIEWS.end() * self.scenes;
        if !fits.contains(&self.photos) {
            return Err(parameter("photos", self.photos, "2 to 6 times the number of scenes"));
        }
        in_new_folder(folder, |folder| self.draw_into(world, folder, monitor))
    }

    fn draw_into(
        &self,
        world: &World,
        folder: &Path,
        monitor: &dyn Monitor,
    ) -> Result<(), WorldError> {
        world.parameters().write(folder)?;
        monitor.expect(self.scenes as u64);
        let mut manifest = ManifestWriter::create(&folder.join("manifest.parquet"), None, &[])?;
        for (first, views) in (0..).step_by(64).zip(self.views().chunks(64)) {
            let scenes: Vec<Vec<View>> = views
                .par_iter()
                .enumerate()
                .map(|(at, views)| match monitor.cancelled() {
                    true => Err(WorldError::Cancelled),
                    false => self.scene(world, first + at, *views),
                })
                .collect::<Result<_, _>>()?;
            for view in scenes.into_iter().flatten() {
                let path = folder.join(&view.name);
                let file = |source: io::Error| WorldError::File { path: path.clone(), source };
                fs::write(&path, &view.bytes).map_err(file)?;
                manifest.write(&PhotoRecord {
                    photo: view.name,
                    position: Some(view.position),
                    album: Some(format!("scene-{}", view.scene)),
                    width: Some(view.size[0]),
                    height: Some(view.size[1]),
                    ..PhotoRecord::default()
                })?;
            }
            monitor.advance(views.len() as u64);
        }
        Ok(manifest.finish()?)
    }

    /// Number of views of each scene: two, and the others by lot.
    fn views(&self) -> Vec<usize> {
        let mut views = vec![*VIEWS.start(); self.scenes];
        let mut rng = stream(self.seed, Purpose::Scenes, u64::MAX);
        let mut left = self.photos - views.len() * VIEWS.start();
        while left > 0 {
            let scene = rng.random_range(0..views.len());
            if views[scene] < *VIEWS.end() {
                views[scene] += 1;
                left -= 1;
            }
        }
        views
    }

    fn scene(&self, world: &World, scene: usize, views: usize) -> Result<Vec<View>, WorldError> {
        let mut rng = stream(self.seed, Purpose::Scenes, scene as u64);
        let place = world.draw_place(&mut rng);
        let cues = world.draw_cues(place, &mut rng);
        let position = world.draw_position(place, &mut rng);
        let first = Nuisance::draw(&mut rng);
        let view = |at: usize, rng: &mut dyn Rng| {
            let name = format!("{}.jpg", FIRST + 100 * scene + at);
            let picture = picture(&cues, &first, self.size, rng);
            let size = [picture.width, picture.height];
            let quality = rng.random_range(60..=92);
            let bytes = jpeg::encode(&picture, quality, None);
            let why = |error: jpeg_encoder::EncodingError| error.to_string();
            let bytes = bytes
                .map_err(|error| WorldError::Encode { photo: name.clone(), why: why(error) })?;
            Ok(View { name, position, scene, bytes, size })
        };
        (0..views).map(|at| view(at, &mut rng)).collect()
    }
}

/// The same things in the same places, under other light, held otherwise, and cropped.
fn picture(cues: &Cues, first: &Nuisance, size: PictureSize, rng: &mut dyn Rng) -> Picture {
    let other = Nuisance::draw(rng);
    let mut around = |spread: f32| rng.random_range(-spread..=spread);
    let nuisance = Nuisance {
        seed: first.seed,
        format: first.format,
        tilt: around(10.0),
        exposure: 1.0 + around(0.35),
        warmth: around(0.15),
        ..other
    };
    let picture = paint(cues, &nuisance, size);
    let mut part = |side: u32| {
        let length = (side as f32 * rng.random_range(LEAST_SIDE..=1.0)).round().max(1.0) as u32;
        (rng.random_range(0..=side - length), length)
    };
    let (columns, rows) = (part(picture.width), part(picture.height));
    cropped(&picture, columns, rows)
}

/// Columns and rows of a picture, each by its start and length.
fn cropped(picture: &Picture, (left, width): (u32, u32), (top, height): (u32, u32)) -> Picture {
    let row = |y: u32| {
        let start = 3 * (y * picture.width + left) as usize;
        &picture.rgb[start..start + 3 * width as usize]
    };
    let rgb = (top..top + height).flat_map(row).copied().collect();
    Picture { width, height, rgb }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use planet_data::{Manifest, NoMonitor, Photo, table::TableSource};

    use super::*;
    use crate::WorldParameters;

    fn set(scenes: usize, photos: usize) -> Scenes {
        Scenes { scenes, photos, seed: 3, size: PictureSize::new(64).expect("a size") }
    }

    fn world() -> World {
        World::draw(WorldParameters { places: 50, ..WorldParameters::new(0) }).expect("a world")
    }

    #[test]
    fn every_scene_has_two_to_six_views_and_all_photos_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("set");
        set(20, 61).draw(&world(), &place, &NoMonitor).expect("drawn");
        let source = TableSource::parse(&place.join("manifest.parquet").to_string_lossy());
        let manifest = Manifest::load(&source, None).expect("a manifest");
        assert_eq!(manifest.records.len(), 61);
        let mut scenes: HashMap<u32, Vec<u32>> = HashMap::new();
        for record in &manifest.records {
            let number: u32 = record.photo.trim_end_matches(".jpg").parse().expect("a number");
            scenes.entry(number / 100).or_default().push(number % 100);
            let bytes = fs::read(place.join(&record.photo)).expect("the photo");
            let photo = Photo::decode(&bytes, &planet_data::Limits::default()).expect("a photo");
            assert_eq!(Some(photo.width()), record.width);
        }
        assert_eq!(scenes.len(), 20);
        assert!(scenes.values().all(|views| views.contains(&0) && VIEWS.contains(&views.len())));
    }

    #[test]
    fn the_same_set_has_the_same_bytes_and_its_views_differ() {
        let folder = tempfile::tempdir().expect("a folder");
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        for place in [&a, &b] {
            set(2, 5).draw(&world(), place, &NoMonitor).expect("drawn");
        }
        let read = |path: &Path, name: &str| fs::read(path.join(name)).expect("a photo");
        assert_eq!(read(&a, "100000.jpg"), read(&b, "100000.jpg"));
        assert_ne!(read(&a, "100000.jpg"), read(&a, "100001.jpg"));
    }

    #[test]
    fn numbers_that_do_not_fit_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        for (set, name) in [(set(0, 10), "scenes"), (set(10, 19), "photos"), (set(2, 13), "photos")]
        {
            let error = set.draw(&world(), &folder.path().join("set"), &NoMonitor);
            assert!(error.expect_err("refused").to_string().contains(name));
        }
    }
}

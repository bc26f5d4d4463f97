use std::{
    fs, io,
    path::{Path, PathBuf},
};

use planet_data::{AtomicFile, ManifestWriter, Monitor};
use rayon::prelude::*;
use serde_json::json;

use crate::{
    WorldError,
    album::ALBUMS_OF_AUTHOR,
    corruption::{Corruption, LibraryFile},
    devices::Devices,
    journeys::Journeys,
    layer::layer_table,
    new_folder::in_new_folder,
    paint::PictureSize,
    seed::{Purpose, stream},
    shard::Shards,
    synthetic_photo::SyntheticPhoto,
    truth::TRUTH_FILE,
    world::World,
};

/// How much of a library to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibrarySize {
    /// So many single photos.
    Photos(u64),
    /// So many albums of 10 to 60 photos.
    Albums(u64),
}

/// A library to be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Library {
    /// How much.
    pub amount: LibrarySize,
    /// Chooses photos or albums; the world stays the same.
    pub seed: u64,
    /// Size of the pictures.
    pub size: PictureSize,
    /// What it holds besides good photos.
    pub corruption: Corruption,
    /// Whether photos go into tar files of a thousand.
    pub shards: bool,
    /// Whether beside each photo lies what its pixels show: for `a/b.jpg` the indexed PNG
    /// `layers/a/b.png`, upright and of the same size, with the table `layers/classes.json`.
    /// Photos are the same bytes with and without.
    pub layers: bool,
    /// What the authors of albums have besides; nothing for single photos.
    pub devices: Devices,
}

/// What was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LibraryCounts {
    /// Photos, without their copies.
    pub photos: u64,
    /// Copies of photos.
    pub duplicates: u64,
    /// Pictures that are no photographs.
    pub non_photos: u64,
    /// Photos whose position was withheld.
    pub withheld: u64,
    /// Size of all files in bytes.
    pub bytes: u64,
}

/// Photos or albums that are painted at once, on all threads.
const AT_ONCE: u64 = 256;

/// Folder of what the photos' pixels show.
const LAYERS: &str = "layers";

/// An album has at most 60 photos.
const NUMBERS_PER_ALBUM: u64 = 64;

impl Library {
    /// Draws the library into a new folder: `world.json`, `places.csv`, `manifest.parquet`,
    /// `truth.csv` and the photos by author and album; with [`Devices`] also `clocks.csv`, what has
    /// to be added to each author's times to reach UTC, and `tracks`. The same library has the same bytes on
    /// any number of threads. The folder appears only when all of it is there.
    ///
    /// # Errors
    /// A share is not within 0..=1; the folder holds something already or cannot be written; the
    /// monitor asked for an end.
    pub fn draw(
        &self,
        world: &World,
        folder: &Path,
        monitor: &dyn Monitor,
    ) -> Result<LibraryCounts, WorldError> {
        self.corruption.check()?;
        in_new_folder(folder, |folder| self.draw_into(world, folder, monitor))
    }

    fn draw_into(
        &self,
        world: &World,
        folder: &Path,
        monitor: &dyn Monitor,
    ) -> Result<LibraryCounts, WorldError> {
        world.parameters().write(folder)?;
        write_places(world, &folder.join("places.csv"))?;
        let journeys = match self.amount {
            LibrarySize::Photos(_) => None,
            LibrarySize::Albums(_) => Some(Journeys::new(world)),
        };
        let (LibrarySize::Photos(count) | LibrarySize::Albums(count)) = self.amount;
        monitor.expect(count);
        let mut writer = Writer::new(folder, self.shards)?;
        if self.layers {
            writer.begin_layers()?;
        }
        for start in (0..count).step_by(AT_ONCE as usize) {
            let numbers = start..count.min(start + AT_ONCE);
            let step = numbers.end - numbers.start;
            let files: Vec<Vec<LibraryFile>> = numbers
                .into_par_iter()
                .map(|number| match monitor.cancelled() {
                    true => Err(WorldError::Cancelled),
                    false => self.files(world, journeys.as_ref(), number),
                })
                .collect::<Result<_, _>>()?;
            files.into_iter().flatten().try_for_each(|file| writer.add(file))?;
            monitor.advance(step);
        }
        if let Some(journeys) = &journeys {
            self.write_devices(journeys, count, folder)?;
        }
        writer.finish()
    }

    /// The tracks and clocks of the authors of so many albums.
    fn write_devices(
        &self,
        journeys: &Journeys,
        albums: u64,
        folder: &Path,
    ) -> Result<(), WorldError> {
        let devices = self.devices;
        if devices != Devices::default() {
            devices.write_clocks(journeys, self.seed, albums, folder)?;
        }
        if !devices.tracks {
            return Ok(());
        }
        let authors = (0..albums.div_ceil(ALBUMS_OF_AUTHOR)).into_par_iter();
        authors.try_for_each(|author| {
            let first = author * ALBUMS_OF_AUTHOR;
            let of_author = first..albums.min(first + ALBUMS_OF_AUTHOR);
            devices.write_tracks(journeys, self.seed, of_author, folder)
        })
    }

    /// The files of one photo or one album.
    fn files(
        &self,
        world: &World,
        journeys: Option<&Journeys>,
        number: u64,
    ) -> Result<Vec<LibraryFile>, WorldError> {
        let photos: Vec<SyntheticPhoto> = match journeys {
            None => vec![world.photo(self.seed, number)],
            Some(journeys) => self.devices.album(journeys, self.seed, number),
        };
        let mut files = Vec::with_capacity(photos.len());
        for (index, photo) in (0..).zip(&photos) {
            let number = number * NUMBERS_PER_ALBUM + index;
            let mut rng = stream(self.seed, Purpose::Corruption, number);
            files.extend(self.corruption.files(world, photo, self.size, self.layers, &mut rng)?);
        }
        Ok(files)
    }
}

/// A table of the world's places, so that a person can read `truth.csv`.
fn write_places(world: &World, path: &Path) -> Result<(), WorldError> {
    let file = |source| WorldError::File { path: path.to_owned(), source };
    let write = || -> csv::Result<()> {
        let mut table = csv::Writer::from_writer(AtomicFile::create(path)?);
        table.write_record(["place", "name", "country", "lat", "lng", "rural", "popularity"])?;
        for (row, place) in world.places().iter().enumerate() {
            table.serialize((
                row,
                &place.name,
                &place.country,
                place.position.lat(),
                place.position.lng(),
                place.rural,
                place.popularity,
            ))?;
        }
        let file = table.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(file.finish()?)
    };
    write().map_err(|error| file(error.into()))
}

/// A library while it is written.
struct Writer {
    folder: PathBuf,
    manifest: ManifestWriter,
    truth: csv::Writer<AtomicFile>,
    shards: Option<Shards>,
    /// The folder that the last photo went into, which exists.
    last_folder: PathBuf,
    /// Id of the last photo that is no copy.
    last_photo: String,
    drawn: LibraryCounts,
}

impl Writer {
    fn new(folder: &Path, shards: bool) -> Result<Self, WorldError> {
        let truth = folder.join(TRUTH_FILE);
        let file = AtomicFile::create(&truth)
            .map_err(|source| WorldError::File { path: truth, source })?;
        Ok(Self {
            manifest: ManifestWriter::create(&folder.join("manifest.parquet"), None, &[])?,
            truth: csv::Writer::from_writer(file),
            shards: shards.then(|| Shards::new(folder.to_owned())),
            folder: folder.to_owned(),
            last_folder: folder.to_owned(),
            last_photo: String::new(),
            drawn: LibraryCounts::default(),
        })
    }

    fn add(&mut self, mut file: LibraryFile) -> Result<(), WorldError> {
        self.store_layers(&file)?;
        let path = self.folder.join(&file.truth.photo);
        let stored = self.store(&mut file, &path);
        stored.map_err(|source| WorldError::File { path, source })?;
        self.count(&file);
        self.manifest.write(&file.record)?;
        let path = self.folder.join(TRUTH_FILE);
        let written = file.truth.write(&mut self.truth);
        written.map_err(|error| WorldError::File { path, source: error.into() })
    }

    /// Writes the table of the layers.
    fn begin_layers(&self) -> Result<(), WorldError> {
        let path = self.folder.join(LAYERS).join("classes.json");
        let table = format!("{:#}\n", layer_table());
        let written = fs::create_dir_all(self.folder.join(LAYERS))
            .and_then(|()| AtomicFile::write_all_at(&path, table.as_bytes()));
        written.map_err(|source| WorldError::File { path, source })
    }

    /// Writes what a photo's pixels show, if that was asked for.
    fn store_layers(&self, file: &LibraryFile) -> Result<(), WorldError> {
        let Some(layers) = &file.layers else { return Ok(()) };
        let path = self.folder.join(LAYERS).join(&file.truth.photo).with_extension("png");
        let png = layers.to_png()?;
        // The whole library is under a temporary name until it is complete.
        let written = fs::create_dir_all(path.parent().unwrap_or(&self.folder))
            .and_then(|()| fs::write(&path, png));
        written.map_err(|source| WorldError::File { path, source })
    }

    /// Writes a photo and gives it the id under which it will be found.
    fn store(&mut self, file: &mut LibraryFile, path: &Path) -> io::Result<()> {
        let Some(shards) = &mut self.shards else {
            let folder = path.parent().unwrap_or(&self.folder);
            if self.last_folder != folder {
                fs::create_dir_all(folder)?;
                self.last_folder = folder.to_owned();
            }
            return fs::write(path, &file.bytes);
        };
        let key = file.record.photo.trim_end_matches(".jpg").to_owned();
        let position = file.record.position;
        let facts = json!({
            "lat": position.map(|position| position.lat()),
            "lng": position.map(|position| position.lng()),
            "time": file.record.time,
            "author": file.record.author,
            "album": file.record.album,
        });
        let shard = shards.add(&key, &file.bytes, facts.to_string().as_bytes())?;
        let within = |id: &str| format!("{shard}!{id}");
        file.record.photo = within(&file.record.photo);
        file.truth.photo = within(&file.truth.photo);
        // A copy follows its photo, which may be the last one of the shard before.
        if file.truth.duplicate_of.is_some() {
            file.truth.duplicate_of = Some(self.last_photo.clone());
        } else if file.truth.kind.is_original() {
            self.last_photo.clone_from(&file.truth.photo);
        }
        Ok(())
    }

    fn count(&mut self, file: &LibraryFile) {
        let drawn = &mut self.drawn;
        drawn.bytes += file.bytes.len() as u64;
        drawn.withheld += u64::from(file.truth.withheld && file.truth.kind.is_original());
        if file.truth.kind.is_original() {
            drawn.photos += 1;
        } else if file.truth.kind.is_non_photo() {
            drawn.non_photos += 1;
        } else {
            drawn.duplicates += 1;
        }
    }

    fn finish(mut self) -> Result<LibraryCounts, WorldError> {
        let path = self.folder.join(TRUTH_FILE);
        let file = |source| WorldError::File { path: path.clone(), source };
        if let Some(shards) = &mut self.shards {
            shards.close().map_err(file)?;
        }
        let truth = self.truth.into_inner();
        truth.map_err(|error| file(io::Error::other(error.to_string())))?.finish().map_err(file)?;
        self.manifest.finish()?;
        Ok(self.drawn)
    }
}

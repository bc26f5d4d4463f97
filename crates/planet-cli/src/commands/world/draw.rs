use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_world::{
    Corruption, Devices, Library, LibrarySize, PictureSize, World, WorldParameters,
};

use super::failure;
use crate::{failure::Failure, progress::Progress};

/// `planet world draw --photos N | --albums N … -o DIR`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    amount: AmountArguments,
    /// Seed of places, popularity and facts: train and test share it
    #[arg(long, value_name = "W", default_value_t = 0)]
    world: u64,
    /// Seed of the drawn facts, if it differs from that of the world: the same places and popularity with
    /// other kerbs, number plates, street furniture, landmarks and so on
    #[arg(long, value_name = "F")]
    facts: Option<u64>,
    /// Seed of photos or albums: train and test differ in it
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Longer side of the pictures in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 128, value_parser = clap::value_parser!(u32).range(64..=640))]
    size: u32,
    /// Share of photos that a copy follows: recompressed, cropped or toned
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    duplicates: f64,
    /// Share of photos that a chart, clip-art or screenshot follows
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    non_photos: f64,
    /// Share of photos whose position file and manifest keep silent about
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    withhold: f64,
    /// Share of photos whose time is missing, as after a messenger has sent them
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    untimed: f64,
    /// Write the way of each author as GPX, Records.json and Timeline.json below tracks/AUTHOR, with
    /// exact positions
    #[arg(long, requires = "albums")]
    tracks: bool,
    /// Set the clock of most authors' cameras wrong; clocks.csv says what has to be added to reach
    /// UTC
    #[arg(long, requires = "albums")]
    clock_offsets: bool,
    /// Put photos into tar files of a thousand, as WebDataset reads them
    #[arg(long)]
    shards: bool,
    /// Say for every pixel which cue or surface it shows: layers/PHOTO.png beside each photo, and
    /// layers/classes.json
    #[arg(long)]
    layers: bool,
    /// Folder to make
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct AmountArguments {
    /// How many single photos
    #[arg(long, value_name = "N")]
    photos: Option<u64>,
    /// How many albums of 10 to 60 photos
    #[arg(long, value_name = "N")]
    albums: Option<u64>,
}

impl AmountArguments {
    fn amount(&self) -> LibrarySize {
        match (self.photos, self.albums) {
            (Some(photos), _) => LibrarySize::Photos(photos),
            (None, albums) => LibrarySize::Albums(albums.unwrap_or_default()),
        }
    }
}

/// Draws a library into a new folder.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let library = Library {
        amount: arguments.amount.amount(),
        seed: arguments.seed,
        size: PictureSize::new(arguments.size).map_err(failure)?,
        corruption: Corruption {
            duplicates: arguments.duplicates,
            non_photos: arguments.non_photos,
            withhold: arguments.withhold,
            untimed: arguments.untimed,
        },
        shards: arguments.shards,
        layers: arguments.layers,
        devices: Devices { tracks: arguments.tracks, clock_offsets: arguments.clock_offsets },
    };
    let parameters =
        WorldParameters { facts: arguments.facts, ..WorldParameters::new(arguments.world) };
    let world = World::draw(parameters).map_err(failure)?;
    let unit = if arguments.amount.albums.is_some() { "albums" } else { "photos" };
    let progress = Progress::new(unit);
    let drawn = library.draw(&world, &arguments.output, &progress);
    progress.finish();
    let drawn = drawn.map_err(failure)?;

    let mut out = io::stdout().lock();
    writeln!(out, "folder      {}", arguments.output.display())?;
    writeln!(out, "world       {} ({} places)", arguments.world, world.places().len())?;
    writeln!(out, "photos      {}", drawn.photos)?;
    writeln!(out, "copies      {}", drawn.duplicates)?;
    writeln!(out, "non-photos  {}", drawn.non_photos)?;
    writeln!(out, "withheld    {}", drawn.withheld)?;
    writeln!(out, "size        {:.1} MB", drawn.bytes as f64 / 1e6)?;
    Ok(())
}

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_world::{PictureSize, Scenes};

use super::{failure, world};
use crate::{failure::Failure, progress::Progress};

/// `planet world scenes [--scenes N] [--photos N] -o DIR`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Number of scenes; each has one query
    #[arg(long, value_name = "N", default_value_t = 500)]
    scenes: usize,
    /// Number of photos, 2 to 6 for each scene
    #[arg(long, value_name = "N", default_value_t = 1491)]
    photos: usize,
    /// Seed of the world: its places and what they look like
    #[arg(long, value_name = "W", default_value_t = 0)]
    world: u64,
    /// Seed of the scenes and views
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Longer side of the pictures in pixels, before they are cropped
    #[arg(long, value_name = "PIXELS", default_value_t = 320, value_parser = clap::value_parser!(u32).range(64..=640))]
    size: u32,
    /// Folder to create
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let scenes = Scenes {
        scenes: arguments.scenes,
        photos: arguments.photos,
        seed: arguments.seed,
        size: PictureSize::new(arguments.size).map_err(failure)?,
    };
    let world = world(arguments.world)?;
    let progress = Progress::new("scenes");
    let drawn = scenes.draw(&world, &arguments.output, &progress);
    progress.finish();
    drawn.map_err(failure)?;
    let mut out = io::stdout().lock();
    writeln!(out, "folder  {}", arguments.output.display())?;
    writeln!(out, "scenes  {}", arguments.scenes)?;
    writeln!(out, "photos  {}", arguments.photos)?;
    Ok(())
}

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::contact_sheet;
use planet_data::{AtomicFile, Photo};
use planet_world::{PictureSize, SyntheticPhoto};

use super::{failure, world};
use crate::failure::Failure;

/// Photos that the list on standard output names.
const LISTED: usize = 12;

/// `planet world show [--world 0] [--seed 0] --sample 48 -o SHEET`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Seed of places, popularity and facts
    #[arg(long, value_name = "W", default_value_t = 0)]
    world: u64,
    /// Seed of photos
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How many photos
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(1..=2000))]
    sample: u32,
    /// Only one kind of scene: landmark, street, landscape, beach, building, wildlife, portrait, pet, food, indoor
    #[arg(long, value_name = "SCENE")]
    scene: Option<String>,
    /// Longer side of each picture in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 128, value_parser = clap::value_parser!(u32).range(64..=640))]
    size: u32,
    /// The sheet, a PNG file
    #[arg(short, long, value_name = "SHEET")]
    output: PathBuf,
}

/// Paints a sheet and names the first photos' places and cues.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.output.extension().is_none_or(|extension| extension != "png") {
        let what = format!("{} is no PNG file", arguments.output.display());
        return Err(Failure::usage(what).hint("name it SHEET.png"));
    }
    let scene = arguments.scene.as_deref().map(scene).transpose()?;
    let size = PictureSize::new(arguments.size).map_err(failure)?;
    let world = world(arguments.world)?;
    let photos: Vec<SyntheticPhoto> = (0..)
        .map(|number| world.photo(arguments.seed, number))
        .filter(|photo| scene.is_none_or(|scene| photo.cues.scene == scene))
        .take(arguments.sample as usize)
        .collect();
    let shown: Vec<_> = photos
        .iter()
        .map(|photo| {
            let (picture, place) = (photo.picture(size), world.place(photo.place));
            let pixels = Photo::from_rgb(picture.width, picture.height, picture.rgb);
            (pixels.ok(), format!("{}, {}", place.name, place.country))
        })
        .collect();
    // As wide as two pages of a screen are, whatever the size of the pictures.
    let columns = (1600 / arguments.size).clamp(1, arguments.sample);
    let sheet = contact_sheet(&shown, columns, arguments.size).map_err(Failure::new)?;
    AtomicFile::write_all_at(&arguments.output, &sheet)
        .map_err(|error| Failure::new(format!("{}: {error}", arguments.output.display())))?;

    let mut out = io::stdout().lock();
    for photo in photos.iter().take(LISTED) {
        let place = world.place(photo.place);
        writeln!(out, "{}, {}: {}", place.name, place.country, photo.cues)?;
    }
    if photos.len() > LISTED {
        writeln!(out, "and {} more", photos.len() - LISTED)?;
    }
    Ok(())
}

fn scene(name: &str) -> Result<planet_world::cue::Scene, Failure> {
    use planet_world::cue::{Cue, Scene};
    Scene::from_name(name).ok_or_else(|| {
        let names: Vec<String> = Scene::ALL.iter().map(|scene| scene.name()).collect();
        Failure::usage(format!("'{name}' is no scene")).hint(format!("one of {}", names.join(", ")))
    })
}

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use planet::{
    Locator, Prediction,
    map::{Colour, MapError, Region, WorldMap, outline_region, probability_map},
};
use planet_data::AtomicFile;
use planet_geo::LatLng;

use crate::failure::Failure;

const CERTAIN: Colour = Colour::new(20, 130, 70);
const UNCERTAIN: Colour = Colour::new(214, 65, 70);
/// Columns of a map in a terminal: as wide as it is, within reason.
const COLUMNS: std::ops::RangeInclusive<u16> = 40..=160;
/// Columns where the terminal does not say how many it has.
const USUAL_COLUMNS: u16 = 80;

/// The map that was asked for.
pub struct Maps {
    file: Option<PathBuf>,
    map: WorldMap,
    /// One photo has a map of its probability.
    single: bool,
    heading: String,
}

#[derive(Clone, Copy)]
enum Kind {
    Svg,
    Png,
    Html,
}

impl Maps {
    pub fn new(path: Option<&Path>, photos: usize) -> Result<Self, Failure> {
        let file = path.map(Path::to_owned);
        let mut map = WorldMap::new(Region::WORLD);
        map.key("a level is reported", CERTAIN);
        map.key("uncertain", UNCERTAIN);
        let heading = format!("{photos} photos");
        Ok(Self { file, map, single: photos == 1, heading })
    }

    /// Adds a photo. `detail` draws the map of one that is alone; `None` where there is nothing
    /// to draw.
    pub fn add(&mut self, prediction: &Prediction, detail: impl FnOnce() -> Option<WorldMap>) {
        if self.file.is_none() {
            return;
        }
        if self.single {
            self.heading.clone_from(&prediction.photo);
            if let Some(map) = detail() {
                self.map = map;
            }
        } else if let Some(certain) = &prediction.certain {
            self.map.point(certain.position, 4.0, CERTAIN);
        } else if let Some(best) = prediction.best() {
            self.map.point(best.position, 2.5, UNCERTAIN);
        }
    }

    pub fn write(&self) -> Result<(), Failure> {
        let Some(path) = &self.file else { return Ok(()) };
        let bytes = rendered(&self.map, path, &self.heading)?;
        AtomicFile::write_all_at(path, &bytes).map_err(Failure::file(path))
    }
}

/// Refuses a file whose name is not that of a map, before any work is done for it.
pub fn check(path: Option<&Path>) -> Result<(), Failure> {
    path.map(kind).transpose().map(|_| ())
}

/// A map as the name of its file says.
pub fn rendered(map: &WorldMap, path: &Path, heading: &str) -> Result<Vec<u8>, Failure> {
    Ok(match kind(path)? {
        Kind::Svg => map.to_svg().into_bytes(),
        Kind::Png => map.to_png().map_err(Failure::new)?,
        Kind::Html => map.to_html(heading).into_bytes(),
    })
}

/// A photo's probability in the terminal.
pub fn in_blocks(locator: &Locator, logits: &[f32], truth: Option<LatLng>) -> Result<(), Failure> {
    if std::env::var_os("NO_COLOR").is_some() {
        return Ok(());
    }
    let probabilities = locator.probabilities(logits).map_err(Failure::new)?;
    let region = Region::new(-60.0, -180.0, 80.0, 180.0).expect("a part of the world");
    let map = probability_map(locator.partition(), &probabilities, truth, region).without_legends();
    let columns = terminal_size::terminal_size().map_or(0, |(width, _)| width.0);
    let columns = if columns == 0 { USUAL_COLUMNS } else { columns };
    let columns = columns.clamp(*COLUMNS.start(), *COLUMNS.end());
    let text = map.to_blocks(columns.into()).map_err(|error: MapError| Failure::new(error))?;
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// The map of a photo's probability; `None` without scores.
pub fn probability_of(
    locator: &Locator,
    logits: &[f32],
    prediction: &Prediction,
) -> Option<WorldMap> {
    let probabilities = locator.probabilities(logits).ok()?;
    let truth = prediction.truth;
    let mut map = probability_map(locator.partition(), &probabilities, truth, Region::WORLD);
    if let Some(region) = &prediction.region {
        outline_region(&mut map, region);
    }
    Some(map)
}

fn kind(path: &Path) -> Result<Kind, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => Ok(Kind::Svg),
        Some("png") => Ok(Kind::Png),
        Some("html" | "htm") => Ok(Kind::Html),
        _ => Err(Failure::usage(format!("'{}' is not a valid name for a map", path.display()))
            .hint("use the extension .svg, .png or .html")),
    }
}

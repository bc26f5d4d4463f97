use std::{fmt, str::FromStr};

use planet_data::Country;
use planet_geo::{CellId, ClassId, LatLng, Partition, Scale};
use thiserror::Error;

use crate::{CellProbabilities, Locator, Place};

/// Whose probability is watched while parts of a photo are hidden.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Target {
    /// The truth where it is known, else the answer.
    #[default]
    TruthOrBest,
    /// Where the photo was taken.
    Truth,
    /// The answer for the whole photo.
    Best,
    /// A position.
    Position(LatLng),
    /// All classes in an S2 cell, or the class that it lies in.
    Cell(CellId),
    /// All classes of a country.
    Country(Country),
}

impl FromStr for Target {
    type Err = TargetError;

    /// `truth`, `best`, `LAT,LNG`, an ISO country code, or the token of an S2 cell. A code of two
    /// letters is a country before it is a cell.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        match text {
            "truth" => return Ok(Self::Truth),
            "best" => return Ok(Self::Best),
            _ => {}
        }
        if let Some((lat, lng)) = text.split_once(',') {
            let numbers = lat.trim().parse().ok().zip(lng.trim().parse().ok());
            let position = numbers.and_then(|(lat, lng)| LatLng::new(lat, lng).ok());
            return position.map(Self::Position).ok_or_else(|| TargetError::Text(shortened(text)));
        }
        if let Some(country) = Country::of_code(&text.to_ascii_uppercase()) {
            return Ok(Self::Country(country));
        }
        text.parse().map(Self::Cell).map_err(|_| TargetError::Text(shortened(text)))
    }
}

/// At most sixty letters of a text that came from outside.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Why a photo has no target.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TargetError {
    /// Text that names none.
    #[error(
        "'{0}' is not a target; use truth, best, LAT,LNG, the token of an S2 cell or an ISO country code"
    )]
    Text(String),
    /// The photo does not say where it was taken.
    #[error("the true position of the photo is unknown; use the target best or LAT,LNG")]
    NoTruth,
    /// No class has it.
    #[error(
        "{0} lies outside every cell of the model; use --scale city or coarser to include its surroundings"
    )]
    Outside(String),
    /// No class has its point in the country.
    #[error("no class of the model lies in {0}")]
    NoClass(String),
    /// Several classes have no common middle.
    #[error("a country has no centre, so a distance of {0} from it is not defined; omit the scale")]
    NoMiddle(&'static str),
}

/// A target, found among a model's classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedTarget {
    /// What people call it: `Vienna, Vienna, Austria`.
    pub name: String,
    /// Its classes; none where it lies outside every cell and a scale is watched.
    pub classes: Vec<ClassId>,
    /// Its middle; `None` for a country.
    pub position: Option<LatLng>,
}

impl fmt::Display for ResolvedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Target {
    /// Finds the target of one photo.
    pub(super) fn resolve(
        &self,
        locator: &Locator,
        truth: Option<LatLng>,
        whole: &CellProbabilities,
        scale: Option<Scale>,
    ) -> Result<ResolvedTarget, TargetError> {
        let resolved = match (self, truth) {
            (Self::Truth, None) => return Err(TargetError::NoTruth),
            (Self::Truth | Self::TruthOrBest, Some(truth)) => position(locator, truth),
            (Self::Position(there), _) => position(locator, *there),
            (Self::Best | Self::TruthOrBest, _) => best(locator, whole),
            (Self::Cell(cell), _) => of_cell(locator, *cell),
            (Self::Country(country), _) => of_country(locator, *country)?,
        };
        match scale {
            None if resolved.classes.is_empty() => Err(TargetError::Outside(resolved.name)),
            Some(scale) if resolved.position.is_none() => Err(TargetError::NoMiddle(scale.name())),
            _ => Ok(resolved),
        }
    }
}

fn named(locator: &Locator, position: LatLng) -> String {
    let place = Place::of(position, locator.gazetteer());
    if place == Place::default() {
        return format!("{:.4},{:.4}", position.lat(), position.lng());
    }
    place.to_string()
}

fn position(locator: &Locator, there: LatLng) -> ResolvedTarget {
    let classes = locator.partition().class_of(there).into_iter().collect();
    ResolvedTarget { name: named(locator, there), classes, position: Some(there) }
}

fn best(locator: &Locator, whole: &CellProbabilities) -> ResolvedTarget {
    let class = locator.best(whole).map(|(class, _)| class);
    let position = class.and_then(|class| locator.partition().point(class));
    let name = position.map_or_else(|| "no place".to_owned(), |there| named(locator, there));
    ResolvedTarget { name, classes: class.into_iter().collect(), position }
}

fn of_cell(locator: &Locator, cell: CellId) -> ResolvedTarget {
    let partition: &Partition = locator.partition();
    let meets = |own: &CellId| own.contains(cell) || cell.contains(*own);
    let rows = (0..partition.len() as u32).map(ClassId);
    let classes = rows.filter(|class| partition.class(*class).cells().iter().any(meets)).collect();
    let centre = cell.centre();
    let name = format!("cell {} ({})", cell.token(), named(locator, centre));
    ResolvedTarget { name, classes, position: Some(centre) }
}

fn of_country(locator: &Locator, country: Country) -> Result<ResolvedTarget, TargetError> {
    let (partition, gazetteer) = (locator.partition(), locator.gazetteer());
    let inside = |class: &ClassId| {
        partition.point(*class).is_some_and(|point| gazetteer.country(point) == Some(country))
    };
    let classes: Vec<ClassId> = (0..partition.len() as u32).map(ClassId).filter(inside).collect();
    if classes.is_empty() {
        return Err(TargetError::NoClass(country.name.to_owned()));
    }
    Ok(ResolvedTarget { name: country.name.to_owned(), classes, position: None })
}

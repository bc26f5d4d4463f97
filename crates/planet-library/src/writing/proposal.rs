use std::path::Path;

use planet::{EvidenceKind, Offered, Place, Prediction};
use planet_data::{Gazetteer, PhotoFacts, PositionSource};
use planet_geo::{LatLng, Scale};

/// Which answers are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProposalOptions {
    /// The coarsest level that is written.
    pub coarsest: Scale,
    /// The least probability of the level, above 0 and at most 1.
    pub certain: f64,
    /// Whether names of places go with the position.
    pub names: bool,
    /// Whether only measured positions are written: those of tracks and of Google Takeout.
    pub exact_only: bool,
}

impl Default for ProposalOptions {
    /// Positions within 25 km with at least 80 %, without names.
    fn default() -> Self {
        Self { coarsest: Scale::City, certain: 0.8, names: false, exact_only: false }
    }
}

/// What found the position of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProposalSource {
    /// A GPS track or location history: measured, and between two recordings interpolated.
    Track,
    /// The JSON file that Google Takeout wrote beside the photo.
    Takeout,
    /// A person, on a map.
    Manual,
    /// Neighbouring photos or a model: an estimate, and marked as one.
    Estimate,
}

impl ProposalSource {
    /// For a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Track => "from tracks",
            Self::Takeout => "from Google Takeout",
            Self::Manual => "chosen by hand",
            Self::Estimate => "estimated",
        }
    }
}

const TAKEOUT_METHOD: &str = "Google Takeout";

/// A position for a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The photo's id: its path below the library's folder.
    pub photo: String,
    /// Where it was taken.
    pub position: LatLng,
    /// What found it.
    pub source: ProposalSource,
    /// The position's error in metres: of an estimate the radius of the level that is certain,
    /// otherwise as the source states it.
    pub accuracy_m: Option<f64>,
    /// The level.
    pub level: Scale,
    /// Its probability.
    pub probability: f32,
    /// What it rests on, in words; empty where the file of answers does not say.
    pub evidence: String,
    /// City, state, country and ISO country code, as far as the level tells them.
    pub names: [String; 4],
}

/// Why an answer is not proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotProposed {
    /// The photo has a position.
    Known,
    /// There is no answer.
    NoAnswer,
    /// No level is certain.
    Uncertain,
    /// It is an estimate, and only measured positions were asked for.
    Estimate,
    /// The level that is certain is coarser than asked for.
    TooCoarse,
    /// The level's probability is lower than asked for.
    TooUncertain,
}

impl NotProposed {
    /// For a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "position known",
            Self::NoAnswer => "no answer",
            Self::Uncertain => "no level certain",
            Self::Estimate => "estimates, not written",
            Self::TooCoarse => "coarser than --level",
            Self::TooUncertain => "less certain than --certain",
        }
    }
}

impl Proposal {
    /// What a prediction proposes.
    ///
    /// # Errors
    /// Why it proposes nothing.
    pub fn of(
        prediction: &Prediction,
        options: &ProposalOptions,
        gazetteer: &Gazetteer,
    ) -> Result<Self, NotProposed> {
        let certain = match Offered::of(prediction, options.coarsest) {
            Offered::Position(certain) => certain,
            Offered::Known => return Err(NotProposed::Known),
            Offered::Uncertain => return Err(NotProposed::Uncertain),
            Offered::Coarser(_) => return Err(NotProposed::TooCoarse),
            Offered::Impossible => return Err(NotProposed::NoAnswer),
        };
        if f64::from(certain.probability) < options.certain {
            return Err(NotProposed::TooUncertain);
        }
        let estimate = Self {
            photo: prediction.photo.clone(),
            position: certain.position,
            source: ProposalSource::Estimate,
            accuracy_m: Some(certain.level.radius().m()),
            level: certain.level,
            probability: certain.probability,
            evidence: evidence(prediction),
            names: options.names_of(certain.position, certain.level, gazetteer),
        };
        match prediction.best() {
            Some(best) if by_track(prediction) && best.position == certain.position => {
                let accuracy_m = Some(best.radius.m()).filter(|metres| *metres > 0.0);
                let (source, position) = (ProposalSource::Track, best.position);
                Ok(Self { position, source, accuracy_m, ..estimate })
            }
            _ if options.exact_only => Err(NotProposed::Estimate),
            _ => Ok(estimate),
        }
    }

    /// What a prediction proposes for the photo in a library's folder: as [`Proposal::of`], and
    /// of a photo whose position only Google Takeout states beside it, that position.
    ///
    /// # Errors
    /// Why nothing is proposed.
    pub fn in_library(
        root: &Path,
        prediction: &Prediction,
        options: &ProposalOptions,
        gazetteer: &Gazetteer,
    ) -> Result<Self, NotProposed> {
        Self::of(prediction, options, gazetteer).or_else(|reason| {
            if reason != NotProposed::Known {
                return Err(reason);
            }
            let facts = PhotoFacts::read(&root.join(&prediction.photo)).map_err(|_| reason)?;
            Self::of_takeout(&prediction.photo, &facts, options, gazetteer).ok_or(reason)
        })
    }

    /// `None` where the photo's position is not Google Takeout's.
    fn of_takeout(
        photo: &str,
        facts: &PhotoFacts,
        options: &ProposalOptions,
        gazetteer: &Gazetteer,
    ) -> Option<Self> {
        let is_written = facts.processing_method.as_deref() == Some(TAKEOUT_METHOD);
        let is_takeout = facts.position_source == Some(PositionSource::Takeout) || is_written;
        let position = facts.position.filter(|_| is_takeout)?;
        Some(Self {
            photo: photo.to_owned(),
            position,
            source: ProposalSource::Takeout,
            accuracy_m: facts.accuracy_m,
            level: Scale::Street,
            probability: 1.0,
            evidence: ProposalSource::Takeout.name().to_owned(),
            names: options.names_of(position, Scale::Street, gazetteer),
        })
    }

    /// As `GPSProcessingMethod` states it: only estimates name PlaNet, by which they are recognised.
    pub fn method(&self) -> String {
        match self.source {
            ProposalSource::Track => return "GPS track".to_owned(),
            ProposalSource::Takeout => return TAKEOUT_METHOD.to_owned(),
            // EXIF's own word.
            ProposalSource::Manual => return "MANUAL".to_owned(),
            ProposalSource::Estimate => {}
        }
        let percent = 100.0 * self.probability;
        let method = format!("PlaNet estimate ({}, {percent:.0} %)", self.level.name());
        match self.evidence.is_empty() {
            true => method,
            false => format!("{method}: {}", self.evidence),
        }
    }
}

impl ProposalOptions {
    fn names_of(&self, position: LatLng, level: Scale, gazetteer: &Gazetteer) -> [String; 4] {
        match self.names {
            true => names(&Place::of(position, gazetteer), level),
            false => Default::default(),
        }
    }
}

/// Whether the answer rests on a track above all.
fn by_track(prediction: &Prediction) -> bool {
    prediction.evidence.first().is_some_and(|it| it.kind == EvidenceKind::Track)
}

fn evidence(prediction: &Prediction) -> String {
    let all: Vec<String> = prediction.evidence.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// A level of 200 km determines no city, one of 750 km no state.
fn names(place: &Place, level: Scale) -> [String; 4] {
    let told = |coarsest: Scale, name: &str| match level <= coarsest {
        true => name.to_owned(),
        false => String::new(),
    };
    [
        told(Scale::City, &place.name),
        told(Scale::Region, &place.region),
        told(Scale::Country, &place.country),
        told(Scale::Country, &place.country_code),
    ]
}

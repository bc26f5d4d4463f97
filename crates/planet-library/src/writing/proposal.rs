use planet::{Offered, Place, Prediction};
use planet_data::Gazetteer;
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
}

impl Default for ProposalOptions {
    /// Positions within 25 km with at least 80 %, without names.
    fn default() -> Self {
        Self { coarsest: Scale::City, certain: 0.8, names: false }
    }
}

/// A position for a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The photo's id: its path below the library's folder.
    pub photo: String,
    /// Where it was taken.
    pub position: LatLng,
    /// The position's error in metres: the radius of the level that is certain.
    pub accuracy_m: f64,
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
        let names = match options.names {
            true => names(&Place::of(certain.position, gazetteer), certain.level),
            false => Default::default(),
        };
        Ok(Self {
            photo: prediction.photo.clone(),
            position: certain.position,
            accuracy_m: certain.level.radius().m(),
            level: certain.level,
            probability: certain.probability,
            evidence: evidence(prediction),
            names,
        })
    }

    /// As `GPSProcessingMethod` states it.
    pub fn method(&self) -> String {
        let percent = 100.0 * self.probability;
        let method = format!("PlaNet estimate ({}, {percent:.0} %)", self.level.name());
        match self.evidence.is_empty() {
            true => method,
            false => format!("{method}: {}", self.evidence),
        }
    }
}

fn evidence(prediction: &Prediction) -> String {
    let all: Vec<String> = prediction.evidence.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// A level of 200 km tells no city, one of 750 km no state.
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

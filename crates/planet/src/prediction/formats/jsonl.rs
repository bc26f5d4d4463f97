use planet_geo::{ClassId, Distance, LatLng, Scale};
use serde::{Deserialize, Serialize};

use super::{degrees, km};
use crate::prediction::{
    Candidate, Certain, Evidence, EvidenceKind, Place, PredictedRegion, Prediction,
};

/// One line as it stands in the file; what is unknown is absent.
#[derive(Serialize, Deserialize)]
struct Line {
    photo: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    predictions: Vec<Row>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certain: Option<CertainRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<RegionRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    truth: Option<TruthRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    embedding: Option<Vec<f32>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<EvidenceRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<u32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cell: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f32>,
    lat: f64,
    lng: f64,
    #[serde(default)]
    radius_km: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<PlaceRow>,
}

#[derive(Serialize, Deserialize)]
struct EvidenceRow {
    kind: String,
    #[serde(default)]
    share: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    photo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minutes: Option<f64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    place: String,
    /// For people; not read again.
    #[serde(default)]
    text: String,
}

#[derive(Serialize, Deserialize)]
struct PlaceRow {
    #[serde(default)]
    name: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    country_code: String,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CertainRow {
    Known { level: String, name: String, lat: f64, lng: f64, radius_km: f64, probability: f32 },
    Unknown { level: String },
}

#[derive(Serialize, Deserialize)]
struct RegionRow {
    share: f64,
    area_km2: f64,
    classes: Vec<u32>,
    cells: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct TruthRow {
    lat: f64,
    lng: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distance_km: Option<f64>,
}

const UNKNOWN: &str = "unknown";

/// A line with its end.
pub(super) fn line(prediction: &Prediction) -> String {
    let certain = match &prediction.certain {
        Some(certain) => Some(CertainRow::Known {
            level: certain.level.name().to_owned(),
            name: certain.name.clone(),
            lat: degrees(certain.position.lat()),
            lng: degrees(certain.position.lng()),
            radius_km: certain.level.radius().km(),
            probability: certain.probability,
        }),
        None if prediction.error.is_none() => Some(CertainRow::Unknown { level: UNKNOWN.into() }),
        None => None,
    };
    let truth = prediction.truth.map(|truth| TruthRow {
        lat: degrees(truth.lat()),
        lng: degrees(truth.lng()),
        distance_km: prediction.distance().map(km),
    });
    let line = Line {
        photo: prediction.photo.clone(),
        predictions: prediction.candidates.iter().map(row).collect(),
        certain,
        region: prediction.region.as_ref().map(region_row),
        truth,
        embedding: prediction.embedding.clone(),
        evidence: prediction.evidence.iter().map(evidence_row).collect(),
        error: prediction.error.clone(),
        warning: prediction.warning.clone(),
    };
    let mut text = serde_json::to_string(&line).expect("strings and numbers become JSON");
    text.push('\n');
    text
}

fn row(candidate: &Candidate) -> Row {
    let place = candidate.place.clone().map(|place| {
        let Place { name, region, country, country_code } = place;
        PlaceRow { name, region, country, country_code }
    });
    Row {
        class: candidate.class.map(|class| class.0),
        cell: candidate.cell.clone(),
        probability: candidate.probability,
        lat: degrees(candidate.position.lat()),
        lng: degrees(candidate.position.lng()),
        radius_km: km(candidate.radius),
        place,
    }
}

/// A prediction from its line.
pub(super) fn parse(text: &str) -> Result<Prediction, String> {
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let position = |lat, lng| LatLng::new(lat, lng).map_err(|error| error.to_string());
    let certain = match line.certain {
        Some(CertainRow::Known { level, name, lat, lng, probability, .. }) => {
            let scale = Scale::ALL.into_iter().find(|scale| scale.name() == level);
            let level = scale.ok_or_else(|| format!("'{level}' is not a level"))?;
            Some(Certain { level, name, position: position(lat, lng)?, probability })
        }
        Some(CertainRow::Unknown { level }) if level != UNKNOWN => {
            return Err(format!("the certain level '{level}' has no position"));
        }
        _ => None,
    };
    let truth = line.truth.map(|truth| position(truth.lat, truth.lng)).transpose()?;
    Ok(Prediction {
        photo: line.photo,
        candidates: line.predictions.into_iter().map(candidate).collect::<Result<_, _>>()?,
        certain,
        region: line.region.map(region),
        truth,
        embedding: line.embedding,
        evidence: line.evidence.into_iter().filter_map(evidence).collect(),
        error: line.error,
        warning: line.warning,
    })
}

fn region_row(region: &PredictedRegion) -> RegionRow {
    RegionRow {
        share: region.share,
        area_km2: region.area_km2.round(),
        classes: region.classes.iter().map(|class| class.0).collect(),
        cells: region.cells.clone(),
    }
}

fn region(row: RegionRow) -> PredictedRegion {
    let RegionRow { share, area_km2, classes, cells } = row;
    let classes = classes.into_iter().map(ClassId).collect();
    PredictedRegion { share, classes, cells, area_km2 }
}

fn evidence_row(evidence: &Evidence) -> EvidenceRow {
    let (photo, minutes, place) = match &evidence.kind {
        EvidenceKind::Neighbour { photo, minutes, place } => {
            (Some(photo.clone()), Some((minutes * 10.0).round() / 10.0), place.clone())
        }
        EvidenceKind::LookAlike { photo, place } => (Some(photo.clone()), None, place.clone()),
        _ => (None, None, String::new()),
    };
    EvidenceRow {
        kind: evidence.kind.name().to_owned(),
        share: (evidence.share * 1e3).round() / 1e3,
        photo,
        minutes,
        place,
        text: evidence.kind.to_string(),
    }
}

/// Kinds that are not known here are passed over: a later version may write more.
fn evidence(row: EvidenceRow) -> Option<Evidence> {
    let kind = match row.kind.as_str() {
        "track" => EvidenceKind::Track,
        "model" => EvidenceKind::Model,
        "neighbour" => {
            EvidenceKind::Neighbour { photo: row.photo?, minutes: row.minutes?, place: row.place }
        }
        "look-alike" => EvidenceKind::LookAlike { photo: row.photo?, place: row.place },
        _ => return None,
    };
    Some(Evidence { kind, share: row.share })
}

fn candidate(row: Row) -> Result<Candidate, String> {
    let position = LatLng::new(row.lat, row.lng).map_err(|error| error.to_string())?;
    if let Some(p) = row.probability
        && !(0.0..=1.0 + 1e-5).contains(&p)
    {
        return Err(format!("probability {p} is not within 0..=1"));
    }
    Ok(Candidate {
        class: row.class.map(ClassId),
        cell: row.cell,
        probability: row.probability,
        position,
        radius: Distance::from_km(row.radius_km),
        place: row.place.map(|row| {
            let PlaceRow { name, region, country, country_code } = row;
            Place { name, region, country, country_code }
        }),
    })
}

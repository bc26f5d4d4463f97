//! The page of what would be written: a map, and each photo with its place and evidence.

use std::{fmt::Write, path::Path};

use planet::{
    Certain, Prediction,
    album::{Trip, TripPhoto},
    plot::{escaped, inlined},
    report::STYLE,
};
use planet_data::{AtomicFile, DiskStore, PhotoStore, thumbnail_jpeg};
use planet_library::writing::{Action, PlannedWrite, ProposalSource};

use crate::failure::Failure;

/// Photos with a thumbnail; more would make a page that no browser likes.
const SHOWN: usize = 1000;
/// Longer side of thumbnails in pixels.
const THUMBNAIL: u32 = 180;

/// Writes the page of a plan.
pub fn write(page: &Path, root: &Path, planned: &[PlannedWrite]) -> Result<(), Failure> {
    let changes: Vec<&PlannedWrite> = planned
        .iter()
        .filter(|it| matches!(it.action, Action::Create(_) | Action::Change(_)))
        .collect();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Positions to write</title>\n\
         <style>{STYLE}</style>\n<h1>Positions to write</h1>\n<p>{} photos of {}. Nothing has been \
         written yet.</p>\n",
        changes.len(),
        escaped(&root.to_string_lossy())
    );
    let places: Vec<Prediction> = changes.iter().map(|it| prediction(it)).collect();
    let map = Trip::new(places.iter().map(|place| vec![TripPhoto::from(place)])).map();
    if let Ok(png) = map.to_png() {
        let picture = inlined("proposed positions on a map", "png", &png);
        html.push_str(&format!("<figure>{picture}</figure>\n"));
    }
    html.push_str("<h2>Photos</h2>\n<div class=\"gallery\">\n");
    let store = DiskStore::new(root);
    for planned in changes.iter().take(SHOWN) {
        let proposal = &planned.proposal;
        let photo = store.photo(&proposal.photo).ok();
        let thumbnail = photo.map(|photo| thumbnail_jpeg(&photo, THUMBNAIL));
        let thumbnail = thumbnail.map(|jpeg| inlined(&proposal.photo, "jpeg", &jpeg));
        let names: Vec<&str> =
            proposal.names[..3].iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
        let (lat, lng) = (proposal.position.lat(), proposal.position.lng());
        let lines = [
            proposal.photo.clone(),
            names.join(", "),
            match proposal.accuracy_m {
                Some(metres) => format!("{lat:.5}, {lng:.5} ± {metres:.0} m"),
                None => format!("{lat:.5}, {lng:.5}"),
            },
            match proposal.source {
                ProposalSource::Estimate => {
                    format!("{}, {:.0} %", proposal.level.name(), 100.0 * proposal.probability)
                }
                source => source.name().to_owned(),
            },
            proposal.evidence.clone(),
        ];
        let lines = lines.iter().filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(|line| escaped(line)).collect();
        let thumbnail = thumbnail.unwrap_or_default();
        writeln!(html, "<div>{thumbnail}{}</div>", lines.join("<br>")).expect("text grows");
    }
    html.push_str("</div>\n");
    if changes.len() > SHOWN {
        writeln!(html, "<p>… and {} more.</p>", changes.len() - SHOWN).expect("text grows");
    }
    html.push_str("</html>\n");
    AtomicFile::write_all_at(page, html.as_bytes()).map_err(Failure::file(page))
}

fn prediction(planned: &PlannedWrite) -> Prediction {
    let proposal = &planned.proposal;
    let certain = Certain {
        level: proposal.level,
        name: String::new(),
        position: proposal.position,
        probability: proposal.probability,
    };
    Prediction { photo: proposal.photo.clone(), certain: Some(certain), ..Prediction::default() }
}

//! XMP: a packet inside a photo or in a sidecar beside it.

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event},
    name::ResolveResult,
};

use super::{
    estimate::is_estimate_keyword,
    note::Problem,
    tags::{Tags, camera, degrees_of_text},
};
use crate::time;

const DC: &str = "http://purl.org/dc/elements/1.1/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";

/// The properties that matter, as text; the first value of each counts.
#[derive(Default)]
struct Properties {
    latitude: Option<String>,
    longitude: Option<String>,
    accuracy: Option<String>,
    method: Option<String>,
    original: Option<String>,
    created: Option<String>,
    digitised: Option<String>,
    make: Option<String>,
    model: Option<String>,
    creator: Option<String>,
    estimated: bool,
}

/// Reads a packet. Damage ends the reading; what stood before it counts.
pub(super) fn read(packet: &[u8]) -> Tags {
    let mut tags = Tags::default();
    let text = String::from_utf8_lossy(packet);
    let properties = Properties::read(&text, &mut tags.problems);
    tags.camera = camera(properties.make, properties.model);
    tags.author = properties.creator;
    tags.method = properties.method;
    tags.estimated = properties.estimated;
    tags.accuracy_m = properties.accuracy.as_deref().and_then(ratio).filter(|&metres| metres > 0.0);
    match (properties.latitude, properties.longitude) {
        (None, None) => {}
        (Some(lat), Some(lng)) => {
            match (coordinate(&lat, ['N', 'S']), coordinate(&lng, ['E', 'W'])) {
                (Some(lat), Some(lng)) => tags.set_position(lat, lng),
                _ => tags.problems.push(Problem::Coordinates),
            }
        }
        _ => tags.problems.push(Problem::Coordinates),
    }
    for at in [properties.original, properties.created, properties.digitised].into_iter().flatten()
    {
        tags.time = time::from_iso(&at);
        if tags.time.is_some() {
            break;
        }
        tags.problems.push(Problem::Time(at));
    }
    tags
}

impl Properties {
    fn read(text: &str, problems: &mut Vec<Problem>) -> Self {
        let mut found = Self::default();
        let mut reader = NsReader::from_str(text);
        // The property that the next text belongs to; a list's items belong to the list's.
        let mut open: Option<(String, String)> = None;
        loop {
            match reader.read_event() {
                Ok(Event::Start(element)) => {
                    found.attributes(&reader, &element);
                    if let (ResolveResult::Bound(space), name) =
                        reader.resolver().resolve_element(element.name())
                        && space.as_ref() != RDF
                    {
                        open = Some((space.as_ref().to_owned(), name.as_ref().to_owned()));
                    }
                }
                Ok(Event::Empty(element)) => found.attributes(&reader, &element),
                Ok(Event::Text(text)) => {
                    if let Some((space, name)) = &open {
                        found.set(space, name, &text.xml10_content());
                    }
                }
                Ok(Event::End(element)) => {
                    if !matches!(
                        reader.resolver().resolve_element(element.name()).0,
                        ResolveResult::Bound(space) if space.as_ref() == RDF
                    ) {
                        open = None;
                    }
                }
                Ok(Event::Eof) => return found,
                Ok(_) => {}
                Err(error) => {
                    problems.push(Problem::Damaged(error.to_string()));
                    return found;
                }
            }
        }
    }

    fn attributes(&mut self, reader: &NsReader<&[u8]>, element: &BytesStart) {
        for attribute in element.attributes().flatten() {
            if let (ResolveResult::Bound(space), name) =
                reader.resolver().resolve_attribute(attribute.key)
                && let Ok(value) = attribute.normalized_value(XmlVersion::Explicit1_0)
            {
                self.set(space.as_ref(), name.as_ref(), &value);
            }
        }
    }

    fn set(&mut self, space: &str, name: &str, text: &str) {
        if matches!((space, name), (DC, "subject") | (LIGHTROOM, "hierarchicalSubject")) {
            self.estimated |= is_estimate_keyword(text);
        }
        let place = match (space, name) {
            (EXIF, "GPSLatitude") => &mut self.latitude,
            (EXIF, "GPSLongitude") => &mut self.longitude,
            (EXIF, "GPSHPositioningError") => &mut self.accuracy,
            (EXIF, "GPSProcessingMethod") => &mut self.method,
            (EXIF, "DateTimeOriginal") => &mut self.original,
            (PHOTOSHOP, "DateCreated") => &mut self.created,
            (EXIF, "DateTimeDigitized") | (XMP, "CreateDate") => &mut self.digitised,
            (TIFF, "Make") => &mut self.make,
            (TIFF, "Model") => &mut self.model,
            (DC, "creator") => &mut self.creator,
            _ => return,
        };
        let text = text.trim();
        if place.is_none() && !text.is_empty() {
            *place = Some(text.to_owned());
        }
    }
}

/// `37,13.0024N`: the hemisphere stands inside the value (XMP specification, part 2,
/// GPSCoordinate). Plain signed decimals, which some programs write, are taken too.
fn coordinate(text: &str, letters: [char; 2]) -> Option<f64> {
    let (degrees, letter) = degrees_of_text(text, letters)?;
    match letter {
        Some(letter) if letter == letters[1] => Some(-degrees.abs()),
        Some(_) => Some(degrees.abs()),
        None => (!text.contains(',')).then_some(degrees),
    }
}

/// `12.5` or `25/2`.
fn ratio(text: &str) -> Option<f64> {
    let number = match text.split_once('/') {
        Some((over, under)) => over.parse::<f64>().ok()? / under.parse::<f64>().ok()?,
        None => text.parse().ok()?,
    };
    number.is_finite().then_some(number)
}

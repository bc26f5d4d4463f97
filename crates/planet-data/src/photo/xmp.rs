//! XMP: a packet inside a photo or in a sidecar beside it.

use std::borrow::Cow;

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};

use super::{
    estimate::is_estimate_keyword,
    note::Problem,
    tags::{Tags, camera, degrees_of_text, letter, signed},
};

const DC: &str = "http://purl.org/dc/elements/1.1/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";

/// Elements within each other; real packets have a dozen.
const DEEPEST: usize = 256;

/// The properties that matter, as text; the first value of each counts.
#[derive(Default)]
struct Properties {
    latitude: Option<String>,
    latitude_reference: Option<String>,
    longitude: Option<String>,
    longitude_reference: Option<String>,
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
    let text = decoded(packet);
    let properties = Properties::read(&text, &mut tags.problems);
    match properties.position() {
        Ok(None) => {}
        Ok(Some([lat, lng])) => tags.set_position(lat, lng),
        Err(problem) => tags.problems.push(problem),
    }
    tags.camera = camera(properties.make, properties.model);
    tags.author = properties.creator;
    tags.method = properties.method;
    tags.estimated = properties.estimated;
    tags.accuracy_m = properties.accuracy.as_deref().and_then(ratio).filter(|&metres| metres > 0.0);
    for at in [properties.original, properties.created, properties.digitised].into_iter().flatten()
    {
        tags.set_time(&at, None);
        if tags.time.is_some() {
            break;
        }
    }
    tags
}

/// A packet as text. Within a photo it is UTF-8; a sidecar may be UTF-16 of either order, with a
/// byte order mark or without (XMP specification, part 1, 7.1).
fn decoded(packet: &[u8]) -> Cow<'_, str> {
    let (units, from): (fn([u8; 2]) -> u16, usize) = match packet {
        [0xFF, 0xFE, ..] => (u16::from_le_bytes, 2),
        [0xFE, 0xFF, ..] => (u16::from_be_bytes, 2),
        [b'<', 0, ..] => (u16::from_le_bytes, 0),
        [0, b'<', ..] => (u16::from_be_bytes, 0),
        _ => {
            let text = packet.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(packet);
            return String::from_utf8_lossy(text);
        }
    };
    let units: Vec<u16> = packet[from..].as_chunks().0.iter().map(|&pair| units(pair)).collect();
    Cow::Owned(String::from_utf16_lossy(&units))
}

/// What an element is, of those that the reader stands within.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// Around `rdf:RDF`.
    Wrapper,
    /// `rdf:RDF`.
    Rdf,
    /// A description of the photo itself: its attributes and children are the photo's properties.
    Description,
    /// A property, which holds text, a list or a structure.
    Property,
    /// `rdf:Seq`, `rdf:Bag` or `rdf:Alt`.
    List,
    /// A list's item.
    Item,
    /// Anything within a structure: it describes something else, such as the place that is shown
    /// or another photo.
    Other,
}

impl Level {
    fn of(parent: Self, is_rdf: bool, name: &str) -> Self {
        match parent {
            Self::Wrapper if is_rdf && name == "RDF" => Self::Rdf,
            Self::Wrapper => Self::Wrapper,
            Self::Rdf => Self::Description,
            Self::Description if !is_rdf => Self::Property,
            Self::Property if is_rdf && matches!(name, "Seq" | "Bag" | "Alt") => Self::List,
            Self::List if is_rdf && name == "li" => Self::Item,
            _ => Self::Other,
        }
    }
}

impl Properties {
    fn read(text: &str, problems: &mut Vec<Problem>) -> Self {
        let mut found = Self::default();
        let mut reader = NsReader::from_str(text);
        // `Smith & Sons`, as careless writers leave it.
        reader.config_mut().allow_dangling_amp = true;
        let mut levels: Vec<Level> = Vec::new();
        let (mut is_xmp, mut is_empty) = (false, true);
        // The property that the next text belongs to; a list's items belong to the list's.
        let mut open = (String::new(), String::new());
        let mut content = String::new();
        loop {
            match reader.read_event() {
                Ok(Event::Start(element)) if levels.len() < DEEPEST => {
                    let level = found.enter(&reader, &element, &levels, &mut open, problems);
                    is_xmp |= level == Level::Rdf;
                    is_empty = false;
                    levels.push(level);
                    content.clear();
                }
                Ok(Event::Empty(element)) => {
                    let level = found.enter(&reader, &element, &levels, &mut open, problems);
                    is_xmp |= level == Level::Rdf;
                    is_empty = false;
                }
                Ok(Event::Text(text)) => content.push_str(&text.xml10_content()),
                Ok(Event::CData(text)) => content.push_str(&text.xml10_content()),
                Ok(Event::GeneralRef(reference)) => push_reference(&mut content, &reference),
                Ok(Event::End(_)) => {
                    if let Some(Level::Property | Level::Item) = levels.pop() {
                        found.set(&open.0, &open.1, &content);
                    }
                    content.clear();
                }
                Ok(Event::Eof) if levels.is_empty() && is_xmp => return found,
                Ok(Event::Eof) => {
                    problems.push(match is_xmp {
                        true => Problem::Damaged("the XMP is truncated".to_owned()),
                        false if is_empty && content.trim().is_empty() => Problem::NoXmp,
                        false => Problem::NotXmp,
                    });
                    return found;
                }
                Ok(Event::Start(_)) => {
                    problems.push(Problem::Damaged("elements are nested too deeply".to_owned()));
                    return found;
                }
                Ok(_) => {}
                Err(error) => {
                    problems.push(match is_xmp {
                        true => Problem::Damaged(error.to_string()),
                        false => Problem::NotXmp,
                    });
                    return found;
                }
            }
        }
    }

    /// What this element is. The attributes of a description are read; a property is opened.
    fn enter(
        &mut self,
        reader: &NsReader<&[u8]>,
        element: &BytesStart,
        levels: &[Level],
        open: &mut (String, String),
        problems: &mut Vec<Problem>,
    ) -> Level {
        let (space, name) = reader.resolver().resolve_element(element.name());
        let space = match space {
            ResolveResult::Bound(space) => space.as_ref().to_owned(),
            _ => String::new(),
        };
        let parent = levels.last().copied().unwrap_or(Level::Wrapper);
        let level = Level::of(parent, space == RDF, name.as_ref());
        match level {
            Level::Description => self.attributes(reader, element, problems),
            Level::Property => *open = (space, name.as_ref().to_owned()),
            // The text around a structure is none of the property's.
            Level::Other if matches!(parent, Level::Property | Level::Item) => {
                *open = (String::new(), String::new());
            }
            _ => {}
        }
        level
    }

    fn attributes(
        &mut self,
        reader: &NsReader<&[u8]>,
        element: &BytesStart,
        problems: &mut Vec<Problem>,
    ) {
        for attribute in element.attributes() {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error) => {
                    problems.push(Problem::Damaged(error.to_string()));
                    continue;
                }
            };
            let (ResolveResult::Bound(space), name) =
                reader.resolver().resolve_attribute(attribute.key)
            else {
                continue;
            };
            let value = match attribute.normalized_value(XmlVersion::Explicit1_0) {
                Ok(value) => value,
                // An entity that is not declared stays as it is written.
                Err(_) => attribute.value.clone(),
            };
            self.set(space.as_ref(), name.as_ref(), &value);
        }
    }

    fn set(&mut self, space: &str, name: &str, text: &str) {
        if matches!((space, name), (DC, "subject") | (LIGHTROOM, "hierarchicalSubject")) {
            self.estimated |= is_estimate_keyword(text);
        }
        let place = match (space, name) {
            (EXIF, "GPSLatitude") => &mut self.latitude,
            (EXIF, "GPSLatitudeRef") => &mut self.latitude_reference,
            (EXIF, "GPSLongitude") => &mut self.longitude,
            (EXIF, "GPSLongitudeRef") => &mut self.longitude_reference,
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

    /// Latitude and longitude in signed degrees.
    fn position(&self) -> Result<Option<[f64; 2]>, Problem> {
        let references = [&self.latitude_reference, &self.longitude_reference];
        // Where there are references, the numbers have no sign.
        let unsigned = references.iter().any(|reference| reference.is_some());
        let coordinate = |text: &str, reference: &Option<String>, letters| {
            coordinate(text, reference.as_deref(), letters, unsigned)
        };
        match (&self.latitude, &self.longitude) {
            (None, None) => Ok(None),
            (Some(lat), Some(lng)) => Ok(Some([
                coordinate(lat, references[0], ['N', 'S'])?,
                coordinate(lng, references[1], ['E', 'W'])?,
            ])),
            _ => Err(Problem::Coordinates),
        }
    }
}

/// Adds what a reference stands for; one that is not declared stays as it is written.
fn push_reference(content: &mut String, reference: &BytesRef) {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        content.push(character);
    } else if let Some(text) = resolve_predefined_entity(reference) {
        content.push_str(text);
    } else {
        content.extend(["&", reference, ";"]);
    }
}

/// `37,13.0024N`: the hemisphere stands inside the value (XMP specification, part 2,
/// GPSCoordinate). Decimals with a sign, and decimals with the hemisphere in a property of its own
/// as Apple's Photos writes them, are taken too.
fn coordinate(
    text: &str,
    reference: Option<&str>,
    letters: [char; 2],
    unsigned: bool,
) -> Result<f64, Problem> {
    let (degrees, own) = degrees_of_text(text, letters).ok_or(Problem::Coordinates)?;
    // Without a letter, 37° 13' cannot be told from 37.13° where decimals are written with a comma.
    if own.is_none() && text.contains(',') && !text.contains('.') {
        return Err(Problem::Coordinates);
    }
    let beside = reference.and_then(|text| letter(text, letters));
    match signed(degrees, own, beside, letters)? {
        Some(degrees) => Ok(degrees),
        None if unsigned && degrees > 0.0 || text.contains(',') => Err(Problem::NoHemisphere),
        None => Ok(degrees),
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

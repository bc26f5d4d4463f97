//! EXIF: a library walks the block and yields raw values; what they mean is decided here.

use exif::{Context, Exif, In, Reader, Tag, Value};

use super::{
    directory::with_known_types,
    note::Problem,
    orientation::Orientation,
    tags::{Tags, camera, degrees, degrees_of_text, letter, signed},
};

/// A parsed block.
pub(super) struct Block {
    exif: Exif,
    damage: Option<String>,
}

impl Block {
    /// Parses the TIFF structure; one broken field does not hide the others. Loops and offsets
    /// beyond the block are damage.
    pub(super) fn parse(mut block: Vec<u8>) -> Result<Self, Problem> {
        with_known_types(&mut block);
        let mut damage = None;
        let exif = Reader::new()
            .continue_on_error(true)
            .read_raw(block)
            .or_else(|error| {
                error.distill_partial_result(|errors| {
                    damage =
                        errors.iter().find(|error| !is_harmless(error)).map(ToString::to_string);
                })
            })
            .map_err(|error| Problem::Damaged(error.to_string()))?;
        Ok(Self { exif, damage })
    }

    /// How the stored pixels must be turned.
    pub(super) fn orientation(&self) -> Orientation {
        let tag = self.value(Tag::Orientation).and_then(|value| value.get_uint(0));
        Orientation::from_exif(tag.unwrap_or(1))
    }

    /// The block's metadata of the photo.
    pub(super) fn tags(&self) -> Tags {
        let mut tags = Tags {
            camera: camera(self.text(Tag::Make), self.text(Tag::Model)),
            author: self.text(Tag::Artist),
            accuracy_m: self
                .value(Tag::GPSHPositioningError)
                .and_then(|value| component(value, 0))
                .filter(|&metres| metres > 0.0),
            method: self.value(Tag::GPSProcessingMethod).and_then(method),
            problems: self.damage.clone().map(Problem::Damaged).into_iter().collect(),
            ..Tags::default()
        };
        self.position(&mut tags);
        self.time(&mut tags);
        tags
    }

    /// The value of a tag. Times and others of EXIF's own may stand in the first directory, as in
    /// TIFF/EP and as some programs leave them.
    fn value(&self, tag: Tag) -> Option<&Value> {
        let field = |tag| self.exif.get_field(tag, In::PRIMARY);
        let moved = || match tag.context() {
            Context::Exif => field(Tag(Context::Tiff, tag.number())),
            _ => None,
        };
        field(tag).or_else(moved).map(|field| &field.value)
    }

    fn text(&self, tag: Tag) -> Option<String> {
        self.value(tag).and_then(text)
    }

    fn position(&self, tags: &mut Tags) {
        let coordinates = match (self.value(Tag::GPSLatitude), self.value(Tag::GPSLongitude)) {
            (None, None) => return,
            (Some(lat), Some(lng)) => self
                .coordinate(lat, Tag::GPSLatitudeRef, ['N', 'S'])
                .and_then(|lat| Ok((lat, self.coordinate(lng, Tag::GPSLongitudeRef, ['E', 'W'])?))),
            _ => Err(Problem::Coordinates),
        };
        match coordinates {
            Ok((lat, lng)) => tags.set_position(lat, lng),
            Err(problem) => tags.problems.push(problem),
        }
    }

    /// Signed degrees of one coordinate. The hemisphere stands in its own tag, or within the
    /// text where a writer stored text.
    fn coordinate(&self, value: &Value, tag: Tag, letters: [char; 2]) -> Result<f64, Problem> {
        let (degrees, own) = match value {
            Value::Ascii(_) => text(value).and_then(|text| degrees_of_text(&text, letters)),
            _ => degrees_of(value).map(|degrees| (degrees, None)),
        }
        .ok_or(Problem::Coordinates)?;
        let beside = self.value(tag).and_then(reference).and_then(|text| letter(&text, letters));
        match signed(degrees, own, beside, letters)? {
            Some(degrees) => Ok(degrees),
            // No fix at all: zeros without references.
            None if degrees == 0.0 => Ok(0.0),
            None => Err(Problem::NoHemisphere),
        }
    }

    /// Capture time: when the shutter was released, else when the picture was digitised. The
    /// time of the last change is no capture time.
    fn time(&self, tags: &mut Tags) {
        let pairs = [
            (Tag::DateTimeOriginal, Tag::OffsetTimeOriginal),
            (Tag::DateTimeDigitized, Tag::OffsetTimeDigitized),
        ];
        for (at, offset) in pairs {
            let Some(at) = self.text(at) else { continue };
            let offset = self.text(offset).or_else(|| self.text(Tag::OffsetTime));
            tags.set_time(&at, offset.as_deref());
            if tags.time.is_some() {
                return;
            }
        }
    }
}

/// Some writers chain a directory behind that of EXIF or GPS, where none belongs: every field has
/// been read, and a note on each of their photos would hide the notes that matter.
fn is_harmless(error: &exif::Error) -> bool {
    matches!(error, exif::Error::InvalidFormat("Unexpected next IFD"))
}

/// One to three components: degrees, minutes, seconds. Components that are missing at the end,
/// or 0/0 as some writers leave them, are zero; anything else over zero is nonsense.
fn degrees_of(value: &Value) -> Option<f64> {
    let ratios: Vec<(i64, i64)> = match value {
        Value::Rational(v) => v.iter().map(|r| (i64::from(r.num), i64::from(r.denom))).collect(),
        Value::SRational(v) => v.iter().map(|r| (i64::from(r.num), i64::from(r.denom))).collect(),
        _ => {
            let part = |at| component(value, at).unwrap_or(0.0);
            return degrees(component(value, 0)?, part(1), part(2));
        }
    };
    let empty = |ratio: &(i64, i64)| *ratio == (0, 0);
    let stated = ratios.iter().take(3).rposition(|ratio| !empty(ratio))? + 1;
    let mut parts = [0.0; 3];
    for (part, &(over, under)) in parts.iter_mut().zip(&ratios[..stated]) {
        if under == 0 {
            return None;
        }
        *part = over as f64 / under as f64;
    }
    degrees(parts[0], parts[1], parts[2])
}

fn component(value: &Value, at: usize) -> Option<f64> {
    let number = match value {
        Value::Rational(v) => v.get(at)?.to_f64(),
        Value::SRational(v) => v.get(at)?.to_f64(),
        Value::Double(v) => *v.get(at)?,
        Value::Float(v) => f64::from(*v.get(at)?),
        Value::Ascii(_) => text(value)?.parse().ok()?,
        Value::SByte(v) => f64::from(*v.get(at)?),
        Value::SShort(v) => f64::from(*v.get(at)?),
        Value::SLong(v) => f64::from(*v.get(at)?),
        _ => f64::from(value.get_uint(at)?),
    };
    number.is_finite().then_some(number)
}

/// Text without padding; `None` where nothing is left.
fn text(value: &Value) -> Option<String> {
    let Value::Ascii(lines) = value else { return None };
    clean(lines.first()?)
}

/// A hemisphere's letter, which some writers store as a byte.
fn reference(value: &Value) -> Option<String> {
    match value {
        Value::Byte(bytes) | Value::Undefined(bytes, _) => clean(bytes),
        _ => text(value),
    }
}

/// Text behind an eight-byte name of its encoding (Exif 3.0, 4.6.6).
fn method(value: &Value) -> Option<String> {
    match value {
        Value::Undefined(bytes, _) => clean(bytes.strip_prefix(b"ASCII\0\0\0")?),
        _ => text(value),
    }
}

fn clean(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

use planet_geo::LatLng;

use super::{estimate, note::Problem};
use crate::time::{StatedTime, is_partial};

/// The metadata of a photo in one place, an EXIF block or an XMP packet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tags {
    pub(super) position: Option<LatLng>,
    pub(super) accuracy_m: Option<f64>,
    pub(super) method: Option<String>,
    /// Whether a keyword marks the position as an estimate.
    pub(super) estimated: bool,
    pub(super) time: Option<String>,
    pub(super) camera: Option<String>,
    pub(super) author: Option<String>,
    pub(super) problems: Vec<Problem>,
}

impl Tags {
    /// Whether the position is marked as an estimate.
    pub(super) fn is_estimate(&self) -> bool {
        self.estimated || self.method.as_deref().is_some_and(estimate::is_estimate_method)
    }

    /// Takes two coordinates in degrees, if there is such a place and it is not the null island.
    pub(super) fn set_position(&mut self, lat: f64, lng: f64) {
        if lat == 0.0 && lng == 0.0 {
            self.problems.push(Problem::NullIsland);
            return;
        }
        match LatLng::new(lat, lng) {
            Ok(position) if lng.abs() <= 180.0 => self.position = Some(position),
            _ => self.problems.push(Problem::OffEarth { lat, lng }),
        }
    }
}

impl Tags {
    /// Takes a capture time as its source writes it, with an offset that stands in a field of its
    /// own. What is no time is noted, unless it is the source's way of saying unknown.
    pub(super) fn set_time(&mut self, text: &str, offset: Option<&str>) {
        match StatedTime::read(text, offset) {
            Some(stated) => {
                self.time = Some(stated.text);
                self.problems.extend(stated.refused_offset.map(Problem::Offset));
            }
            None if is_partial(text) => self.problems.push(Problem::NoDay(text.to_owned())),
            // Zeros or blanks alone.
            None if !text.contains(|c: char| c.is_alphanumeric() && c != '0') => {}
            None => self.problems.push(Problem::Time(text.to_owned())),
        }
    }
}

/// The first letter of a hemisphere's name, if it is one of the two: `S`, `south`.
pub(super) fn letter(text: &str, letters: [char; 2]) -> Option<char> {
    let first = text.trim().chars().next()?.to_ascii_uppercase();
    letters.contains(&first).then_some(first)
}

/// Degrees with the sign of their hemisphere, which stands within the value (`own`) or beside it;
/// `None` where it stands in neither. The second letter is the negative one.
pub(super) fn signed(
    degrees: f64,
    own: Option<char>,
    beside: Option<char>,
    letters: [char; 2],
) -> Result<Option<f64>, Problem> {
    if own.is_some() && beside.is_some() && own != beside {
        return Err(Problem::Contradiction);
    }
    match own.or(beside) {
        Some(letter) if letter == letters[1] => Ok(Some(-degrees.abs())),
        Some(_) if degrees < 0.0 => Err(Problem::Contradiction),
        Some(_) => Ok(Some(degrees)),
        None => Ok(None),
    }
}

/// Degrees, minutes, seconds as one number, where they are in range.
pub(super) fn degrees(whole: f64, minutes: f64, seconds: f64) -> Option<f64> {
    let in_range = (0.0..=60.0).contains(&minutes) && (0.0..=60.0).contains(&seconds);
    let rest = minutes / 60.0 + seconds / 3600.0;
    let signed = if whole.is_sign_negative() { whole - rest } else { whole + rest };
    (in_range && signed.is_finite()).then_some(signed)
}

/// Degrees from text: `45.4408`, `-12.3`, `45.4408N`, `37,13.0024N`, `37 deg 13' 0.14" N`. The
/// letter, if there is one of the two, is returned beside the number.
pub(super) fn degrees_of_text(text: &str, letters: [char; 2]) -> Option<(f64, Option<char>)> {
    let text = text.trim().to_ascii_uppercase();
    let letter = [text.chars().next_back()?, text.chars().next()?]
        .into_iter()
        .find(|letter| letters.contains(letter));
    let text = match letter {
        Some(letter) => text.trim_matches(letter),
        None => &text,
    };
    let parts: Vec<&str> = text
        .split(|c: char| matches!(c, ',' | '°' | '\'' | '"' | '′' | '″') || c.is_whitespace())
        .filter(|part| !part.is_empty() && *part != "DEG")
        .collect();
    let number = |at: usize| match parts.get(at) {
        Some(part) => part.parse::<f64>().ok().filter(|number| number.is_finite()),
        None => (at > 0).then_some(0.0),
    };
    if parts.len() > 3 {
        return None;
    }
    Some((degrees(number(0)?, number(1)?, number(2)?)?, letter))
}

/// `Canon EOS 5D`, not `Canon Canon EOS 5D`.
pub(super) fn camera(make: Option<String>, model: Option<String>) -> Option<String> {
    match (make, model) {
        (Some(make), Some(model)) => {
            let first = make.split_whitespace().next().unwrap_or_default().to_lowercase();
            let named = model.to_lowercase().starts_with(&first);
            Some(if named { model } else { format!("{make} {model}") })
        }
        (make, model) => model.or(make),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_read_from_every_way_of_writing_them() {
        let north = |text| degrees_of_text(text, ['N', 'S']);
        assert_eq!(north("45.4408"), Some((45.4408, None)));
        assert_eq!(north("-33.5"), Some((-33.5, None)));
        assert_eq!(north("33.5 S"), Some((33.5, Some('S'))));
        assert_eq!(north("37,30N"), Some((37.5, Some('N'))));
        assert_eq!(north("37,30,36N"), Some((37.51, Some('N'))));
        assert_eq!(north("37 deg 30' 36\" n"), Some((37.51, Some('N'))));
        assert_eq!(north("N 37°30′"), Some((37.5, Some('N'))));
        for nonsense in ["", "N", "north", "37,61N", "1,2,3,4N", "nan", "37,-5N", "1e999"] {
            assert_eq!(north(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_sign_and_a_hemisphere_that_contradict_each_other_are_refused() {
        let read = |degrees, own, beside| signed(degrees, own, beside, ['N', 'S']);
        assert_eq!(read(33.5, None, Some('S')), Ok(Some(-33.5)));
        assert_eq!(read(-33.5, None, Some('S')), Ok(Some(-33.5)));
        assert_eq!(read(-33.5, Some('S'), Some('S')), Ok(Some(-33.5)));
        assert_eq!(read(33.5, None, None), Ok(None));
        assert_eq!(read(-33.5, None, Some('N')), Err(Problem::Contradiction));
        assert_eq!(read(-33.5, Some('N'), None), Err(Problem::Contradiction));
        assert_eq!(read(33.5, Some('N'), Some('S')), Err(Problem::Contradiction));
        assert_eq!(letter("south", ['N', 'S']), Some('S'));
        assert_eq!(letter("unknown", ['N', 'S']), None);
    }

    #[test]
    fn a_camera_is_named_once() {
        let name = |make: &str, model: &str| camera(Some(make.into()), Some(model.into()));
        assert_eq!(name("Canon", "Canon EOS 5D").as_deref(), Some("Canon EOS 5D"));
        assert_eq!(name("NIKON CORPORATION", "NIKON D70").as_deref(), Some("NIKON D70"));
        assert_eq!(name("Apple", "iPhone 5").as_deref(), Some("Apple iPhone 5"));
    }
}

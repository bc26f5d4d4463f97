//! Google Takeout: the facts that it writes in JSON beside each photo.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Deserialize;

use super::{note::Problem, tags::Tags};

/// Characters of a sidecar's name before `.json`; Takeout clips what is longer.
const LONGEST: usize = 46;

/// What newer exports write behind the photo's name.
const SUFFIX: &str = ".supplemental-metadata";

/// What Google Photos writes behind the name of an edited copy, by the owner's language. The copy
/// has no sidecar; that of the original describes it.
const EDITED: [&str; 20] = [
    "-edited",
    "-effects",
    "-bearbeitet",
    "-modifié",
    "-editado",
    "-ha editado",
    "-editada",
    "-editat",
    "-modificato",
    "-bewerkt",
    "-edytowane",
    "-redigerad",
    "-redigeret",
    "-redigert",
    "-muokattu",
    "-upraveno",
    "-szerkesztett",
    "-düzenlendi",
    "-编辑",
    "-編集済み",
];

/// A sidecar, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sidecar {
    photo_taken_time: Option<Time>,
    /// As the camera wrote it.
    geo_data_exif: Option<Place>,
    /// As the owner corrected it, or as Google found it.
    geo_data: Option<Place>,
}

/// Seconds since 1970 in UTC, as text.
#[derive(Deserialize)]
struct Time {
    timestamp: String,
}

#[derive(Deserialize)]
struct Place {
    latitude: f64,
    longitude: f64,
}

impl Place {
    /// Takeout writes zeros where it knows nothing.
    fn is_stated(&self) -> bool {
        self.latitude != 0.0 || self.longitude != 0.0
    }
}

/// Reads a sidecar; nothing of JSON that another program wrote.
pub(super) fn read(json: &[u8]) -> Tags {
    let mut tags = Tags::default();
    let sidecar: Sidecar = match serde_json::from_slice(json) {
        Ok(sidecar) => sidecar,
        // JSON of another form is another program's.
        Err(error) if error.is_data() => return tags,
        Err(error) => {
            tags.problems.push(Problem::Damaged(error.to_string()));
            return tags;
        }
    };
    let places = [sidecar.geo_data_exif, sidecar.geo_data].into_iter().flatten();
    if let Some(place) = places.into_iter().find(Place::is_stated) {
        tags.set_position(place.latitude, place.longitude);
    }
    if let Some(Time { timestamp }) = sidecar.photo_taken_time {
        match timestamp.trim().parse().ok().and_then(|it| Timestamp::from_second(it).ok()) {
            // Takeout writes zero where it knows no time.
            Some(time) if time.as_second() == 0 => {}
            Some(time) => tags.set_time(&time.to_string(), None),
            None => tags.problems.push(Problem::Time(timestamp)),
        }
    }
    tags
}

/// Where the sidecar of a photo may lie, the likeliest first.
///
/// The photo's whole name is followed by `.supplemental-metadata` in newer exports and by nothing
/// in older ones, clipped to 46 characters; a number that tells photos of one name apart moves
/// from the photo's stem (`a(1).jpg`) to behind that (`a.jpg(1).json`). An edited copy has its
/// original's.
pub(crate) fn sidecars(photo: &Path) -> Vec<PathBuf> {
    let Some(name) = photo.file_name().and_then(OsStr::to_str) else { return Vec::new() };
    let mut names = names(name);
    if let Some(original) = original(name) {
        names.extend(self::names(&original));
    }
    names.into_iter().map(|name| photo.with_file_name(name)).collect()
}

fn names(photo: &str) -> Vec<String> {
    let (bare, number) = numbered(photo);
    let mut names = Vec::new();
    let mut add = |photo: &str, number: &str| {
        for suffix in [SUFFIX, ""] {
            let clipped: String = photo.chars().chain(suffix.chars()).take(LONGEST).collect();
            let name = format!("{clipped}{number}.json");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    };
    add(&bare, number);
    // A photo may have such a number in its own name.
    add(photo, "");
    names
}

/// `a(1).jpg` as `a.jpg` and `(1)`.
fn numbered(photo: &str) -> (String, &str) {
    let (stem, ending) = split(photo);
    let number = stem.strip_suffix(')').and_then(|rest| {
        let at = rest.rfind('(')?;
        let digits = &rest[at + 1..];
        let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
        is_number.then(|| &stem[at..])
    });
    let number = number.unwrap_or_default();
    (format!("{}{ending}", &stem[..stem.len() - number.len()]), number)
}

/// `a-edited(1).jpg` as `a(1).jpg`; `None` where it is no edited copy.
fn original(photo: &str) -> Option<String> {
    let (bare, number) = numbered(photo);
    let (stem, ending) = split(&bare);
    let original = EDITED.iter().find_map(|edited| stem.strip_suffix(edited))?;
    (!original.is_empty()).then(|| format!("{original}{number}{ending}"))
}

/// A name's stem and its ending with the full stop.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').unwrap_or(name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(photo: &str, sidecar: &str) -> bool {
        sidecars(&Path::new("d").join(photo)).contains(&Path::new("d").join(sidecar))
    }

    #[test]
    fn sidecars_are_found_under_every_name_that_takeout_gives_them() {
        let cases = [
            ("a.jpg", "a.jpg.json"),
            ("a.jpg", "a.jpg.supplemental-metadata.json"),
            ("a(1).jpg", "a.jpg(1).json"),
            ("a(1).jpg", "a.jpg.supplemental-metadata(1).json"),
            ("a(1).jpg", "a(1).jpg.json"),
            ("a-edited.jpg", "a.jpg.json"),
            ("a-bearbeitet(2).jpg", "a.jpg.supplemental-metadata(2).json"),
            ("a-編集済み.jpg", "a.jpg.json"),
            // 46 characters before `.json`.
            (
                "PXL_20230101_120000000.PORTRAIT.jpg",
                "PXL_20230101_120000000.PORTRAIT.jpg.supplement.json",
            ),
            (
                "IMG_20230101_a_name_that_is_much_too_long_for_it.jpg",
                "IMG_20230101_a_name_that_is_much_too_long_for_.json",
            ),
            (
                "PXL_20230101_120000000.PORTRAIT(1).jpg",
                "PXL_20230101_120000000.PORTRAIT.jpg.supplement(1).json",
            ),
        ];
        for (photo, sidecar) in cases {
            assert!(
                is_found(photo, sidecar),
                "{sidecar} of {photo}: {:?}",
                sidecars(Path::new(photo))
            );
        }
        for (photo, other) in [("a.jpg", "a.jpg(1).json"), ("b-edited.jpg", "a.jpg.json")] {
            assert!(!is_found(photo, other), "{other} of {photo}");
        }
        assert!(!is_found("-edited.jpg", ".jpg.json"));
    }

    #[test]
    fn the_cameras_position_goes_before_googles_and_zeros_are_none() {
        let of = |exif: &str, own: &str| {
            let json = format!(
                r#"{{"title": "a.jpg", "geoDataExif": {exif}, "geoData": {own},
                    "photoTakenTime": {{"timestamp": "1563120202", "formatted": "14.07.2019"}}}}"#
            );
            let tags = read(json.as_bytes());
            assert_eq!(tags.time.as_deref(), Some("2019-07-14T16:03:22Z"));
            assert_eq!(tags.problems, []);
            tags.position.map(|it| it.lat())
        };
        let place = |lat: f64| format!(r#"{{"latitude": {lat:.1}, "longitude": 0.0}}"#);
        assert_eq!(of(&place(45.0), &place(46.0)), Some(45.0));
        assert_eq!(of(&place(0.0), &place(46.0)), Some(46.0));
        assert_eq!(of(&place(0.0), &place(0.0)), None);
    }

    #[test]
    fn damage_is_named_and_the_json_of_other_programs_is_passed_over() {
        assert!(matches!(read(b"{\"geoData\": {").problems[..], [Problem::Damaged(_)]));
        for other in [&b"[]"[..], b"3", b"{\"geoData\": 5}", b"{}"] {
            assert_eq!(read(other), Tags::default());
        }
        let odd = read(br#"{"photoTakenTime": {"timestamp": "soon"}}"#);
        assert_eq!(odd.problems, [Problem::Time("soon".to_owned())]);
        let far = read(br#"{"geoData": {"latitude": 95.0, "longitude": 1.0}}"#);
        assert!(matches!(far.problems[..], [Problem::OffEarth { .. }]));
    }
}

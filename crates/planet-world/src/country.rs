use planet_geo::LatLng;

use crate::cue::{DrivingSide, Script};

/// Countries and territories that drive on the left (ISO 3166-1 alpha-2), as of 2026.
const LEFT: &[&str] = &[
    "AG", "AI", "AU", "BB", "BD", "BM", "BN", "BS", "BT", "BW", "CC", "CK", "CX", "CY", "DM", "FJ",
    "FK", "GB", "GD", "GG", "GS", "GY", "HK", "ID", "IE", "IM", "IN", "IO", "JE", "JM", "JP", "KE",
    "KI", "KN", "KY", "LC", "LK", "LS", "MO", "MS", "MT", "MU", "MV", "MW", "MY", "MZ", "NA", "NF",
    "NP", "NR", "NU", "NZ", "PG", "PK", "PN", "SB", "SC", "SG", "SH", "SR", "SZ", "TC", "TH", "TK",
    "TL", "TO", "TT", "TV", "TZ", "UG", "VC", "VG", "VI", "WS", "ZA", "ZM", "ZW",
];

/// The side of the road that a country drives on.
pub(crate) fn driving_side(country: &str) -> DrivingSide {
    if LEFT.contains(&country) { DrivingSide::Left } else { DrivingSide::Right }
}

/// The script that most signs of a place are in, besides Latin.
pub(crate) fn script(country: &str, position: LatLng) -> Script {
    match country {
        "RU" | "BY" | "UA" | "BG" | "RS" | "MK" | "MN" | "KZ" | "KG" | "TJ" => Script::Cyrillic,
        "GR" | "CY" => Script::Greek,
        "DZ" | "BH" | "EG" | "IQ" | "IR" | "JO" | "KW" | "LB" | "LY" | "MA" | "MR" | "MV"
        | "OM" | "PK" | "AF" | "PS" | "QA" | "SA" | "SD" | "SY" | "TN" | "AE" | "YE" | "EH" => {
            Script::Arabic
        }
        "IL" => Script::Hebrew,
        "IN" if is_southern_india(position) => Script::Southern,
        "IN" | "NP" | "BD" | "BT" => Script::Devanagari,
        "LK" | "MM" | "KH" => Script::Southern,
        "TH" | "LA" => Script::Thai,
        "CN" | "TW" | "HK" | "MO" => Script::Han,
        "JP" => Script::Kana,
        "KR" | "KP" => Script::Hangul,
        "ET" | "ER" => Script::Ethiopic,
        "GE" | "AM" => Script::Caucasian,
        _ => Script::Latin,
    }
}

/// South of the lands of Marathi and Hindi, roughly.
fn is_southern_india(position: LatLng) -> bool {
    position.lat() < 15.5 || (position.lat() < 19.0 && position.lng() > 76.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_countries_drive_on_the_side_that_they_drive_on() {
        for left in ["GB", "JP", "AU", "IN", "ZA", "TH", "KE", "NZ", "ID", "CY", "MT", "HK"] {
            assert_eq!(driving_side(left), DrivingSide::Left, "{left}");
        }
        for right in ["FR", "US", "CN", "BR", "DE", "EG", "RU", "MM", "KR", "AR", "RW", "GI"] {
            assert_eq!(driving_side(right), DrivingSide::Right, "{right}");
        }
    }

    #[test]
    fn known_countries_write_as_they_write() {
        let at = |lat, lng| LatLng::new(lat, lng).expect("a position of this test");
        for (country, lat, lng, expected) in [
            ("RU", 55.8, 37.6, Script::Cyrillic),
            ("GR", 38.0, 23.7, Script::Greek),
            ("EG", 30.0, 31.2, Script::Arabic),
            ("IL", 32.1, 34.8, Script::Hebrew),
            ("IN", 28.6, 77.2, Script::Devanagari),
            ("IN", 13.1, 80.3, Script::Southern),
            ("IN", 19.1, 72.9, Script::Devanagari),
            ("TH", 13.8, 100.5, Script::Thai),
            ("CN", 39.9, 116.4, Script::Han),
            ("JP", 35.7, 139.7, Script::Kana),
            ("KR", 37.6, 127.0, Script::Hangul),
            ("ET", 9.0, 38.7, Script::Ethiopic),
            ("GE", 41.7, 44.8, Script::Caucasian),
            ("VN", 21.0, 105.8, Script::Latin),
            ("TR", 41.0, 29.0, Script::Latin),
            ("FR", 48.9, 2.4, Script::Latin),
        ] {
            assert_eq!(script(country, at(lat, lng)), expected, "{country}");
        }
    }
}

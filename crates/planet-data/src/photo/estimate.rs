//! Positions that a program estimated, and how they are marked.

/// Whether a `GPSProcessingMethod` says that the position is an estimate, as PlaNet writes it
/// (`PlaNet estimate (city)`). EXIF's own methods (GPS, CELLID, WLAN, MANUAL) are measurements.
pub(super) fn is_estimate_method(method: &str) -> bool {
    let method = method.to_ascii_lowercase();
    method.contains("planet") || method.contains("estimate")
}

/// Whether a keyword marks the position as an estimate: `Location/Estimated`,
/// `Location|Estimated`, `location estimated`, `estimated-location`.
pub(super) fn is_estimate_keyword(keyword: &str) -> bool {
    let keyword = keyword.to_ascii_lowercase();
    let mut words: Vec<&str> =
        keyword.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    let subject = |word: &str| matches!(word, "location" | "position" | "gps" | "geotag");
    let [a, b] = words[..] else { return false };
    let marks = |word: &str| matches!(word, "estimated" | "estimate");
    (marks(a) && subject(b)) || (subject(a) && marks(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_estimates_are_told_from_methods_of_measurement_and_from_other_keywords() {
        assert!(is_estimate_method("PlaNet estimate (city)"));
        assert!(is_estimate_method("ESTIMATED"));
        for method in ["GPS", "CELLID", "WLAN", "MANUAL", "fused"] {
            assert!(!is_estimate_method(method), "{method}");
        }
        for keyword in
            ["Location/Estimated", "Location|Estimated", "location estimated", "Estimated-Position"]
        {
            assert!(is_estimate_keyword(keyword), "{keyword}");
        }
        for keyword in ["Location", "Estimated", "Real estate", "Location/Rome", "Estimated Age"] {
            assert!(!is_estimate_keyword(keyword), "{keyword}");
        }
    }
}

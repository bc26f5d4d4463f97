use std::str::FromStr;

use serde::Serialize;

/// A test set on which results were published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownSet {
    /// The 237 photos of Hays and Efros 2008.
    Im2gps,
    /// The 2,997 photos of Vo, Jacobs and Hays 2017.
    Im2gps3k,
    /// The 4,536 photos of Vo, Jacobs and Hays 2017, drawn from YFCC100M.
    Yfcc4k,
}

/// A published result: percent of photos located within 1, 25, 200, 750 and 2500 km.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Published {
    /// The system.
    pub system: &'static str,
    /// Who published it, and when.
    pub source: &'static str,
    /// Percent within the five scales.
    pub percent: [f64; 5],
}

const fn row(system: &'static str, source: &'static str, percent: [f64; 5]) -> Published {
    Published { system, source, percent }
}

const IM2GPS: [Published; 8] = [
    row("Im2GPS", "Hays and Efros 2014", [2.5, 21.9, 32.1, 35.4, 51.9]),
    row("PlaNet, 6.2 M photos", "Weyand et al. 2016", [6.3, 18.1, 30.0, 45.6, 65.8]),
    row("PlaNet", "Weyand et al. 2016", [8.4, 24.5, 37.6, 53.6, 71.3]),
    row("PlaNet, later version", "Howard et al. 2017", [11.0, 31.7, 51.1, 64.0, 77.6]),
    row("PlaNet on MobileNet", "Howard et al. 2017", [11.4, 31.7, 45.2, 60.3, 79.3]),
    row("CPlaNet", "Seo et al. 2018", [16.5, 37.1, 46.4, 62.0, 78.5]),
    row("ISNs", "Müller-Budack et al. 2018", [16.9, 43.0, 51.9, 66.7, 80.2]),
    row("TransLocator", "Pramanick et al. 2022", [19.9, 48.1, 64.6, 75.6, 86.7]),
];

const IM2GPS3K: [Published; 6] = [
    row("PlaNet", "Seo et al. 2018", [8.5, 24.8, 34.3, 48.4, 64.6]),
    row("ISNs", "Müller-Budack et al. 2018", [10.5, 28.0, 36.6, 49.7, 66.0]),
    row("GeoCLIP", "Vivanco Cepeda et al. 2023", [14.1, 34.5, 50.7, 69.7, 83.8]),
    row("PIGEOTTO", "Haas et al. 2024", [11.3, 36.7, 53.8, 72.4, 85.3]),
    row("G3", "Jia et al. 2024", [16.7, 40.9, 55.6, 71.2, 84.7]),
    row("GeoRanker", "Jia et al. 2025", [18.8, 45.1, 61.5, 76.3, 89.3]),
];

const YFCC4K: [Published; 4] = [
    row("PlaNet", "Seo et al. 2018", [5.6, 14.3, 22.2, 36.4, 55.8]),
    row("CPlaNet", "Seo et al. 2018", [7.9, 14.8, 21.9, 36.4, 55.5]),
    row("GeoCLIP", "Vivanco Cepeda et al. 2023", [9.6, 19.3, 32.6, 55.0, 74.7]),
    row("GeoRanker", "Jia et al. 2025", [32.9, 43.5, 54.3, 69.8, 82.5]),
];

/// What was published on a test set, the oldest first.
pub fn published(set: KnownSet) -> &'static [Published] {
    match set {
        KnownSet::Im2gps => &IM2GPS,
        KnownSet::Im2gps3k => &IM2GPS3K,
        KnownSet::Yfcc4k => &YFCC4K,
    }
}

impl KnownSet {
    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Im2gps => "Im2GPS",
            Self::Im2gps3k => "Im2GPS3k",
            Self::Yfcc4k => "YFCC4k",
        }
    }
}

impl FromStr for KnownSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Im2gps, Self::Im2gps3k, Self::Yfcc4k];
        let found = all.into_iter().find(|set| set.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("'{text}' is not one of im2gps, im2gps3k, yfcc4k"))
    }
}

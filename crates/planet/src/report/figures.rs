use planet_geo::Scale;

use super::Reference;
use crate::{
    evaluation::{Match, Score},
    map::{Colour, ColourScale, Region, WorldMap},
    plot::{COLOURS, Curve, LineChart},
};

/// The axis of distance: from a tenth of a kilometre to half the earth's circumference.
const NEAREST: f64 = 0.1;
const FARTHEST: f64 = 20_038.0;

/// The share of photos within each distance, as in the paper's figure of its Flickr photos: one
/// curve for the best of the first 1 to 5 answers, with the first one's 95 % band.
pub(super) fn error_curve(score: &Score, references: &[Reference]) -> LineChart {
    let places = || score.curve_km.iter().enumerate().filter(|(_, km)| **km >= NEAREST);
    let colours = COLOURS.iter().cycle();
    let mut curves: Vec<Curve> = score
        .curves
        .iter()
        .zip(colours)
        .enumerate()
        .map(|(k, (shares, colour))| Curve {
            name: if k == 0 { "first answer".to_owned() } else { format!("best of {}", k + 1) },
            colour,
            dashed: false,
            points: places().map(|(at, km)| [*km, 100.0 * shares[at]]).collect(),
            band: match k {
                0 => places()
                    .filter_map(|(at, km)| {
                        let interval = score.curve_interval.get(at)?;
                        Some([*km, 100.0 * interval.low, 100.0 * interval.high])
                    })
                    .collect(),
                _ => Vec::new(),
            },
        })
        .collect();
    // Best of two to five where they say nothing new: other systems state one answer.
    curves.dedup_by(|later, earlier| later.points == earlier.points);
    for (reference, colour) in references.iter().zip(["#888888", "currentColor", "#aa7744"]) {
        let points = Scale::ALL.iter().zip(reference.within);
        curves.push(Curve {
            name: reference.name.clone(),
            colour,
            dashed: true,
            points: points.map(|(scale, share)| [scale.radius().km(), 100.0 * share]).collect(),
            band: Vec::new(),
        });
    }
    by_distance("% of photos within", curves)
}

/// The share of rounds within each distance for people and model, as in the paper's figure.
pub fn match_figure(result: &Match) -> LineChart {
    let steps = (0..=160).map(|step| NEAREST * (FARTHEST / NEAREST).powf(f64::from(step) / 160.0));
    let steps: Vec<f64> = steps.collect();
    let curve = |name: &str, colour, side: usize| Curve {
        name: name.to_owned(),
        colour,
        dashed: false,
        points: steps.iter().map(|km| [*km, 100.0 * result.within(*km)[side]]).collect(),
        band: Vec::new(),
    };
    let curves = vec![curve("PlaNet", COLOURS[0], 0), curve("people", COLOURS[1], 1)];
    by_distance("% of rounds within", curves)
}

fn by_distance(y_label: &str, curves: Vec<Curve>) -> LineChart {
    let tick = |scale: Scale| (scale.radius().km(), scale.radius().km().to_string());
    LineChart {
        x_label: "distance from the true position in km: street, city, region, country, continent"
            .to_owned(),
        y_label: y_label.to_owned(),
        logarithmic: true,
        x_range: [NEAREST, FARTHEST],
        y_range: [0.0, 100.0],
        x_ticks: Scale::ALL.map(tick).into(),
        curves,
    }
}

/// What abstaining brings: share of wrong answers against share of photos that are answered.
pub(super) fn risk_coverage(score: &Score) -> Option<LineChart> {
    let last = score.risk_coverage.last()?;
    let chosen = [(1, Scale::City), (2, Scale::Region), (3, Scale::Country)];
    let curve = |((at, scale), colour): ((usize, Scale), &&'static str)| Curve {
        name: format!("error above {} km ({})", scale.radius().km(), scale.name()),
        colour,
        dashed: false,
        points: score
            .risk_coverage
            .iter()
            .map(|point| [100.0 * point.coverage, 100.0 * point.risk[at]])
            .collect(),
        band: Vec::new(),
    };
    let whole = 100.0 * last.coverage;
    Some(LineChart {
        x_label: "% of photos answered, most confident first".to_owned(),
        y_label: "% of answers".to_owned(),
        logarithmic: false,
        x_range: [0.0, whole.max(1.0)],
        y_range: [0.0, 100.0],
        x_ticks: (0..=4)
            .map(|at| whole * f64::from(at) / 4.0)
            .map(|x| (x, format!("{x:.0}")))
            .collect(),
        curves: chosen.into_iter().zip(&COLOURS).map(curve).collect(),
    })
}

/// Where photos were taken, coloured by how far off the answer was.
pub(super) fn error_map(places: &[(planet_geo::LatLng, f64)]) -> WorldMap {
    let scale = ColourScale::logarithmic(1.0, FARTHEST);
    let mut map = WorldMap::new(Region::WORLD).width(1200);
    let radius = if places.len() > 2000 { 1.5 } else { 3.0 };
    // Far errors lie below, so that places where some photos are right are seen.
    let mut places: Vec<_> = places.iter().collect();
    places.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (truth, km) in places {
        let colour: Colour = scale.colour(km.clamp(1.0, FARTHEST));
        map.point(*truth, radius, colour);
    }
    map.legend("error, km", &scale);
    map
}

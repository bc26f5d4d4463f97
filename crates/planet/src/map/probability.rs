use std::collections::HashMap;

use planet_geo::{CellId, LatLng, Partition};

use super::{Colour, ColourScale, Region, WorldMap};
use crate::{CellProbabilities, PredictedRegion};

/// Where a photo was really taken.
const TRUTH: Colour = Colour::new(20, 90, 200);
/// The best guess.
const BEST: Colour = Colour::new(10, 10, 10);
/// The edge of a region.
const EDGE: Colour = Colour::new(0, 130, 90);
/// Width of this edge in pixels.
const EDGE_WIDTH: f64 = 1.5;
/// Probabilities below this share of the greatest are not drawn.
const LEAST: f64 = 1e-3;

/// The probability of one photo over the globe, as in the paper's figure 3: cells shaded by the
/// logarithm of their probability, the best class's point, and the truth where it is known.
pub fn probability_map(
    partition: &Partition,
    probabilities: &CellProbabilities,
    truth: Option<LatLng>,
    region: Region,
) -> WorldMap {
    let greatest = probabilities.values().iter().copied().fold(0.0, f32::max);
    let greatest = f64::from(greatest).max(f64::MIN_POSITIVE);
    let scale = ColourScale::logarithmic(greatest * LEAST, greatest);
    let mut map = WorldMap::new(region);
    for (class, probability) in partition.classes().iter().zip(probabilities.values()) {
        let probability = f64::from(*probability);
        if probability < greatest * LEAST {
            continue;
        }
        let colour = scale.colour(probability);
        for cell in class.cells() {
            map.cell(*cell, colour);
        }
        if let (true, Some(point)) = (class.cells().is_empty(), class.mean) {
            map.point(point, 2.0, colour);
        }
    }
    let best = probabilities.top(1).first().and_then(|(class, _)| partition.point(*class));
    if let Some(best) = best {
        map.point(best, 4.0, BEST);
        map.key("best answer", BEST);
    }
    if let Some(truth) = truth {
        map.point(truth, 5.0, TRUTH);
        map.key("recorded position", TRUTH);
    }
    map.legend("probability", &scale);
    map
}

/// Draws the outline of a region's cells: the edges that only one of them has. Where cells of different size meet,
/// their edges are drawn.
pub fn outline_region(map: &mut WorldMap, region: &PredictedRegion) {
    let cells = region.cells.iter().filter_map(|token| token.parse::<CellId>().ok());
    let edges = cells.flat_map(|cell| {
        let corners = cell.corners();
        (0..4).map(move |at| [corners[at], corners[(at + 1) % 4]])
    });
    // Neighbours share corners but for rounding.
    let key =
        |corner: LatLng| [corner.lat(), corner.lng()].map(|degrees| (degrees * 1e7).round() as i64);
    let mut counts: HashMap<[[i64; 2]; 2], (usize, [LatLng; 2])> = HashMap::new();
    for edge in edges {
        let mut ends = edge.map(key);
        ends.sort_unstable();
        counts.entry(ends).or_insert((0, edge)).0 += 1;
    }
    let mut outline: Vec<_> = counts.into_iter().filter(|(_, (count, _))| *count == 1).collect();
    outline.sort_unstable_by_key(|(ends, _)| *ends);
    for (_, (_, [from, to])) in outline {
        map.line(from, to, EDGE_WIDTH, EDGE);
    }
    map.key(format!("region for {:.0} % of photos", 100.0 * region.share), EDGE);
}

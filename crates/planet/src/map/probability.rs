use planet_geo::{LatLng, Partition};

use super::{Colour, ColourScale, Region, WorldMap};
use crate::CellProbabilities;

/// Where a photo was really taken.
const TRUTH: Colour = Colour::new(20, 90, 200);
/// The best guess.
const BEST: Colour = Colour::new(10, 10, 10);
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

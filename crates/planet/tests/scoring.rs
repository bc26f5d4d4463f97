//! Every figure that needs classes, probabilities or boundaries, on photos few enough to be
//! computed by hand. Distances have a scorer of their own (planet-cli's tests/golden).

use planet::{
    Candidate, Prediction,
    evaluation::{Score, Scorer, ScorerOptions, TruthTable},
};
use planet_data::Gazetteer;
use planet_geo::{CellId, Class, ClassId, ClassKind, LatLng, Level, Partition, PartitionInfo};

const PARIS: [f64; 2] = [48.86, 2.35];
const LYON: [f64; 2] = [45.76, 4.84];
const ROME: [f64; 2] = [41.90, 12.48];
const TOKYO: [f64; 2] = [35.68, 139.77];

fn at([lat, lng]: [f64; 2]) -> LatLng {
    LatLng::new(lat, lng).expect("in range")
}

/// Cells of level 8, 30 to 40 km across, each with its city as the mean of its photos.
fn partition() -> Partition {
    let class = |city| {
        let cell = CellId::containing(at(city), Level::new(8).expect("a level"));
        let kind = ClassKind::Cells(vec![cell]);
        let (mean, centre) = (Some(at(city)), Some(cell.centre()));
        Class { kind, photos: 1, mean, centre, scatter: None }
    };
    let classes = [PARIS, LYON, ROME, TOKYO].map(class).into();
    Partition::new(PartitionInfo::default(), classes).expect("disjoint")
}

/// A photo taken in a city, with the classes that were named and their probabilities.
fn photo(name: &str, truth: [f64; 2], said: &[(u32, f32)]) -> Prediction {
    let partition = partition();
    let candidate = |(class, probability): &(u32, f32)| {
        let class = ClassId(*class);
        let point = partition.point(class).expect("every class has one");
        Candidate { class: Some(class), probability: Some(*probability), ..Candidate::at(point) }
    };
    Prediction {
        photo: name.to_owned(),
        truth: Some(at(truth)),
        candidates: said.iter().map(candidate).collect(),
        ..Prediction::default()
    }
}

/// Ten photos: right at once, right at the second and at the fifth try, wrong, without an answer.
fn score() -> Score {
    let (partition, gazetteer) = (partition(), Gazetteer::new());
    let options = ScorerOptions {
        partition: Some(&partition),
        gazetteer: Some(&gazetteer),
        ..ScorerOptions::default()
    };
    let mut scorer = Scorer::new(TruthTable::growing(), options);
    for prediction in [
        photo("a", PARIS, &[(0, 0.95), (1, 0.05)]),
        photo("b", PARIS, &[(0, 0.95), (1, 0.05)]),
        photo("c", PARIS, &[(1, 0.95), (0, 0.05)]),
        photo("d", LYON, &[(1, 0.55), (0, 0.45)]),
        photo("e", ROME, &[(0, 0.55), (2, 0.45)]),
        photo("f", ROME, &[(0, 0.35), (1, 0.30), (3, 0.20), (0, 0.10), (2, 0.05)]),
        photo("g", TOKYO, &[(0, 0.35), (1, 0.30)]),
        photo("h", TOKYO, &[(3, 0.35), (1, 0.30)]),
        photo("i", TOKYO, &[]),
        photo("j", TOKYO, &[]),
    ] {
        scorer.add(&prediction);
    }
    scorer.finish()
}

fn assert_near(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() < 1e-6, "{what}: {found}, by hand {wanted}");
}

#[test]
fn the_best_of_the_first_guesses_counts_with_all_photos_below() {
    let score = score();
    assert_eq!((score.counts.photos, score.counts.located, score.counts.failed), (10, 8, 2));
    // Right at once: a, b, d, h. At the second try also c and e, at the fifth also f.
    assert_eq!(score.within.iter().map(|k| k[0]).collect::<Vec<_>>(), [0.4, 0.6, 0.6, 0.6, 0.7]);
    // Paris to Lyon is 392 km: c is within 750. Paris to Rome is 1,106 km: e and f are within
    // 2500. Tokyo is far from all.
    assert_eq!(score.within[0], [0.4, 0.4, 0.4, 0.5, 0.7]);
}

#[test]
fn the_right_cell_counts_first_and_among_five() {
    assert_eq!(score().cells, Some([0.4, 0.7]));
}

#[test]
fn a_cells_centre_is_another_answer_than_its_mean() {
    // The centres lie some kilometres from the cities: nobody is within 1 km by them.
    let partition = partition();
    for class in 0..4 {
        let class = partition.class(ClassId(class));
        let (mean, centre) = (class.mean.expect("a mean"), class.centre.expect("a centre"));
        assert!((1.0..25.0).contains(&mean.distance_to(centre).km()));
    }
    assert_eq!(score().within_by_centre, Some([0.0, 0.4, 0.4, 0.5, 0.7]));
}

#[test]
fn countries_and_continents_are_right_by_boundary() {
    let regions = score().regions.expect("boundaries were given");
    // Of eight answers: a, b, c, d are in France and meant to be; h in Japan. e and f are in the
    // wrong country of the right continent.
    assert_eq!((regions.photos, regions.country, regions.continent), (8, 5.0 / 8.0, 7.0 / 8.0));
    let pair = |truth: &str, answer: &str, photos| (truth.to_owned(), answer.to_owned(), photos);
    let wanted =
        [pair("FR", "FR", 4), pair("IT", "FR", 2), pair("JP", "FR", 1), pair("JP", "JP", 1)];
    assert_eq!(regions.confusion, wanted);
}

#[test]
fn the_calibration_error_is_the_mean_gap_between_confidence_and_truth() {
    // Three answers of 0.95, two right; two of 0.55, one right; three of 0.35, one right.
    let gaps = [3.0 * (0.95 - 2.0 / 3.0), 2.0 * (0.55 - 0.5), 3.0 * (0.35 - 1.0 / 3.0)];
    let by_hand = gaps.iter().sum::<f64>() / 8.0;
    assert_near(score().calibration_error.expect("probabilities"), by_hand, "calibration error");
}

#[test]
fn the_surest_answers_are_kept_first_and_their_risk_is_told() {
    let curve = score().risk_coverage;
    let point = |coverage: f64| {
        let found = curve.iter().rfind(|point| (point.coverage - coverage).abs() < 1e-9);
        *found.expect("a point of the curve")
    };
    // The surest three: c is wrong at the city's scale and right at the country's.
    assert_near(point(0.3).risk[1], 1.0 / 3.0, "city, three answers");
    assert_near(point(0.3).risk[3], 0.0, "country, three answers");
    assert_near(point(0.3).confidence, 0.95, "the least sure of three");
    // Five: c and e are wrong; of eight: c, e, f and g.
    assert_near(point(0.5).risk[1], 2.0 / 5.0, "city, five answers");
    assert_near(point(0.8).risk[1], 4.0 / 8.0, "city, all answers");
    // Two photos have no answer, which nobody can choose to keep.
    assert!(curve.iter().all(|point| point.coverage <= 0.8));
}

#[test]
fn the_errors_figures_are_those_of_ten_photos() {
    let score = score();
    // In order: four of 0, 392 km, two of 1,106, 9,710, two without an end.
    let lyon = at(PARIS).distance_to(at(LYON)).km();
    let rome = at(PARIS).distance_to(at(ROME)).km();
    let tokyo = at(PARIS).distance_to(at(TOKYO)).km();
    // Errors are kept as 32-bit numbers.
    let near = |found: Option<f64>, wanted: f64| {
        let found = found.expect("a figure");
        assert!((found - wanted).abs() <= 1e-6 * wanted, "{found}, by hand {wanted}");
    };
    near(score.quartiles_km[0], 0.0);
    near(score.quartiles_km[1], (lyon + rome) / 2.0);
    // Three quarters of the way through ten photos: between the seventh and the eighth.
    near(score.quartiles_km[2], rome + 0.75 * (tokyo - rome));
    near(score.mean_km, (lyon + 2.0 * rome + tokyo) / 8.0);
    let points = |km: f64| 5000.0 * (-km / 1492.7).exp();
    let by_hand = (4.0 * 5000.0 + points(lyon) + 2.0 * points(rome) + points(tokyo)) / 10.0;
    near(Some(score.geoscore), by_hand);
}

#[test]
fn right_cells_have_their_interval_where_no_probability_is_stated_and_none_where_none_is_drawn() {
    let partition = partition();
    let score = |resamples| {
        let partition = Some(&partition);
        let options = ScorerOptions { partition, resamples, ..ScorerOptions::default() };
        let mut scorer = Scorer::new(TruthTable::growing(), options);
        for number in 0..40 {
            let class = if number % 4 == 0 { 1 } else { 0 };
            let mut said = photo(&number.to_string(), PARIS, &[(class, 0.5)]);
            said.candidates[0].probability = None;
            scorer.add(&said);
        }
        scorer.finish()
    };
    let drawn = score(500);
    assert_eq!(drawn.cells, Some([0.75, 0.75]));
    let interval = drawn.cell_interval.expect("sets were drawn");
    assert!(interval.low > 0.4 && interval.low < 0.75 && interval.high > 0.75, "{interval:?}");
    let plain = score(0);
    assert_eq!((plain.cell_interval, plain.within_interval), (None, None));
    assert_eq!(plain.cells, drawn.cells);
}

#[test]
fn stated_levels_are_held_against_how_often_they_are_correct() {
    let certain = |photo: &str, truth: [f64; 2], probability: f32| Prediction {
        certain: Some(planet::Certain {
            level: planet_geo::Scale::City,
            name: String::new(),
            position: at(PARIS),
            probability,
        }),
        ..self::photo(photo, truth, &[(0, probability)])
    };
    let mut scorer = Scorer::new(TruthTable::growing(), ScorerOptions::default());
    scorer.add(&certain("a", PARIS, 0.8));
    scorer.add(&certain("b", PARIS, 0.6));
    scorer.add(&certain("c", LYON, 0.7));
    scorer.add(&photo("d", LYON, &[(1, 0.2)]));
    let levels = scorer.finish().levels;
    assert_eq!(levels.len(), 1);
    assert_eq!((levels[0].level, levels[0].stated), ("city", 3));
    assert_near(levels[0].mean_probability, 0.7, "stated");
    assert_near(levels[0].correct, 2.0 / 3.0, "correct");
    assert_near(levels[0].gap, 0.7 - 2.0 / 3.0, "gap");
    let gap = levels[0].gap_interval.expect("sets were drawn");
    assert!(gap.low < 0.0 && gap.high > 0.0, "{gap:?}");
}

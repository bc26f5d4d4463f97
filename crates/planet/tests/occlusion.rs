//! Occlusion maps, with engines whose maps are known.

use std::sync::Arc;

use planet::{
    Activations, Engine, EngineError, Locator, LocatorOptions,
    occlusion::{
        Measure, Occlusion, OcclusionError, OcclusionOptions, PhotoFailure, Search, Target, explain,
    },
};
use planet_data::{
    Gazetteer, Monitor, NoMonitor, Photo, PhotoError, PhotoStore, PixelBatch, Preprocess,
};
use planet_geo::{CellId, Class, ClassKind, LatLng, Partition, PartitionInfo, Scale};

const SIDE: usize = 24;

/// A function of one photo's pixels `[3, side, side]` to probabilities.
struct Toy<F>(F, Vec<usize>);

impl<F: Fn(&[f32]) -> Vec<f64> + Send> Engine for Toy<F> {
    fn name(&self) -> &str {
        "toy"
    }

    fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
        self.1.push(batch.photos());
        let photos = batch.values().chunks(3 * SIDE * SIDE);
        let given: Vec<f64> = photos.flat_map(|photo| (self.0)(photo)).collect();
        let classes = given.len() / batch.photos();
        let logits = given.iter().map(|p| p.ln() as f32).collect();
        Ok(Activations { logits, classes, ..Activations::default() })
    }
}

/// Noise of 24 by 24 pixels, `broken` excepted.
struct Noise;

fn byte(at: usize) -> u8 {
    ((at * 7919 + at / 72 * 104_729) % 251) as u8
}

impl PhotoStore for Noise {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        match id {
            "broken" => Err(PhotoError::Empty),
            "strip" => Photo::from_rgb(200, 3, vec![90; 1800]),
            _ => Photo::from_rgb(24, 24, (0..3 * SIDE * SIDE).map(byte).collect()),
        }
    }
}

fn locator(classes: usize) -> Locator {
    let class = |token: &&str| {
        let cell: CellId = token.parse().expect("a token of this test");
        let centre = Some(cell.centre());
        Class { kind: ClassKind::Cells(vec![cell]), photos: 1, mean: centre, centre, scatter: None }
    };
    let classes = ["477eb1", "487604", "0d19b4"][..classes].iter().map(class).collect();
    let partition = Partition::new(PartitionInfo::default(), classes).expect("disjoint");
    let options = LocatorOptions { names: false, ..LocatorOptions::default() };
    Locator::new(Arc::new(partition), 1.0, options, Arc::new(Gazetteer::new())).expect("no ground")
}

fn first_cell() -> Target {
    "477eb1".parse().expect("a cell")
}

fn run<F: Fn(&[f32]) -> Vec<f64> + Send>(
    engine: &mut Toy<F>,
    classes: usize,
    photos: &[&str],
    options: &OcclusionOptions,
) -> Vec<Result<Occlusion, PhotoFailure>> {
    let photos: Vec<_> = photos.iter().map(|photo| (photo.to_string(), None)).collect();
    let mut results: Vec<_> = photos.iter().map(|_| None).collect();
    let preprocess = Preprocess::inception(SIDE);
    explain(
        engine,
        &locator(classes),
        &preprocess,
        &Noise,
        &photos,
        options,
        &NoMonitor,
        |row, result| results[row] = Some(result),
    )
    .expect("ran");
    results.into_iter().map(|result| result.expect("every photo comes")).collect()
}

/// Weight of a value in the linear toy.
fn weight(at: usize) -> f64 {
    ((at * 31 % 101) as f64 - 50.0) * 2e-6
}

fn linear(photo: &[f32]) -> Vec<f64> {
    let sum: f64 = photo.iter().enumerate().map(|(at, x)| weight(at) * f64::from(*x)).sum();
    vec![0.5 + sum, 0.5 - sum]
}

#[test]
fn the_map_of_a_linear_engine_is_what_its_weights_say() {
    let options = OcclusionOptions {
        target: first_cell(),
        side: 0.25,
        stride: 0.125,
        batch: 7,
        ..OcclusionOptions::default()
    };
    let mut engine = Toy(linear, Vec::new());
    let found = run(&mut engine, 2, &["noise"], &options).remove(0).expect("a map");
    let map = found.map(Measure::Drop);
    // Boxes of 6 pixels every 3; grey is 0 for the network, so that a box costs its own part.
    let pixel = |row: usize, column: usize| -> f64 {
        let part = |channel: usize| {
            let x = f64::from(byte(3 * (row * SIDE + column) + channel)) / 127.5 - 1.0;
            weight((channel * SIDE + row) * SIDE + column) * x
        };
        (0..3).map(part).sum()
    };
    let cost = |top: usize, left: usize| -> f64 {
        (top..top + 6)
            .flat_map(|r| (left..left + 6).map(move |c| (r, c)))
            .map(|(r, c)| pixel(r, c))
            .sum()
    };
    let begins: Vec<usize> = (0..=18).step_by(3).collect();
    for row in 0..SIDE {
        for column in 0..SIDE {
            let over = |from: &&usize, at: usize| (**from..**from + 6).contains(&at);
            let tops = begins.iter().filter(|top| over(top, row));
            let costs: Vec<f64> = tops
                .flat_map(|top| {
                    let lefts = begins.iter().filter(|left| over(left, column));
                    lefts.map(move |left| (*top, *left))
                })
                .map(|(top, left)| cost(top, left))
                .collect();
            let wanted = costs.iter().sum::<f64>() / costs.len() as f64;
            let value = map.at(column as u32, row as u32);
            assert!((value - wanted).abs() < 1e-6, "{row},{column}: {value} {wanted}");
        }
    }
    assert_eq!(found.passes, 50);
    assert_eq!(engine.1, [7, 7, 7, 7, 7, 7, 7, 1]);
}

/// The network of `make_occlusion.py`.
fn network(golden: &serde_json::Value, photo: &[f32]) -> Vec<f64> {
    let of = |name: &str| -> Vec<f64> {
        let values = golden[name].as_array().expect("a list").iter();
        values.map(|x| x.as_f64().expect("a number")).collect()
    };
    let (weights, bias) = (of("conv_weight"), of("conv_bias"));
    let out = (SIDE - 3) / 2 + 1;
    let mut features = [0.0; 4];
    for (map, feature) in features.iter_mut().enumerate() {
        for (y, x) in (0..out).flat_map(|y| (0..out).map(move |x| (y, x))) {
            let mut sum = bias[map];
            for tap in 0..27 {
                let (channel, dy, dx) = (tap / 9, tap / 3 % 3, tap % 3);
                let at = (channel * SIDE + 2 * y + dy) * SIDE + 2 * x + dx;
                sum += weights[map * 27 + tap] * f64::from(photo[at]);
            }
            *feature += f64::max(sum, 0.0) / (out * out) as f64;
        }
    }
    let (weights, bias) = (of("linear_weight"), of("linear_bias"));
    let score = |class: usize| -> f64 {
        bias[class] + (0..4).map(|at| weights[class * 4 + at] * features[at]).sum::<f64>()
    };
    let exps = [0, 1, 2].map(|class| score(class).exp());
    exps.iter().map(|exp| exp / exps.iter().sum::<f64>()).collect()
}

/// The photo of the golden file.
struct Golden(Vec<u8>);

impl PhotoStore for Golden {
    fn photo(&self, _id: &str) -> Result<Photo, PhotoError> {
        Photo::from_rgb(24, 24, self.0.clone())
    }
}

#[test]
fn the_drop_is_that_of_captum() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("golden/occlusion.json")).expect("JSON");
    let numbers = |name: &str| golden[name].as_array().expect("a list").clone();
    let bytes = numbers("photo").iter().map(|x| x.as_u64().expect("a byte") as u8).collect();
    let options = OcclusionOptions {
        target: "487604".parse().expect("the second class"),
        side: 0.25,
        stride: 0.125,
        ..OcclusionOptions::default()
    };
    let mut found = None;
    let mut engine = Toy(|photo: &[f32]| network(&golden, photo), Vec::new());
    explain(
        &mut engine,
        &locator(3),
        &Preprocess::inception(SIDE),
        &Golden(bytes),
        &[("golden".to_owned(), None)],
        &options,
        &NoMonitor,
        |_, result| found = Some(result.expect("a map")),
    )
    .expect("ran");
    let found = found.expect("one photo");
    let probability = golden["probability"].as_f64().expect("a number");
    assert!((found.probability() - probability).abs() < 1e-6);
    let map = found.map(Measure::Drop);
    for (at, wanted) in numbers("drop").iter().enumerate() {
        let (value, wanted) =
            (map.at(at as u32 % 24, at as u32 / 24), wanted.as_f64().expect("a number"));
        assert!((value - wanted).abs() < 2e-6, "{at}: {value} {wanted}");
    }
}

/// Watches one spot of the photo only.
fn spot(photo: &[f32]) -> Vec<f64> {
    let mut sum = 0.0;
    for (row, column) in (4..9).flat_map(|row| (13..17).map(move |column| (row, column))) {
        sum += f64::from(photo[row * SIDE + column].abs());
    }
    let probability = 0.05 + 0.9 * sum / 20.0;
    vec![probability, 1.0 - probability]
}

#[test]
fn coarse_to_fine_is_as_near_with_half_the_passes() {
    let options = |stride: f64, search| OcclusionOptions {
        target: first_cell(),
        stride,
        search,
        ..OcclusionOptions::default()
    };
    let map = |stride, search| {
        let mut engine = Toy(spot, Vec::new());
        let found =
            run(&mut engine, 2, &["noise"], &options(stride, search)).remove(0).expect("a map");
        (found.map(Measure::Drop).raster([SIDE, SIDE]), found.passes)
    };
    let (dense, _) = map(0.042, Search::Every);
    let (every, all) = map(0.084, Search::Every);
    let (fine, half) = map(0.084, Search::CoarseToFine);
    let error = |map: &[f64]| {
        let squares = map.iter().zip(&dense).map(|(a, b)| (a - b).powi(2));
        (squares.sum::<f64>() / dense.len() as f64).sqrt()
    };
    assert!(half * 2 <= all + 1, "{half} of {all} passes");
    assert!(error(&fine) <= 1.1 * error(&every), "{} {}", error(&fine), error(&every));
}

#[test]
fn one_bad_photo_costs_the_others_nothing_and_batches_are_shared() {
    let options = OcclusionOptions { target: first_cell(), batch: 40, ..Default::default() };
    let mut engine = Toy(linear, Vec::new());
    let results = run(&mut engine, 2, &["noise", "broken", "noise", "strip"], &options);
    assert!(matches!(results[1], Err(PhotoFailure::Photo(PhotoError::Empty))));
    let maps: Vec<&Occlusion> = results.iter().filter_map(|it| it.as_ref().ok()).collect();
    assert_eq!(maps.len(), 3);
    assert_eq!(maps[0].boxes, maps[1].boxes);
    // Only the last batch is not full: photos share the others.
    let (last, others) = engine.1.split_last().expect("batches");
    assert!(others.iter().all(|photos| *photos == 40) && *last <= 40, "{:?}", engine.1);
    // The strip is lower than a box.
    assert!(maps[2].boxes.iter().all(|it| it.hidden.height == 3));
}

#[test]
fn a_target_outside_every_cell_is_an_error_unless_its_surroundings_are_watched() {
    let target = Target::Position(LatLng::new(-40.0, -140.0).expect("in the Pacific"));
    let mut options = OcclusionOptions { target, ..OcclusionOptions::default() };
    let error = run(&mut Toy(linear, Vec::new()), 2, &["noise"], &options).remove(0);
    let error = error.expect_err("no cell").to_string();
    assert!(error.contains("outside every cell") && error.contains("--scale"), "{error}");
    options.scale = Some(Scale::Country);
    let found = run(&mut Toy(linear, Vec::new()), 2, &["noise"], &options).remove(0);
    assert_eq!(found.expect("a map").probability(), 0.0);
    options.target = Target::Truth;
    let error = run(&mut Toy(linear, Vec::new()), 2, &["noise"], &options).remove(0);
    assert!(error.expect_err("no truth").to_string().contains("is unknown"));
}

#[test]
fn probabilities_of_nothing_leave_every_figure_finite_and_pictures_whole() {
    let never = |_: &[f32]| vec![0.0, 1.0];
    let options = OcclusionOptions { target: first_cell(), ..OcclusionOptions::default() };
    let found = run(&mut Toy(never, Vec::new()), 2, &["noise"], &options).remove(0).expect("a map");
    assert!(found.map(Measure::LogOdds).raster([24, 24]).iter().all(|x| x.is_finite()));
    assert!(found.regions(3).is_empty());
    let json = found.to_json();
    assert_eq!((json["rows"].as_u64(), json["columns"].as_u64()), (Some(24), Some(24)));
    assert!(found.to_png().expect("a picture").starts_with(b"\x89PNG"));
    assert!(found.to_svg().expect("a picture").ends_with("</svg>\n"));
}

#[test]
fn a_model_of_features_only_is_refused_by_name() {
    let none = |_: &[f32]| Vec::new();
    let mut engine = Toy(none, Vec::new());
    let ended = explain(
        &mut engine,
        &locator(2),
        &Preprocess::inception(SIDE),
        &Noise,
        &[("noise".to_owned(), None)],
        &OcclusionOptions::default(),
        &NoMonitor,
        |_, _| panic!("there is nothing to say"),
    );
    assert!(matches!(ended, Err(OcclusionError::NoScores { .. })));
}

/// Wants no more from the first batch on.
struct Impatient;

impl Monitor for Impatient {
    fn expect(&self, _steps: u64) {}
    fn advance(&self, _steps: u64) {}
    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn a_user_who_ends_it_waits_for_no_more_than_a_batch() {
    let mut engine = Toy(linear, Vec::new());
    let (photos, options) = ([("noise".to_owned(), None)], OcclusionOptions::default());
    let preprocess = Preprocess::inception(SIDE);
    let ended = explain(
        &mut engine,
        &locator(2),
        &preprocess,
        &Noise,
        &photos,
        &options,
        &Impatient,
        |_, _| {},
    );
    assert!(matches!(ended, Err(OcclusionError::Cancelled)));
    assert!(engine.1.len() <= 1);
}

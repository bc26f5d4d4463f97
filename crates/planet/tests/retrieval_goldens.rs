//! Pooling and whitening beside numpy; golden/make_retrieval.py made the file.

use planet::retrieval::{FeatureMap, Whitening};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/retrieval.json")).expect("a golden file")
}

fn values(count: usize, seed: usize) -> Vec<f32> {
    let value = |at: usize| ((31 * at * at + 17 * at + seed) % 1009) as f32 / 1009.0 - 0.5;
    (0..count).map(value).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|it| it.as_f64().expect("a number")).collect()
}

fn sizes(value: &Value) -> [usize; 3] {
    let sizes: Vec<usize> = numbers(value).into_iter().map(|it| it as usize).collect();
    sizes.try_into().expect("three")
}

fn close(what: &str, found: &[f32], wanted: &Value) {
    let wanted = numbers(wanted);
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((f64::from(*found) - wanted).abs() < 1e-4, "{what}: {found}, not {wanted}");
    }
}

#[test]
fn mean_gem_and_rmac_are_numpys_on_square_wide_and_tall_maps() {
    for map in golden()["maps"].as_array().expect("maps") {
        let [channels, height, width] = sizes(&map["shape"]);
        let pixels = values(channels * height * width, 1);
        let image = FeatureMap::new(&pixels, height, width);
        let what = |name: &str| format!("{name} of {channels} × {height} × {width}");
        close(&what("mean"), &image.mean(), &map["mean"]);
        close(&what("GeM 3"), &image.generalised_mean(3.0), &map["gem3"]);
        close(&what("GeM 2.5"), &image.generalised_mean(2.5), &map["gem2.5"]);
        close(&what("R-MAC"), &image.rmac(3), &map["rmac"]);
    }
}

#[test]
fn whitening_is_numpys_with_more_vectors_than_dimensions_and_with_fewer() {
    for case in golden()["whitenings"].as_array().expect("cases") {
        let [count, inputs, outputs] = sizes(&case["shape"]);
        let mut vectors = values(count * inputs, 2);
        for (at, value) in vectors.iter_mut().enumerate() {
            *value *= (1 + at % inputs) as f32;
        }
        let whitening = Whitening::learn(&vectors, inputs, outputs).expect("learned");
        for (vector, wanted) in vectors.chunks(inputs).zip(case["first"].as_array().expect("rows"))
        {
            close(&format!("{count} × {inputs}"), &whitening.apply(vector), wanted);
        }
    }
}

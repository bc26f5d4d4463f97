//! Indices of few and of odd photos, of both versions.

use std::sync::Arc;

use planet_data::{Gazetteer, NoMonitor, Photo, PhotoError, PhotoStore};
use planet_geo::LatLng;
use planet_im2gps::{
    AnswerOptions, AnswerRule, Im2Gps, IndexBuild, IndexSummary, IndexedPhoto, Version,
};

/// Photos by their numbers.
struct Store(Vec<Photo>);

impl PhotoStore for Store {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        Ok(self.0[id.parse::<usize>().expect("a number")].clone())
    }
}

fn photo(width: u32, height: u32, value: impl Fn(u32) -> [u8; 3]) -> Photo {
    let pixels = (0..width * height).flat_map(value).collect();
    Photo::from_rgb(width, height, pixels).expect("a photo")
}

fn odd() -> Vec<Photo> {
    let mixed = |at: u32| [at as u8, (at * 7) as u8, (at * 31) as u8];
    // Discs of several sizes, which have local features.
    let discs = |at: u32| {
        let (x, y) = ((at % 120) as i32, (at / 120) as i32);
        let inside =
            |[left, top, radius]: &[i32; 3]| (x - left).pow(2) + (y - top).pow(2) < radius.pow(2);
        let dark = [[30, 30, 9], [80, 40, 14], [40, 70, 6], [95, 75, 8]].iter().any(inside);
        if dark { [20, 40, 60] } else { [200, 190, 180] }
    };
    vec![
        photo(90, 60, |at| [(at * 13) as u8; 3]),
        photo(8, 8, mixed),
        photo(1, 1, mixed),
        photo(50, 50, |_| [0; 3]),
        photo(300, 200, |_| [10, 200, 30]),
        photo(60_000, 1, mixed),
        photo(1, 60_000, mixed),
        photo(120, 100, discs),
    ]
}

/// An index of some photos, each at a place of its own, and what locates by it.
fn indexed(version: Version, store: &Store) -> (Im2Gps, IndexSummary) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("odd.index");
    let place = |at: usize| LatLng::new(at as f64, 20.0 * (at / 3) as f64).expect("a place");
    let photos = 0..store.0.len();
    let photos = photos.map(|at| IndexedPhoto { photo: at.to_string(), position: place(at) });
    let build = IndexBuild { version, root: "photos".into(), seed: 0, resume: false };
    let photos: Vec<_> = photos.collect();
    let summary = build.run(&path, &photos, store, &NoMonitor).expect("an index");
    let options = AnswerOptions { names: false, ..AnswerOptions::default() };
    (Im2Gps::open(&path, options, Arc::new(Gazetteer::new())).expect("opened"), summary)
}

#[test]
fn grey_tiny_uniform_and_endless_photos_are_indexed_and_located_by_every_rule() {
    for version in Version::ALL {
        let store = Store(odd());
        let (im2gps, summary) = indexed(version, &store);
        assert_eq!((summary.photos, summary.unread.len()), (8, 0));
        let has_words = summary.words != [0, 0];
        assert_eq!(has_words, version == Version::Im2Gps2014, "{:?}", summary.words);
        for (at, photo) in store.0.iter().enumerate() {
            let (_, neighbours) = im2gps.locate("photo", photo);
            // Fewer photos than neighbours, and the photo itself is the nearest.
            assert_eq!(neighbours.len(), 8);
            assert_eq!((neighbours[0].row, neighbours[0].distance), (at, 0.0));
            assert!(neighbours.iter().all(|it| it.distance.is_finite() && it.distance >= 0.0));
            for rule in [AnswerRule::Nearest, AnswerRule::MeanShift, AnswerRule::SupportVectors] {
                let prediction = im2gps.answer("photo", rule, &neighbours);
                assert!(!prediction.candidates.is_empty(), "{rule:?}: no answer");
                let sum: f32 = prediction.candidates.iter().filter_map(|it| it.probability).sum();
                assert!(sum > 0.0 && sum <= 1.0 + 1e-4, "{rule:?}: {sum}");
            }
        }
    }
}

#[test]
fn one_photo_and_photos_that_are_all_equal_are_answers_of_both_versions() {
    for version in Version::ALL {
        let odd = odd();
        for photos in [vec![odd[7].clone()], vec![odd[4].clone(); 5]] {
            let store = Store(photos);
            let (im2gps, summary) = indexed(version, &store);
            assert_eq!(summary.photos, store.0.len());
            for photo in &odd {
                let (_, neighbours) = im2gps.locate("photo", photo);
                let prediction = im2gps.answer("photo", AnswerRule::SupportVectors, &neighbours);
                let best = prediction.best().expect("an answer");
                assert!(best.probability.is_some_and(|it| it.is_finite()), "{best:?}");
            }
        }
    }
}

/// Photos of one place have a look of their own, and one more photo of it is to be located.
#[test]
fn a_support_vector_machine_prefers_the_place_whose_photos_look_like_the_photo() {
    let striped = |seed: u32, down: bool| {
        photo(64, 64, move |at| {
            let (x, y) = (at % 64, at / 64);
            let stripe = if down { x } else { y } / (5 + seed % 3) % 2;
            [(40 + 150 * stripe + seed) as u8, (90 + seed) as u8, (60 + 100 * stripe) as u8]
        })
    };
    // Six of each place.
    let store = Store((0..12).map(|at| striped(at, at >= 6)).collect());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("two.index");
    let place = |at: usize| LatLng::new(if at < 6 { 10.0 } else { 50.0 }, at as f64 / 50.0);
    let photos: Vec<_> = (0..12)
        .map(|at| IndexedPhoto { photo: at.to_string(), position: place(at).expect("a place") })
        .collect();
    let build =
        IndexBuild { version: Version::Im2Gps2014, root: ".".into(), seed: 0, resume: false };
    build.run(&path, &photos, &store, &NoMonitor).expect("an index");
    let rule = AnswerRule::SupportVectors;
    let options = AnswerOptions { rule, names: false, ..AnswerOptions::default() };
    let im2gps = Im2Gps::open(&path, options, Arc::new(Gazetteer::new())).expect("opened");
    for (down, latitude) in [(false, 10.0), (true, 50.0)] {
        let (prediction, _) = im2gps.locate("photo", &striped(20, down));
        let best = prediction.best().expect("an answer");
        assert!((best.position.lat() - latitude).abs() < 0.5, "{prediction:?}");
        // The mean position of all photos of the place.
        let mean = if down { 8.5 } else { 2.5 } / 50.0;
        assert!((best.position.lng() - mean).abs() < 1e-3, "{best:?}");
        assert!(best.probability.expect("stated") > 0.5);
    }
}

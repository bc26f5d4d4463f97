//! Local features and visual words, beside OpenCV's SIFT (`golden/local_features.py`).

use planet_data::Photo;
use planet_im2gps::{LocalFeature, Vocabulary, Word, WordSamples, WorkingImage};

/// The numbers of a golden file.
fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

/// One of the scenes of the script, by the same formula.
fn scene(number: usize) -> WorkingImage {
    let (width, height) = [(160, 120), (120, 200), (97, 131)][number];
    let value = |(x, y): (u64, u64)| -> u64 {
        let sizes = [(29, 128), (13, 80), (6, 47)];
        sizes.map(|(size, most)| noise([x, y], size, number as u64) * most / 256).iter().sum()
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels = places.flat_map(|place| [value(place) as u8; 3]).collect();
    WorkingImage::new(&Photo::from_rgb(width as u32, height as u32, pixels).expect("a photo"))
}

fn noise([x, y]: [u64; 2], size: u64, seed: u64) -> u64 {
    let corner = |x: u64, y: u64| {
        let value = x * 374_761_393 + y * 668_265_263 + (seed + size) * 2_246_822_519;
        let value = value & 0xffff_ffff;
        let value = ((value ^ (value >> 13)) * 1_274_126_177) & 0xffff_ffff;
        (value ^ (value >> 16)) & 255
    };
    let (left, top, right, down) = (x / size, y / size, x % size, y % size);
    let row = |top: u64| corner(left, top) * (size - right) + corner(left + 1, top) * right;
    (row(top) * (size - down) + row(top + 1) * down) / (size * size)
}

#[test]
fn the_strongest_features_are_those_of_opencv_and_are_described_as_it_does() {
    let golden = numbers(include_bytes!("golden/local_features.f32"));
    let mut rest = &golden[..];
    let (mut all, mut found, mut worst) = (0, 0, 0.0f32);
    for number in 0..3 {
        let features = LocalFeature::all_of(&scene(number));
        let [count, follow] = *rest.first_chunk().expect("two numbers");
        let wanted = (count as usize).min(LocalFeature::MOST) as f32;
        let difference = (features.len() as f32 - wanted).abs();
        assert!(
            difference <= 1.0 + 0.03 * wanted,
            "scene {number}: {} for {count}",
            features.len()
        );
        let (own, behind) = rest[2..].split_at(133 * follow as usize);
        rest = behind;
        for row in own.chunks_exact(133) {
            let [x, y, diameter, angle, response] = *row.first_chunk().expect("five numbers");
            let turned = |a: f32, b: f32| (a - b + 180.0).rem_euclid(360.0) - 180.0;
            let same = features.iter().find(|LocalFeature { keypoint: it, .. }| {
                (it.x - x).hypot(it.y - y) < 0.05
                    && (it.diameter / diameter - 1.0).abs() < 0.01
                    && turned(it.angle, angle).abs() < 1.0
                    && (it.response - response).abs() < 1e-3
            });
            all += 1;
            let Some(same) = same else { continue };
            found += 1;
            let pairs = same.descriptor.iter().zip(&row[5..]);
            worst = pairs.map(|(is, want)| (is - want).abs()).fold(worst, f32::max);
        }
    }
    assert!(all > 100 && found * 100 >= 97 * all, "{found} of {all}");
    // OpenCV rounds to steps of 1/512.
    assert!(worst < 0.01, "{worst}");
}

fn samples() -> WordSamples {
    let mut samples = WordSamples::default();
    (0..3).for_each(|at| samples.extend(WordSamples::of(&scene(at), at as u64)));
    samples
}

/// A part of a scene, with few features.
fn part(number: usize) -> WorkingImage {
    let scene = scene(number);
    let rows = scene.rgb().chunks_exact(scene.width()).take(60);
    let pixels = rows.flat_map(|row| &row[..60]).flatten().copied().collect();
    WorkingImage::new(&Photo::from_rgb(60, 60, pixels).expect("a photo"))
}

#[test]
fn words_weigh_more_the_fewer_photos_have_them() {
    // The same scene twice, and another one: photos whose features are all in the samples.
    let photos = [part(0), part(0), part(1)];
    let mut samples = WordSamples::default();
    for photo in &photos {
        let features = LocalFeature::all_of(photo).len();
        assert!((5..=100).contains(&features), "{features}");
        samples.extend(WordSamples::of(photo, 0));
    }
    let vocabulary = Vocabulary::learn(&samples, 0);
    let words: Vec<_> = photos.iter().map(|photo| vocabulary.words_of(photo)).collect();
    let [coarse, fine] = vocabulary.weights();
    let of: [fn(&Word) -> u32; 2] = [|it| it.coarse, |it| it.fine];
    for (weights, of) in [coarse, fine].into_iter().zip(of) {
        let mut counts = vec![0u8; weights.len()];
        for (word, count) in counts.iter_mut().enumerate() {
            let has = |words: &&Vec<Word>| words.iter().any(|it| of(it) as usize == word);
            *count = words.iter().filter(has).count() as u8;
        }
        for (count, weight) in counts.iter().zip(weights) {
            let want = (4.0 / (1.0 + f32::from(*count))).ln() + 1.0;
            assert!((weight - want).abs() < 1e-6, "{count} photos: {weight}");
        }
        assert!(counts.contains(&1) && counts.contains(&2), "{counts:?}");
    }
}

#[test]
fn a_vocabulary_of_few_photos_has_fewer_words_and_comes_back_from_its_bytes() {
    let vocabulary = Vocabulary::learn(&samples(), 7);
    let [coarse, fine] = vocabulary.words();
    assert!(0 < coarse && coarse < Vocabulary::COARSE && coarse <= fine, "{coarse}, {fine}");
    assert_eq!(vocabulary, Vocabulary::learn(&samples(), 7));
    let bytes = vocabulary.to_bytes();
    assert_eq!(Vocabulary::from_bytes(&bytes), Some(vocabulary));
    // Cut off, too long, too many words, not numbers.
    assert_eq!(Vocabulary::from_bytes(&bytes[..bytes.len() - 4]), None);
    assert_eq!(Vocabulary::from_bytes(&[&bytes[..], &[0; 4]].concat()), None);
    assert_eq!(Vocabulary::from_bytes(&[0xff; 400]), None);
    let mut changed = bytes.clone();
    changed[bytes.len() - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_eq!(Vocabulary::from_bytes(&changed), None);

    let none = Vocabulary::learn(&WordSamples::default(), 7);
    assert_eq!(none.words(), [0, 0]);
    assert_eq!(none.words_of(&scene(1)), []);
    assert_eq!(Vocabulary::from_bytes(&none.to_bytes()).map(|it| it.words()), Some([0, 0]));
}

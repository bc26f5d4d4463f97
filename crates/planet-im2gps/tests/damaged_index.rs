//! Indices that another program wrote badly: with the right hash, and anything else wrong.

use std::sync::Arc;

use planet_data::{Gazetteer, NoMonitor, Photo, PhotoError, PhotoStore};
use planet_geo::LatLng;
use planet_im2gps::{AnswerOptions, AnswerRule, Im2Gps, IndexBuild, IndexedPhoto, Version};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Small photos that differ.
struct Store;

impl PhotoStore for Store {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let id: u32 = id.parse().expect("a number");
        let value = |at: u32| [(at * (id + 3)) as u8, (at * at / 7 + id) as u8, (at / 5) as u8];
        Photo::from_rgb(40, 30, (0..40 * 30).flat_map(value).collect())
    }
}

#[test]
fn a_file_with_the_right_hash_and_anything_else_changed_is_opened_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("an.index");
    let place = |at: u32| LatLng::new(f64::from(at), 2.0 * f64::from(at)).expect("a place");
    let photos: Vec<_> =
        (0..4).map(|at| IndexedPhoto { photo: at.to_string(), position: place(at) }).collect();
    let (mut opened, mut refused) = (0, 0);
    let gazetteer = Arc::new(Gazetteer::new());
    for version in Version::ALL {
        let build = IndexBuild { version, root: ".".into(), seed: 0, resume: false };
        build.run(&path, &photos, &Store, &NoMonitor).expect("an index");
        let whole = std::fs::read(&path).expect("read");
        std::fs::remove_file(&path).expect("removed");
        let changed = folder.path().join("changed.index");
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for round in 0..120 {
            let mut bytes = whole.clone();
            // Heads, descriptions and tails are short beside rows.
            let near = [0..64, bytes.len() - 2000..bytes.len() - 32, 64..bytes.len()];
            let at = random.random_range(near[round % 3].clone());
            match random.random_range(0..4) {
                0 => bytes[at] ^= 1 << random.random_range(0..8),
                1 => bytes[at] = [0, 0xff, b'9'][random.random_range(0..3)],
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b'1'),
            }
            let end = bytes.len() - 32;
            let hash = blake3::hash(&bytes[..end]);
            bytes[end..].copy_from_slice(hash.as_bytes());
            std::fs::write(&changed, bytes).expect("written");
            let options = AnswerOptions { names: false, ..AnswerOptions::default() };
            let Ok(im2gps) = Im2Gps::open(&changed, options, Arc::clone(&gazetteer)) else {
                refused += 1;
                continue;
            };
            opened += 1;
            let (_, neighbours) = im2gps.locate("0", &Store.photo("0").expect("a photo"));
            for rule in [AnswerRule::Nearest, AnswerRule::MeanShift, AnswerRule::SupportVectors] {
                assert!(!im2gps.answer("0", rule, &neighbours).candidates.is_empty());
            }
        }
    }
    assert!(opened > 20 && refused > 20, "{opened} opened, {refused} refused");
}

//! An index of image descriptors: opened and searched, or an error. The input is five bytes (version,
//! textons, bytes of the words as two, rows), the description up to a zero byte, and what stands
//! between head and description, filled up with zeros; the rest of the file is made to fit.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use planet_data::{Gazetteer, Photo};
use planet_im2gps::{AnswerOptions, AnswerRule, Im2Gps, Index, Version};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));
static GAZETTEER: LazyLock<Arc<Gazetteer>> = LazyLock::new(|| Arc::new(Gazetteer::new()));

fuzz_target!(|bytes: &[u8]| {
    let Some((&[version, textons, low, high, rows], rest)) = bytes.split_first_chunk() else {
        return;
    };
    let version = Version::ALL[usize::from(version % 2)];
    let (textons, words, rows) = (textons % 3, u16::from_le_bytes([low, high]), rows % 4);
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let (description, body) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());

    let mut file = b"PLANET-IM2GPS\r\n\0".to_vec();
    let head = [2, version.year(), version.values() as u32, textons.into(), words.into()];
    head.into_iter().for_each(|number: u32| file.extend_from_slice(&number.to_le_bytes()));
    file.resize(64, 0);
    file.extend_from_slice(body);
    let begin = 64 + 128 * usize::from(textons) + usize::from(words);
    file.resize(begin + usize::from(rows) * 4 * (1 + version.values()), 0);
    let place = [u64::from(rows), file.len() as u64, description.len() as u64];
    file.extend_from_slice(description);
    file.extend_from_slice(b"I2G-END\n");
    place.into_iter().for_each(|number| file.extend_from_slice(&number.to_le_bytes()));
    let hash = blake3::hash(&file);
    file.extend_from_slice(hash.as_bytes());

    let path = FOLDER.path().join("index");
    std::fs::write(&path, file).expect("the disk takes it");
    let Ok(index) = Index::open(&path) else { return };
    let options = AnswerOptions { names: false, ..AnswerOptions::default() };
    let im2gps = Im2Gps::new(index, options, Arc::clone(&GAZETTEER)).expect("no area is asked for");
    let pixels = (0..12 * 9 * 3).map(|at| (at * at % 251) as u8).collect();
    let photo = Photo::from_rgb(12, 9, pixels).expect("a photo");
    let (_, neighbours) = im2gps.locate("photo", &photo);
    assert_eq!(neighbours.len(), im2gps.index().len());
    for rule in [AnswerRule::Nearest, AnswerRule::MeanShift, AnswerRule::SupportVectors] {
        assert!(!im2gps.answer("photo", rule, &neighbours).candidates.is_empty());
    }
});

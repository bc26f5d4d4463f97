//! Files of rare kinds, against other programs' pixels (tests/golden/make_rare.py, and files as
//! foreign programs write them in tests/golden/foreign), and made by the tests themselves.

use std::{io::Cursor, path::Path};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use planet_data::{Limits, Photo, PhotoError, PhotoFacts, perceptual_hash};

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read(folder.join(name)).expect("a golden file")
}

fn decode(bytes: &[u8]) -> Result<Photo, PhotoError> {
    Photo::decode(bytes, &Limits::default())
}

/// Mean and greatest difference of two photos of one size.
fn difference(a: &Photo, b: &[u8]) -> (f64, u8) {
    assert_eq!(a.pixels().len(), b.len());
    let differences = a.pixels().iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = differences.clone().map(f64::from).sum();
    (sum / b.len() as f64, differences.max().expect("pixels"))
}

#[test]
fn rare_jpegs_have_the_pixels_that_libjpeg_gives() {
    for name in [
        "arithmetic",
        "arithmetic-restarts",
        "arithmetic-progressive",
        "sampling-3x1",
        "sampling-1x3",
        "sampling-2x2-2x1",
        "sampling-1x1-2x2",
        "sampling-progressive-3x1",
        "scans-420",
        "scans-chroma-first",
        "scans-422-restarts",
        "progressive-restarts",
    ] {
        let photo = decode(&golden(&format!("rare/{name}.jpg"))).expect(name);
        assert_eq!((photo.width(), photo.height()), (75, 51), "{name}");
        assert_eq!(photo.rescue(), None, "{name}");
        let (mean, greatest) = difference(&photo, &golden(&format!("rare/{name}.jpg.rgb"))[8..]);
        // zune-jpeg decodes this one, with a transform of its own.
        let (most, worst) = if name == "progressive-restarts" { (0.7, 8) } else { (0.0, 0) };
        assert!(mean <= most && greatest <= worst, "{name}: mean {mean:.3}, greatest {greatest}");
    }
}

#[test]
fn rare_tiffs_have_the_pixels_that_they_were_made_of() {
    let expected = golden("rare/drawn.tif.rgb");
    for name in [
        "planar-tiled",
        "planar-strips",
        "fill-order",
        "fill-order-plain",
        "pack-bits",
        "big",
        "big-endian",
    ] {
        let photo = decode(&golden(&format!("rare/{name}.tif"))).expect(name);
        assert_eq!(difference(&photo, &expected[8..]), (0.0, 0), "{name}");
    }
}

#[test]
fn files_of_foreign_programs_look_like_their_references() {
    for name in [
        "jpeg_arithmetic_refused.jpg",
        "jpeg_baseline_420_two_scans_green_stripes.jpg",
        "jpeg_baseline_chroma_scan_first_refused.jpg",
        "jpeg_one_bad_marker_with_restarts_refused.jpg",
        "tiff_bigtiff_called_not_a_photo.tif",
        "tiff_jpeg_ycbcr_refused.tif",
        "tiff_planar_tiled_panics.tif",
        "tiff_rgb_plus_unspecified_extrasample_lzw_predictor_garbage.tif",
        "tiff_rgba_associated_alpha_too_dark_or_pale.tif",
    ] {
        let (stem, _) = name.rsplit_once('.').expect("an ending");
        let photo = decode(&golden(&format!("foreign/{name}"))).expect(name);
        let reference = decode(&golden(&format!("foreign/{stem}.reference.png"))).expect(name);
        let bits = perceptual_hash(&photo).distance(perceptual_hash(&reference));
        let (mean, _) = difference(&photo, reference.pixels());
        assert!(bits <= 12 && mean < 12.0, "{name}: {bits} bits, mean {mean:.2}");
    }
}

#[test]
fn one_bad_marker_costs_the_data_up_to_the_next_restart_marker() {
    let photo = decode(&golden("foreign/jpeg_one_bad_marker_with_restarts_refused.jpg"));
    let rescue = photo.expect("a photo").rescue().cloned().expect("says so");
    assert!((0.5..1.0).contains(&rescue.share), "{rescue:?}");
    assert!(rescue.reason.contains("marker"), "{rescue:?}");

    let whole = encoded(SamplingFactor::F_2_2, false, Some(4));
    let expected = decode(&whole).expect("the whole photo");
    let restarts: Vec<usize> = (0..whole.len() - 1)
        .filter(|&at| whole[at] == 0xFF && (0xD0..=0xD7).contains(&whole[at + 1]))
        .collect();
    let middle = restarts[restarts.len() / 2];
    for marker in [0x17, 0xC4, 0xD9, 0xDA, 0xE5, 0xFE] {
        let mut bad = whole.clone();
        bad.splice(middle + 9..middle + 11, [0xFF, marker]);
        let photo = decode(&bad).expect("most of it is there");
        let share = photo.rescue().expect("says so").share;
        let intervals = restarts.len() as f32 + 1.0;
        assert!((share - 1.0).abs() <= 1.01 / intervals && share < 1.0, "{marker:x}: {share}");
        let pairs = photo.pixels().chunks(3).zip(expected.pixels().chunks(3));
        let near = pairs.filter(|(a, b)| a.iter().zip(*b).all(|(a, b)| a.abs_diff(*b) < 9)).count();
        let pixels = (photo.width() * photo.height()) as f32;
        assert!(near as f32 / pixels > share - 2.0 / intervals, "{marker:x}: {near}");
    }
    // An interval that is gone with its marker is told by the next one's number.
    let mut bad = whole.clone();
    bad.drain(middle..restarts[restarts.len() / 2 + 1]);
    let photo = decode(&bad).expect("most of it is there");
    let rows = photo.pixels().chunks(3 * 160).rev().zip(expected.pixels().chunks(3 * 160).rev());
    assert!(rows.take(16).flat_map(|(a, b)| a.iter().zip(b)).all(|(a, b)| a.abs_diff(*b) < 9));
    assert!(photo.rescue().is_some_and(|rescue| rescue.share < 1.0));
}

/// Slopes with an edge, 160 x 120.
fn encoded(sampling: SamplingFactor, each_its_own_scan: bool, restarts: Option<u16>) -> Vec<u8> {
    let pixels: Vec<u8> = (0..160 * 120)
        .flat_map(|at| {
            let (x, y) = (at % 160, at / 160);
            [x, 2 * y, if x + y < 120 { 220 } else { 40 }].map(|level: i32| level as u8)
        })
        .collect();
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 90);
    encoder.set_sampling_factor(sampling);
    encoder.set_optimized_huffman_tables(each_its_own_scan);
    if let Some(interval) = restarts {
        encoder.set_restart_interval(interval);
    }
    encoder.encode(&pixels, 160, 120, ColorType::Rgb).expect("encoded");
    jpeg
}

/// The scans of a JPEG in another order: head, then the scans with their tables.
fn scans_turned(jpeg: &[u8]) -> Vec<u8> {
    let begins: Vec<usize> =
        (0..jpeg.len() - 1).filter(|&at| jpeg[at] == 0xFF && jpeg[at + 1] == 0xDA).collect();
    assert_eq!(begins.len(), 3);
    let end = jpeg.len() - 2;
    let [a, b, c] = begins[..] else { panic!("three scans") };
    [&jpeg[..a], &jpeg[c..end], &jpeg[b..c], &jpeg[a..b], &jpeg[end..]].concat()
}

#[test]
fn scans_of_single_components_in_any_order_give_the_same_pixels_as_one_scan() {
    for sampling in [
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
        SamplingFactor::F_2_2,
        SamplingFactor::F_4_1,
    ] {
        let one = decode(&encoded(sampling, false, None)).expect("one scan");
        let several = encoded(sampling, true, None);
        for jpeg in [scans_turned(&several), several] {
            let photo = decode(&jpeg).expect("several scans");
            let (mean, greatest) = difference(&photo, one.pixels());
            // Several scans have libjpeg's pixels; zune-jpeg enlarges colours otherwise at the edges.
            assert!(mean < 0.7 && greatest <= 48, "mean {mean:.3}, greatest {greatest}");
            assert_eq!(photo.rescue(), None);
        }
    }
}

#[test]
fn codings_that_are_not_supported_are_named() {
    let plain = encoded(SamplingFactor::F_1_1, false, None);
    let frame = (0..plain.len()).find(|&at| plain[at..].starts_with(&[0xFF, 0xC0])).expect("SOF0");
    for (marker, word) in [(0xC3, "lossless"), (0xC5, "hierarchical"), (0xCB, "lossless")] {
        let mut jpeg = plain.clone();
        jpeg[frame + 1] = marker;
        let error = decode(&jpeg).expect_err("not supported").to_string();
        assert!(error.contains(word), "{error}");
    }
    let mut deep = plain;
    deep[frame + 4] = 12;
    let error = decode(&deep).expect_err("not supported").to_string();
    assert!(error.contains("12 bits"), "{error}");
}

#[test]
fn heif_with_a_property_of_number_zero_tells_its_size() {
    let bytes = golden("foreign/heic_ipma_property_index_0.heic");
    let facts = PhotoFacts::from_reader(Cursor::new(&bytes), bytes.len() as u64).expect("facts");
    let size = [facts.width, facts.height];
    assert!(size == [64, 48] || size == [48, 64], "{size:?}");
    assert!(facts.position.is_some());
}

/// A classic little-endian TIFF of 4 x 2 pixels in one strip.
fn tiff(tags: &[(u16, u16, &[u32])], strip: &[u8]) -> Vec<u8> {
    let mut all: Vec<(u16, u16, Vec<u32>)> =
        tags.iter().map(|&(tag, kind, values)| (tag, kind, values.to_vec())).collect();
    for (tag, kind, value) in [(256, 3, 4), (257, 3, 2), (278, 3, 2), (279, 4, strip.len() as u32)]
    {
        all.push((tag, kind, vec![value]));
    }
    all.push((273, 4, vec![8]));
    all.sort();
    let directory = (8 + strip.len()).next_multiple_of(2);
    let mut file = [b"II*\0", &(directory as u32).to_le_bytes()[..], strip].concat();
    file.resize(directory, 0);
    let mut behind = directory + 2 + 12 * all.len() + 4;
    let mut rest = Vec::new();
    file.extend((all.len() as u16).to_le_bytes());
    for (tag, kind, values) in all {
        let size = if kind == 3 { 2 } else { 4 };
        let mut bytes: Vec<u8> =
            values.iter().flat_map(|value| value.to_le_bytes()[..size].to_vec()).collect();
        file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend((values.len() as u32).to_le_bytes());
        if bytes.len() <= 4 {
            bytes.resize(4, 0);
            file.extend(bytes);
        } else {
            file.extend((behind as u32).to_le_bytes());
            behind += bytes.len();
            rest.extend(bytes);
        }
    }
    file.extend([0; 4]);
    file.extend(rest);
    file
}

/// The first pixel.
fn first(tags: &[(u16, u16, &[u32])], strip: &[u8]) -> [u8; 3] {
    let photo = decode(&tiff(tags, strip)).expect("a photo");
    assert_eq!((photo.width(), photo.height()), (4, 2));
    [photo.pixels()[0], photo.pixels()[1], photo.pixels()[2]]
}

const RGB: (u16, u16, &[u32]) = (262, 3, &[2]);
const FOUR_BYTES: (u16, u16, &[u32]) = (258, 3, &[8, 8, 8, 8]);

#[test]
fn extra_samples_are_passed_over_and_alphas_put_over_white() {
    let pixel = [100, 50, 0, 128].repeat(8);
    let four: (u16, u16, &[u32]) = (277, 3, &[4]);
    assert_eq!(first(&[RGB, FOUR_BYTES, four], &pixel), [100, 50, 0]);
    assert_eq!(first(&[RGB, FOUR_BYTES, four, (338, 3, &[0])], &pixel), [100, 50, 0]);
    assert_eq!(first(&[RGB, FOUR_BYTES, four, (338, 3, &[1])], &pixel), [227, 177, 127]);
    assert_eq!(first(&[RGB, FOUR_BYTES, four, (338, 3, &[2])], &pixel), [177, 152, 127]);
    // Differences run over all four samples.
    let differences = [[10, 20, 30, 255, 1, 1, 1, 0].to_vec(), vec![0; 8]].concat().repeat(2);
    let tags = [RGB, FOUR_BYTES, four, (338, 3, &[0][..]), (317, 3, &[2])];
    let photo = decode(&tiff(&tags, &differences)).expect("a photo");
    assert_eq!(photo.pixels()[..9], [10, 20, 30, 11, 21, 31, 11, 21, 31]);
}

#[test]
fn palettes_inverted_greys_and_shared_colours_are_read() {
    let mut map = vec![0_u32; 48];
    (map[3], map[16 + 3], map[32 + 3]) = (0xFF00, 0x8000, 0x1000);
    let palette: [(u16, u16, &[u32]); 3] = [(262, 3, &[3]), (258, 3, &[4]), (320, 3, &map)];
    assert_eq!(first(&palette, &[0x30, 0, 0x30, 0]), [255, 128, 16]);
    assert_eq!(first(&[(262, 3, &[0]), (258, 3, &[1])], &[0b1010_0000, 0]), [0; 3]);
    assert_eq!(first(&[(262, 3, &[0]), (258, 3, &[8])], &[55; 8]), [200; 3]);
    // Two blocks of 2 x 2: four brightnesses, two colours.
    let block = [200, 10, 20, 30, 128, 128].repeat(2);
    let tags: [(u16, u16, &[u32]); 3] = [(262, 3, &[6]), (258, 3, &[8, 8, 8]), (277, 3, &[3])];
    let photo = decode(&tiff(&tags, &block)).expect("a photo");
    assert_eq!(photo.pixels()[..6], [200, 200, 200, 10, 10, 10]);
    assert_eq!(photo.pixels()[12..18], [20, 20, 20, 30, 30, 30]);
}

#[test]
fn tiffs_that_are_not_supported_are_refused_by_name() {
    type Tag<'a> = (u16, u16, &'a [u32]);
    let grey: Tag<'_> = (262, 3, &[1]);
    let eight: Tag<'_> = (258, 3, &[8]);
    let cases: [(&[Tag<'_>], &str); 8] = [
        (&[grey, eight, (259, 3, &[6])], "old-style JPEG"),
        (&[grey, eight, (259, 3, &[34712])], "JPEG 2000"),
        (&[grey, (259, 3, &[4])], "fax"),
        (&[grey, (258, 3, &[12])], "12 bits"),
        (&[grey, eight, (339, 3, &[2])], "signed"),
        (&[(262, 3, &[32803]), eight], "raw sensor data"),
        (&[(262, 3, &[8]), (258, 3, &[8, 8, 8]), (277, 3, &[3])], "L*a*b*"),
        (&[RGB, (258, 3, &[5, 6, 5]), (277, 3, &[3])], "different numbers of bits"),
    ];
    for (tags, word) in cases {
        let error = decode(&tiff(tags, &[0; 24])).expect_err("not supported").to_string();
        assert!(error.contains(word), "{error}");
    }
    let error = decode(&tiff(&[grey, eight], &[0; 5])).expect_err("cut off").to_string();
    assert!(error.contains("5 bytes instead of 8"), "{error}");
}

//! What photos say of themselves, against exiftool (golden files: tests/golden/make_facts.py).

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use planet_data::{PhotoError, PhotoFacts, PositionSource, Problem};
use planet_geo::LatLng;
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/facts").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).expect("a golden file")
}

fn facts(bytes: &[u8]) -> Result<PhotoFacts, PhotoError> {
    PhotoFacts::from_reader(Cursor::new(bytes), bytes.len() as u64)
}

/// A plain JPEG with one application segment.
fn with_segment(content: &[u8]) -> Vec<u8> {
    let plain = bytes("time.jpg");
    let old = usize::from(u16::from_be_bytes([plain[4], plain[5]])) + 4;
    let mut jpeg = vec![0xFF, 0xD8, 0xFF, 0xE1];
    jpeg.extend((content.len() as u16 + 2).to_be_bytes());
    jpeg.extend(content);
    jpeg.extend(&plain[old..]);
    jpeg
}

fn with_exif(block: &[u8]) -> Vec<u8> {
    with_segment(&[b"Exif\0\0", block].concat())
}

fn with_xmp(properties: &str) -> Vec<u8> {
    with_segment(format!("http://ns.adobe.com/xap/1.0/\0{}", packet(properties)).as_bytes())
}

fn packet(properties: &str) -> String {
    format!(
        r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:e="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" {properties}
        </rdf:Description></rdf:RDF></x:xmpmeta>"#
    )
}

#[test]
fn every_shape_of_exif_and_xmp_reads_as_exiftool_reads_it() {
    let rows: Vec<Value> = serde_json::from_slice(&bytes("exiftool.json")).expect("json");
    assert_eq!(rows.len(), 19);
    for row in rows {
        let name = row["SourceFile"].as_str().expect("a name");
        let facts = PhotoFacts::read(&golden(name)).expect(name);
        assert_eq!((facts.width, facts.height), (8, 6), "{name}");
        if let (Some(lat), Some(lng)) = (row["GPSLatitude"].as_f64(), row["GPSLongitude"].as_f64())
        {
            let truth = LatLng::new(lat, lng).expect("on the earth");
            let position = facts.position.expect(name);
            assert!(position.distance_to(truth).m() < 0.01, "{name}: {position}");
        } else if name != "./seconds-empty.jpg" {
            // There exiftool gives up, while the degrees and minutes are sound.
            assert_eq!(facts.position, None, "{name}");
        }
        assert_eq!(facts.accuracy_m, row["GPSHPositioningError"].as_f64(), "{name}");
        assert_eq!(facts.camera.as_deref(), row["Model"].as_str(), "{name}");
        let time = row["DateTimeOriginal"].as_str().or(row["CreateDate"].as_str()).map(|time| {
            let offset = row["OffsetTimeOriginal"].as_str().unwrap_or_default();
            format!("{}{offset}", time.replacen(':', "-", 2).replacen(' ', "T", 1))
        });
        assert_eq!(facts.time, time, "{name}");
    }
}

#[test]
fn seconds_of_zero_over_zero_are_no_seconds() {
    let facts = facts(&bytes("seconds-empty.jpg")).expect("facts");
    let truth = LatLng::new(45.4408, 12.3155).expect("on the earth");
    assert!(facts.position.expect("a position").distance_to(truth).m() < 0.01);
}

#[test]
fn what_is_not_believed_is_noted_with_its_source() {
    let problem = |name: &str| facts(&bytes(name)).expect(name).notes.remove(0);
    assert_eq!(problem("no-references.jpg").problem, Problem::NoHemisphere);
    assert_eq!(problem("one-reference.jpg").problem, Problem::NoHemisphere);
    assert_eq!(problem("latitude-only.jpg").problem, Problem::Coordinates);
    let cases = [
        (r#"e:GPSLatitude="0,0N" e:GPSLongitude="0,0E">"#, Problem::NullIsland),
        (r#"e:GPSLatitude="91.5" e:GPSLongitude="1">"#, Problem::OffEarth { lat: 91.5, lng: 1.0 }),
        (r#"e:GPSLatitude="1" e:GPSLongitude="181">"#, Problem::OffEarth { lat: 1.0, lng: 181.0 }),
        (r#"e:GPSLatitude="north" e:GPSLongitude="1">"#, Problem::Coordinates),
        (r#"e:DateTimeOriginal="yesterday">"#, Problem::Time("yesterday".into())),
    ];
    for (properties, wanted) in cases {
        let facts = facts(&with_xmp(properties)).expect("facts");
        assert_eq!(facts.position, None);
        assert_eq!(facts.notes[0].problem, wanted, "{properties}");
        assert_eq!(facts.notes[0].found_in, PositionSource::Xmp);
    }
}

#[test]
fn xmp_is_read_from_attributes_and_from_elements_and_lists() {
    let attributes = r#"e:GPSLatitude="37,13.0024S" e:GPSLongitude="3,30W"
        e:GPSHPositioningError="25/2" e:GPSProcessingMethod="GPS">"#;
    let elements = r"><e:GPSLatitude>37,13.0024S</e:GPSLatitude><e:GPSLongitude>3,30W</e:GPSLongitude>
        <e:GPSHPositioningError>12.5</e:GPSHPositioningError><e:GPSProcessingMethod>GPS</e:GPSProcessingMethod>
        <dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>";
    for properties in [attributes, elements] {
        let facts = facts(&with_xmp(properties)).expect("facts");
        let truth = LatLng::new(-(37.0 + 13.0024 / 60.0), -3.5).expect("on the earth");
        assert!(facts.position.expect("a position").distance_to(truth).m() < 0.01);
        assert_eq!(facts.position_source, Some(PositionSource::Xmp));
        assert_eq!(facts.accuracy_m, Some(12.5));
        assert_eq!(facts.processing_method.as_deref(), Some("GPS"));
    }
    assert_eq!(facts(&with_xmp(elements)).expect("facts").author.as_deref(), Some("Ada"));
}

#[test]
fn the_sidecar_wins_and_the_longer_name_before_the_shorter() {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("a.jpg");
    std::fs::write(&photo, bytes("three.jpg")).expect("written");
    let lat = || PhotoFacts::read(&photo).expect("facts").position.expect("a position").lat();
    assert!((lat() - 45.4408).abs() < 1e-9);
    let sidecar = |lat| packet(&format!(r#"e:GPSLatitude="{lat},0N" e:GPSLongitude="9,0E">"#));
    std::fs::write(folder.path().join("a.xmp"), sidecar(10)).expect("written");
    assert_eq!(lat(), 10.0);
    std::fs::write(folder.path().join("a.jpg.xmp"), sidecar(20)).expect("written");
    assert_eq!(lat(), 20.0);
    let facts = PhotoFacts::read(&photo).expect("facts");
    assert_eq!(facts.position_source, Some(PositionSource::Sidecar));
    // A broken sidecar is noted, and what the photo says counts.
    let broken = packet("><rdf:x></rdf:y>");
    std::fs::write(folder.path().join("a.jpg.xmp"), broken).expect("written");
    let facts = PhotoFacts::read(&photo).expect("facts");
    assert_eq!(facts.position_source, Some(PositionSource::Exif));
    assert!(matches!(facts.notes[0].problem, Problem::Damaged(_)));
    assert_eq!(facts.notes[0].found_in, PositionSource::Sidecar);
}

#[test]
fn exif_with_loops_and_lies_is_damage_and_the_photo_stays() {
    // An IFD without entries whose successor is itself; one whose EXIF pointer points back; one
    // that claims 65,535 entries; one whose value lies beyond the block; rubbish.
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut bytes = [tag.to_be_bytes(), kind.to_be_bytes()].concat();
        bytes.extend(count.to_be_bytes());
        bytes.extend(value.to_be_bytes());
        bytes
    };
    let head = b"MM\0*\0\0\0\x08".to_vec();
    let blocks = [
        [&head[..], &[0, 0], &8u32.to_be_bytes()].concat(),
        [&head[..], &[0, 1], &entry(0x8769, 4, 1, 8), &[0; 4]].concat(),
        [&head[..], &[0xFF, 0xFF]].concat(),
        [&head[..], &[0, 1], &entry(0x9003, 2, u32::MAX, 9), &[0; 4]].concat(),
        b"MM\0*\xFF\xFF\xFF\xFF".to_vec(),
        b"rubbish".to_vec(),
        Vec::new(),
    ];
    for block in blocks {
        let facts = facts(&with_exif(&block)).expect("the photo itself is sound");
        assert_eq!((facts.width, facts.height, facts.position), (8, 6, None));
        assert!(matches!(facts.notes[0].problem, Problem::Damaged(_)), "{block:?}");
    }
}

#[test]
fn entities_in_xmp_do_not_grow() {
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
        <x xmlns:e="http://ns.adobe.com/exif/1.0/"><e:GPSLatitude>&b;&b;</e:GPSLatitude></x>"#;
    let jpeg = with_segment(format!("http://ns.adobe.com/xap/1.0/\0{bomb}").as_bytes());
    assert_eq!(facts(&jpeg).expect("facts").position, None);
}

#[test]
fn a_photo_cut_anywhere_gives_facts_or_an_error() {
    for name in ["three.jpg", "xmp.jpg", "camera.jpg"] {
        let whole = bytes(name);
        for at in 0..whole.len() {
            let _ = facts(&whole[..at]);
            let mut changed = whole.clone();
            changed[at] ^= 0xFF;
            let _ = facts(&changed);
        }
    }
}

/// The real photos beside the project, where they are.
#[test]
#[expect(clippy::print_stdout, reason = "a skipped comparison says so")]
fn positions_and_times_of_real_photos_agree_with_their_truth() {
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/photos");
    let mut compared = 0;
    for folder in std::fs::read_dir(&photos).into_iter().flatten() {
        let folder = folder.expect("listed").path();
        let Ok(mut truth) = csv::Reader::from_path(folder.join("truth.csv")) else { continue };
        for row in truth.records() {
            let row = row.expect("a row");
            let name = folder.join(&row[0]).display().to_string();
            let facts = PhotoFacts::read(Path::new(&name)).expect(&name);
            let number = |at: usize| row[at].parse::<f64>().expect("a number");
            let truth = LatLng::new(number(1), number(2)).expect("on the earth");
            let position = facts.position.unwrap_or_else(|| panic!("{name}: {:?}", facts.notes));
            assert!(position.distance_to(truth).m() < 1.0, "{name}: {position} and {truth}");
            assert_eq!(facts.time.as_deref().unwrap_or_default(), &row[3], "{name}");
            compared += 1;
        }
    }
    if compared == 0 {
        println!("skipped: no photos at {}", photos.display());
    }
}

#[test]
fn a_position_that_is_marked_as_an_estimate_is_said_to_be_one_and_hides_no_measured_one() {
    let at = r#"e:GPSLatitude="10,0N" e:GPSLongitude="9,0E""#;
    let keyword = "<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>Location/Estimated</rdf:li>\
                   </rdf:Bag></dc:subject>";
    let marked = [
        format!(r#"{at} e:GPSProcessingMethod="PlaNet estimate (city)">"#),
        format!("{at}>{keyword}"),
    ];
    for properties in &marked {
        let facts = facts(&with_xmp(properties)).expect("facts");
        assert_eq!(facts.position_source, Some(PositionSource::Estimate), "{properties}");
        let record = facts.into_record("a.jpg".to_owned());
        assert_eq!(record.position.expect("it stays visible").lat(), 10.0);
        assert_eq!(record.known_position(), None);
    }
    // The photo's own EXIF position wins over an estimate beside it.
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("a.jpg");
    std::fs::write(&photo, bytes("three.jpg")).expect("written");
    std::fs::write(folder.path().join("a.xmp"), packet(&marked[0])).expect("written");
    let facts = PhotoFacts::read(&photo).expect("facts");
    assert_eq!(facts.position_source, Some(PositionSource::Exif));
    assert!((facts.position.expect("measured").lat() - 45.4408).abs() < 1e-9);
}

#[test]
fn what_takeout_wrote_beside_a_photo_counts_where_the_photo_itself_is_silent() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join(name), content).expect("written");
    };
    let read = |name: &str| PhotoFacts::read(&folder.path().join(name)).expect("facts");
    let json = br#"{"title": "a.jpg", "photoTakenTime": {"timestamp": "1563120202"},
        "geoData": {"latitude": 60.5, "longitude": 10.0, "altitude": 0.0}}"#;
    // An edited copy has its original's sidecar.
    write("a(1).jpg", &with_segment(b"nothing"));
    write("a-edited(1).jpg", &with_segment(b"nothing"));
    write("a.jpg.supplemental-metadata(1).json", json);
    for name in ["a(1).jpg", "a-edited(1).jpg"] {
        let facts = read(name);
        assert_eq!(facts.position.map(|it| it.lat()), Some(60.5), "{name}");
        assert_eq!(facts.position_source, Some(PositionSource::Takeout));
        assert_eq!(facts.time.as_deref(), Some("2019-07-14T16:03:22Z"));
    }
    // The photo's own position and time win, and the other position is not dropped in silence.
    write("b.jpg", &bytes("three.jpg"));
    let before = read("b.jpg");
    write("b.jpg.json", json);
    let facts = read("b.jpg");
    assert_eq!((facts.position, facts.position_source), (before.position, before.position_source));
    let note = facts.notes.last().expect("a note");
    assert_eq!(note.found_in, PositionSource::Takeout);
    assert!(matches!(note.problem, Problem::Elsewhere { .. }), "{note}");
}

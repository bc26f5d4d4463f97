//! Predictions: from scores to lines of every format, and back.

use std::{fs, path::Path, sync::Arc};

use planet::{
    Decision, Locator, LocatorOptions, PredictedRegion, Prediction, PredictionFile,
    PredictionFormat, PredictionReader, PredictionWriter, ProbabilityError, Within, WithinError,
    WriterOptions,
};
use planet_data::{Gazetteer, Settings, table::open_text};
use planet_geo::{
    CellId, Class, ClassId, ClassKind, LatLng, Partition, PartitionInfo, Scale, Scatter,
};

fn class(token: &str) -> Class {
    let cell: CellId = token.parse().expect("a token of this test");
    let centre = Some(cell.centre());
    // Nearly all photos lie at the centre.
    let scatter = Scatter::new([0.99, 1.0, 1.0, 1.0, 1.0]);
    Class { kind: ClassKind::Cells(vec![cell]), photos: 999, mean: centre, centre, scatter }
}

/// Nothing of these; Venice; a point in Rome; Ushuaia; Padua, 30 km from Venice.
fn partition() -> Arc<Partition> {
    let (mean, centre, scatter) = (None, None, None);
    let other = Class { kind: ClassKind::Other, photos: 0, mean, centre, scatter };
    let rome = LatLng::new(41.9, 12.48).expect("Rome");
    let (mean, centre) = (Some(rome), Some(rome));
    let rome = Class { kind: ClassKind::PointOnly, photos: 0, mean, centre, scatter };
    let ushuaia = LatLng::new(-54.8, -68.3).expect("Ushuaia");
    let ushuaia = CellId::containing(
        ushuaia,
        "10".parse::<u8>().map(planet_geo::Level::new).expect("a number").expect("a level"),
    )
    .token();
    let classes = vec![other, class("477eb1"), rome, class(&ushuaia), class("477ed9")];
    Arc::new(Partition::new(PartitionInfo::default(), classes).expect("disjoint"))
}

fn locator(options: LocatorOptions) -> Result<Locator, WithinError> {
    Locator::new(partition(), 1.0, options, Arc::new(Gazetteer::new()))
}

fn logits(probabilities: [f32; 5]) -> [f32; 5] {
    probabilities.map(f32::ln)
}

#[test]
fn candidates_are_places_in_order_of_their_probability() {
    let locator = locator(LocatorOptions { top: 2, ..Default::default() }).expect("no ground");
    let prediction = locator.predict("a.jpg", &logits([0.5, 0.1, 0.3, 0.04, 0.06])).expect("sound");
    let classes: Vec<_> = prediction.candidates.iter().map(|c| c.class).collect();
    assert_eq!(classes, [Some(ClassId(2)), Some(ClassId(1))]);
    let best = prediction.best().expect("two");
    assert!((best.probability.expect("stated") - 0.3).abs() < 1e-6);
    assert_eq!(best.cell, "");
    assert_eq!(best.place.as_ref().expect("named").country_code, "IT");
    assert!(prediction.candidates[1].radius.km() > 4.0);
}

#[test]
fn the_first_candidate_is_the_one_that_is_decided_on() {
    let first = |decision, probabilities| {
        let options = LocatorOptions { top: 3, decision, ..Default::default() };
        let locator = locator(options).expect("no ground");
        let prediction = locator.predict("a.jpg", &logits(probabilities)).expect("sound");
        let classes: Vec<u32> =
            prediction.candidates.iter().map(|it| it.class.expect("a class").0).collect();
        let mut others = classes.clone();
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), 3, "{classes:?}");
        let percent = 100.0 * prediction.candidates[0].probability.expect("stated");
        (classes[0], percent.round())
    };
    // Venice and Padua together have more than Ushuaia.
    let divided = [0.01, 0.31, 0.04, 0.35, 0.29];
    assert_eq!(first(Decision::Cell, divided), (3, 35.0));
    assert_eq!(first(Decision::Within(Scale::Street), divided).0, 3);
    assert_eq!(first(Decision::Within(Scale::Region), divided), (1, 31.0));
    assert_eq!(first(Decision::Score, divided), (1, 31.0));
    // Alone, the most probable place is the best by every measure.
    let clear = [0.01, 0.02, 0.02, 0.93, 0.02];
    for decision in [Decision::Cell, Decision::Score, Decision::Within(Scale::Country)] {
        assert_eq!(first(decision, clear).0, 3, "{decision}");
    }
}

#[test]
fn the_certain_level_is_the_finest_that_holds_the_share() {
    let locator = locator(LocatorOptions::default()).expect("no ground");
    let level = |probabilities| {
        let prediction = locator.predict("a.jpg", &logits(probabilities)).expect("sound");
        prediction.certain.map(|certain| certain.level)
    };
    assert_eq!(level([0.1, 0.6, 0.1, 0.1, 0.1]), Some(Scale::Street));
    assert_eq!(level([0.2, 0.3, 0.1, 0.1, 0.3]), Some(Scale::Region));
    assert_eq!(level([0.1, 0.3, 0.3, 0.2, 0.1]), Some(Scale::Country));
    assert_eq!(level([0.8, 0.05, 0.05, 0.05, 0.05]), None);
}

#[test]
fn what_is_certain_is_the_share_of_photos_that_lie_near_and_not_the_whole_cell() {
    // Half of the photos of a cell of 80 km lie within 1 km of its point, all of them in the cell.
    let cell: CellId = "47c5".parse().expect("a cell");
    let centre = Some(cell.centre());
    let kind = ClassKind::Cells(vec![cell]);
    let wide = |scatter| {
        let small = Class { kind: kind.clone(), photos: 999, mean: centre, centre, scatter };
        let far = Class { scatter: None, ..class("1") };
        let partition = Partition::new(PartitionInfo::default(), vec![small, far]);
        let partition = Arc::new(partition.expect("disjoint"));
        let options = LocatorOptions { certain: 0.3, ..LocatorOptions::default() };
        let locator = Locator::new(partition, 1.0, options, Arc::new(Gazetteer::new()));
        let locator = locator.expect("no ground");
        let said = locator.predict("a.jpg", &[0.8f32.ln(), 0.2f32.ln()]).expect("sound");
        said.certain.expect("80 % lie in one cell")
    };
    let counted = wide(Scatter::new([0.5, 0.5, 1.0, 1.0, 1.0]));
    assert_eq!(counted.level, Scale::Street);
    assert!((counted.probability - 0.4).abs() < 1e-3, "{counted:?}");
    // By area, hardly any photo lies within 1 km: the cell itself is as near as can be told.
    let by_area = wide(None);
    assert!(by_area.level > Scale::Street && by_area.probability < 0.8 + 1e-3, "{by_area:?}");
}

#[test]
fn ground_known_beforehand_takes_the_other_classes_out() {
    let italy = Within::parse("IT").expect("a code");
    let options = LocatorOptions { within: Some(italy), ..Default::default() };
    let locator = locator(options).expect("three classes lie there");
    let prediction = locator.predict("a.jpg", &logits([0.5, 0.1, 0.0, 0.3, 0.1])).expect("sound");
    let shares: Vec<f32> = prediction.candidates.iter().filter_map(|c| c.probability).collect();
    assert_eq!(shares, [0.5, 0.5]);
}

#[test]
fn ground_without_a_class_is_an_error() {
    let japan = Within::parse("JP").expect("a code");
    let options = LocatorOptions { within: Some(japan), ..Default::default() };
    assert_eq!(locator(options).err(), Some(WithinError::Empty));
}

#[test]
fn scores_that_are_no_distribution_are_refused_also_where_ground_is_ruled_out() {
    let italy = Within::parse("IT").expect("a code");
    let options = LocatorOptions { within: Some(italy), ..Default::default() };
    let locator = locator(options).expect("three classes lie there");
    let mut scores = [0.0; 5];
    scores[3] = f32::NAN;
    assert!(matches!(
        locator.predict("a.jpg", &scores),
        Err(ProbabilityError::Score { class: 3, .. })
    ));
    let error = locator.predict("a.jpg", &scores[..2]).expect_err("too few");
    assert_eq!(error, ProbabilityError::Classes { stated: 5, found: 2 });
}

fn predictions() -> Vec<Prediction> {
    let locator = locator(LocatorOptions { top: 2, ..Default::default() }).expect("no ground");
    let mut sure =
        locator.predict("a,\"b\".jpg", &logits([0.0, 0.75, 0.25, 0.0, 0.0])).expect("ok");
    sure.embedding = Some(vec![0.5, -1.25]);
    let mut known = locator.predict("known.jpg", &logits([0.0, 0.75, 0.25, 0.0, 0.0])).expect("ok");
    known.truth = Some(LatLng::new(45.4, 12.3).expect("near Venice"));
    let unsure = locator.predict("<c>.jpg", &logits([0.0, 0.25, 0.0, 0.5, 0.25])).expect("ok");
    let south = locator.predict("south.jpg", &logits([0.0, 0.0, 0.0, 1.0, 0.0])).expect("ok");
    vec![sure, Prediction::failed("broken.jpg", "the file is empty"), known, unsure, south]
}

fn written(format: PredictionFormat) -> String {
    let options = WriterOptions { root: "photos".into(), ..WriterOptions::default() };
    let mut writer = PredictionWriter::new(Vec::new(), format, options).expect("memory");
    for prediction in predictions() {
        writer.write(&prediction).expect("memory");
    }
    String::from_utf8(writer.finish().expect("memory")).expect("UTF-8")
}

fn read(name: &str, text: &str) -> Result<Vec<Prediction>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, text).expect("written");
    let reader = PredictionReader::open(&path, None).map_err(|error| error.to_string())?;
    reader.map(|prediction| prediction.map_err(|error| error.to_string())).collect()
}

/// Compared as text, which rounds positions to a centimetre on both sides.
#[test]
fn jsonl_read_and_written_again_is_the_same() {
    let text = written(PredictionFormat::Jsonl);
    let back = read("p.jsonl", &text).expect("our own lines");
    let mut writer =
        PredictionWriter::new(Vec::new(), PredictionFormat::Jsonl, WriterOptions::default())
            .expect("memory");
    back.iter().for_each(|prediction| writer.write(prediction).expect("memory"));
    assert_eq!(String::from_utf8(writer.finish().expect("memory")).expect("UTF-8"), text);
    assert_eq!(back.len(), 5);
    assert_eq!(back[1].error.as_deref(), Some("the file is empty"));
}

#[test]
fn a_region_comes_back_from_its_line() {
    let region = PredictedRegion {
        share: 0.9,
        classes: vec![ClassId(3), ClassId(1)],
        cells: vec!["477eb1".to_owned(), "477ed9".to_owned()],
        area_km2: 165.0,
    };
    let prediction = Prediction {
        photo: "a.jpg".to_owned(),
        region: Some(region.clone()),
        ..Prediction::default()
    };
    let line = prediction.to_json();
    assert!(line.contains(r#""region":{"share":0.9,"area_km2":165.0,"#), "{line}");
    let back = read("p.jsonl", &format!("{line}\n")).expect("our own line");
    assert_eq!(back[0].region, Some(region));
}

#[test]
fn a_line_of_jsonl_is_what_the_contract_says() {
    let text = written(PredictionFormat::Jsonl);
    let line: serde_json::Value =
        serde_json::from_str(text.lines().nth(2).expect("five lines")).expect("JSON");
    let first = &line["predictions"][0];
    assert_eq!(
        (&line["photo"], &first["class"], &first["cell"]),
        (&"known.jpg".into(), &1.into(), &"477eb1".into())
    );
    assert_eq!(first["probability"], 0.75);
    assert_eq!(first["place"]["country_code"], "IT");
    assert!(first["radius_km"].as_f64().expect("a number") > 1.0);
    assert_eq!(line["certain"]["level"], "street");
    assert_eq!(line["certain"]["radius_km"], 1.0);
    assert!(line["truth"]["distance_km"].as_f64().expect("a number") < 20.0);
    assert_eq!(line.get("error"), None);
    let failed: serde_json::Value =
        serde_json::from_str(text.lines().nth(1).expect("five lines")).expect("JSON");
    assert_eq!(failed, serde_json::json!({"photo": "broken.jpg", "error": "the file is empty"}));
}

#[test]
fn csv_keeps_every_photo_also_one_without_an_answer() {
    let text = written(PredictionFormat::Csv);
    assert!(text.starts_with("img_id,p_key,pred_class,pred_lat,pred_lng,probability\n"));
    let back = read("p.csv", &text).expect("our own rows");
    let ids: Vec<&str> = back.iter().map(|p| p.photo.as_str()).collect();
    assert_eq!(ids, ["a,\"b\".jpg", "broken.jpg", "known.jpg", "<c>.jpg", "south.jpg"]);
    assert_eq!(back[0].candidates.len(), 2);
    assert_eq!(back[0].candidates[1].class, Some(ClassId(2)));
    assert_eq!(back[0].candidates[0].probability, Some(0.75));
    assert!(back[1].candidates.is_empty() && back[1].error.is_some());
}

#[test]
fn exiftool_gets_certain_answers_for_photos_without_a_position_with_their_hemisphere() {
    let text = written(PredictionFormat::ExiftoolCsv);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 4, "{text}");
    assert!(rows[1].starts_with("\"photos/a,\"\"b\"\".jpg\",45.4"), "{text}");
    assert!(
        rows[1].ends_with(",N,12.3367574,E,1000,PlaNet estimate (street)")
            || rows[1].contains(",N,12."),
        "{text}"
    );
    assert!(rows[3].starts_with("photos/south.jpg,54.") && rows[3].contains(",S,68."), "{text}");
    assert!(rows[3].contains(",W,1000,"), "{text}");
}

#[test]
fn geojson_and_kml_hold_every_photo_in_the_order_longitude_latitude() {
    let value: serde_json::Value =
        serde_json::from_str(&written(PredictionFormat::GeoJson)).expect("JSON");
    let features = value["features"].as_array().expect("a list");
    assert_eq!(features.len(), 5);
    assert!(features[0]["geometry"]["coordinates"][1].as_f64().expect("a latitude") > 45.0);
    assert!(features[1]["geometry"].is_null());
    let kml = written(PredictionFormat::Kml);
    assert_eq!(kml.matches("<Placemark>").count(), 5);
    assert!(kml.contains("<name>&lt;c&gt;.jpg</name>"), "{kml}");
    assert!(kml.contains("<coordinates>12."), "{kml}");
    assert!(kml.ends_with("</Document></kml>\n"));
}

#[test]
fn other_systems_files_are_read() {
    let with_truth = "img_id,gt_lat,predicted_lat,gt_long,predicted_long,great_circle_distance\n\
                      7_x.jpg,1.5,2.5,3.5,4.5,157.2\n";
    let read_back = read("theirs.csv", with_truth).expect("their layout");
    assert_eq!(read_back[0].truth, LatLng::new(1.5, 3.5).ok());
    assert_eq!(read_back[0].candidates[0].position, LatLng::new(2.5, 4.5).expect("in range"));
    let partitionings = "img_id,p_key,pred_class,pred_lat,pred_lng\n\
                         a,coarse,1,10,20\na,hierarchy,2,30,40\n";
    let error = read("p.csv", partitionings).expect_err("which of them?");
    assert!(error.contains("--p-key coarse"), "{error}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("p.csv");
    fs::write(&path, partitionings).expect("written");
    let chosen: Vec<Prediction> = PredictionReader::open(&path, Some("hierarchy"))
        .expect("opened")
        .collect::<Result<_, _>>()
        .expect("sound");
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].candidates[0].class, Some(ClassId(2)));
}

#[test]
fn a_photo_before_a_wrong_row_is_read_and_the_error_comes_behind_it() {
    let text = "img_id,p_key,pred_class,pred_lat,pred_lng,probability\n\
                a,0,1,10,20,0.5\na,1,2,11,21,0.2\nb,0,1,91,0,0.5\nc,0,1,12,22,0.5\n";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("p.csv");
    fs::write(&path, text).expect("written");
    let read: Vec<_> = PredictionReader::open(&path, None).expect("opened").collect();
    assert_eq!(read.len(), 3);
    assert_eq!(read[0].as_ref().expect("whole").candidates.len(), 2);
    assert!(read[1].as_ref().expect_err("latitude 91").to_string().contains("p.csv:4"));
    assert_eq!(read[2].as_ref().expect("whole").photo, "c");
}

#[test]
fn files_whose_names_say_no_kind_are_read_by_their_first_line() {
    for (text, photos) in [
        ("img_id,lat,lng\na,1,2\nb,3,4\n", 2),
        ("# by=them\nimg_id\tlat\tlng\na\t1\t2\n", 1),
        ("{\"photo\":\"a\"}\n", 1),
    ] {
        assert_eq!(read("63", text).expect("told from the content").len(), photos, "{text}");
    }
}

#[test]
fn wrong_lines_are_named() {
    let cases = [
        ("p.csv", "img_id,lat,lng\na,91,0\n", "p.csv:2: latitude 91"),
        ("p.csv", "img_id,lat,lng\na,x,0\n", "p.csv:2: 'x' is not a number"),
        ("p.csv", "img_id,lat,lng\n,1,0\n", "the photo's id is empty"),
        ("p.csv", "img_id,lat\na,1\n", "no column with the answer's longitude"),
        ("p.csv", "img_id,lat,lng,probability\na,1,0,1.5\n", "probability '1.5'"),
        ("p.jsonl", "{\"photo\":\"a\"}\n{\"photo\":", "p.jsonl:2: "),
        ("p.jsonl", "{\"photo\":\"a\",\"predictions\":[{\"lat\":0,\"lng\":999}]}", "longitude 999"),
        ("p.jsonl", "{\"predictions\":[]}", "missing field `photo`"),
        ("p.parquet", "PAR1", ".jsonl, .csv or .tsv"),
    ];
    for (name, text, named) in cases {
        let error = read(name, text).expect_err(text);
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_format_is_told_from_a_files_name() {
    let of = |name: &str| PredictionFormat::of(Path::new(name));
    assert_eq!(of("p.jsonl.gz"), Some(PredictionFormat::Jsonl));
    assert_eq!(of("p.CSV"), Some(PredictionFormat::Csv));
    assert_eq!(of("p.kml"), Some(PredictionFormat::Kml));
    assert_eq!(of("p.parquet"), Some(PredictionFormat::Parquet));
    // Parquet compresses itself.
    assert_eq!(of("p.parquet.gz"), None);
    assert_eq!(of("predictions"), None);
}

#[test]
fn an_output_that_was_cut_anywhere_is_resumed_to_the_whole_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let locator = locator(LocatorOptions { top: 3, ..Default::default() }).expect("no ground");
    let predict =
        |photo: &str| locator.predict(photo, &logits([0.1, 0.2, 0.3, 0.15, 0.25])).expect("sound");
    let predictions = [
        predict("a, b.jpg"),
        Prediction::failed("cut.jpg", "the file is empty"),
        predict("two\nlines.jpg"),
        predict("c.jpg"),
        predict("c.jpg"),
    ];
    let settings = Settings::from([("--top".to_owned(), "3".to_owned())]);
    for (name, format) in [
        ("a.jsonl", PredictionFormat::Jsonl),
        ("a.csv", PredictionFormat::Csv),
        ("b.jsonl.gz", PredictionFormat::Jsonl),
        ("b.csv.zst", PredictionFormat::Csv),
    ] {
        let path = folder.path().join(name);
        let part = folder.path().join(format!("{name}.part"));
        let begin = || {
            PredictionFile::create_resumable(&path, format, WriterOptions::default(), &settings)
                .expect("begun")
        };
        let text = || std::io::read_to_string(open_text(&path).expect("there")).expect("whole");
        let mut file = begin();
        predictions.iter().for_each(|it| file.write(it).expect("written"));
        file.finish().expect("finished");
        let (bytes, whole) = (fs::read(&path).expect("bytes"), text());
        for cut in 0..=bytes.len() {
            fs::remove_file(&path).expect("removed");
            // As a process that is killed: nothing is tidied up.
            std::mem::forget(begin());
            fs::write(&part, &bytes[..cut]).expect("cut");
            let mut seen = 0;
            let mut count = |_: Prediction| seen += 1;
            let resumed = PredictionFile::resume(
                &path,
                format,
                WriterOptions::default(),
                &settings,
                &mut count,
            );
            let mut file = resumed.expect("resumed");
            predictions[seen..].iter().for_each(|it| file.write(it).expect("written"));
            file.finish().expect("finished");
            assert_eq!(text(), whole, "{name} cut at {cut}");
        }
        assert!(!part.exists(), "{name}");
    }
}

//! Partitions of every layout, whole and broken.

use planet_geo::{ClassId, ClassKind, LatLng, Partition, Point};

fn read(text: &str) -> Result<Partition, String> {
    Partition::read(text.as_bytes(), "p.csv").map_err(|error| error.to_string())
}

fn tokens(partition: &Partition) -> Vec<String> {
    let tokens = |class: &planet_geo::Class| {
        class.cells().iter().map(|cell| cell.token()).collect::<Vec<_>>().join(" ")
    };
    partition.classes().iter().map(tokens).collect()
}

const HEADER: &str = "cell,photos,lat,lng,centre_lat,centre_lng\n";

#[test]
fn our_own_layout_holds_several_cells_points_and_other() {
    let text = format!(
        "# format=planet-partition-1\n# scheme=semantic\n# point=centre\n# photos_outside=3\n{HEADER}\
         other,9,,,,\n47 b1,5,1.5,2.5,,\n,4,10,179.5,,\n3,1,,,,\n"
    );
    let partition = read(&text).expect("a partition");
    assert_eq!(tokens(&partition), ["", "47 b1", "", "3"]);
    assert_eq!(partition.classes()[0].kind, ClassKind::Other);
    assert_eq!(partition.classes()[2].kind, ClassKind::PointOnly);
    assert_eq!(partition.point(ClassId(0)), None);
    assert_eq!(partition.info().point, Point::Centre);
    assert_eq!(partition.info().photos_outside, Some(3));
    let near = LatLng::new(11.0, -179.5).expect("in range");
    assert_eq!(partition.class_of(near), Some(ClassId(2)));
    let mut bytes = Vec::new();
    partition.write(&mut bytes).expect("memory takes it");
    let back = Partition::read(&bytes[..], "p.csv").expect("our own file");
    assert_eq!(back.classes(), partition.classes());
    assert_eq!(back.fingerprint(), partition.fingerprint());
}

#[test]
fn the_layout_of_labels_is_read_in_the_order_of_the_labels() {
    let text = "num_images: 120\nmin_concept_probability: 0.0\n\
                class_label,hex_id,imgs_per_cell,latitude_mean,longitude_mean\n\
                1,47a1,70,45.5,7.25\n0,b1,50.0,1.5,-2.5\n";
    let partition = read(text).expect("a partition");
    assert_eq!(tokens(&partition), ["b1", "47a1"]);
    assert_eq!(partition.classes()[1].photos, 70);
    let mean = LatLng::new(45.5, 7.25).expect("in range");
    assert_eq!(partition.point(ClassId(1)), Some(mean));
    let gap = text.replace("1,47a1", "2,47a1");
    let error = read(&gap).expect_err("class 1 is missing");
    assert!(error.starts_with("p.csv:4: found class 2 instead of class 1"), "{error}");
}

#[test]
fn the_layout_of_ids_has_other_as_its_class_0_written_or_not() {
    for zero in ["", "0,other\n", "0,0000000000000000\n"] {
        let text = format!("id,S2CellId\n{zero}1,47a1000000000000\n2,b100000000000000\n");
        let partition = read(&text).expect("a partition");
        assert_eq!(tokens(&partition), ["", "47a1", "b1"], "{zero}");
        assert_eq!(partition.classes()[0].kind, ClassKind::Other);
        assert_eq!(partition.info().point, Point::Centre);
    }
}

#[test]
fn the_layout_of_tokens_and_points_is_read_with_and_without_a_header() {
    for header in ["", "token\tlat\tlng\n"] {
        let partition = read(&format!("{header}47a1\t45.5\t7.25\nb1\t1.5\t-2.5\n")).expect("ok");
        assert_eq!(tokens(&partition), ["47a1", "b1"]);
        let mean = LatLng::new(1.5, -2.5).expect("in range");
        assert_eq!(partition.point(ClassId(1)), Some(mean));
    }
}

#[test]
fn a_list_of_positions_is_a_gallery_of_points_in_its_order() {
    for header in ["LAT,LON", "latitude,longitude", "lat,lng"] {
        let partition = read(&format!("{header}\n45.5,7.25\n-33.9,18.4\n45.5,7.25\n"));
        let partition = partition.expect("a gallery");
        assert_eq!(partition.classes().len(), 3);
        assert!(partition.classes().iter().all(|class| class.kind == ClassKind::PointOnly));
        let cape = LatLng::new(-33.9, 18.4).expect("in range");
        assert_eq!(partition.point(ClassId(1)), Some(cape));
        assert_eq!(partition.class_of(LatLng::new(-30.0, 20.0).expect("near")), Some(ClassId(1)));
    }
    let error = read("LAT,LON\n45.5,7.25\n,\n").expect_err("an empty row");
    assert!(error.starts_with("p.csv:3: the position is empty"), "{error}");
    // With more columns it is a table of photos, not of classes.
    assert!(read("IMG_ID,LAT,LON\na,45.5,7.25\n").is_err());
}

#[test]
fn windows_line_ends_and_byte_order_marks_are_no_fault() {
    let text = format!("\u{feff}# scheme=x\r\n{}47a1,5,,,,\r\n\r\n", HEADER.replace('\n', "\r\n"));
    assert_eq!(read(&text).expect("a partition").info().scheme, "x");
}

#[test]
fn every_wrong_row_is_refused_by_its_line_with_the_reason() {
    let cases = [
        (
            "47a1,5,,,,\n47a3,5,,,,\n47a14,5,,,,\n",
            "p.csv:4: class 2 owns cell 47a14, which overlaps",
        ),
        (
            "47a1,5,,,,\n47a1,5,,,,\n",
            "p.csv:3: class 1 owns cell 47a1, which overlaps a cell of class 0 (line 2)",
        ),
        ("xyz,5,,,,\n", "p.csv:2: 'xyz' is not an S2 cell token"),
        ("47a1,many,,,,\n", "p.csv:2: photos is 'many', not a whole number"),
        ("47a1,5,91,0,,\n", "p.csv:2: latitude 91 is not within -90..=90"),
        ("47a1,5,NaN,0,,\n", "p.csv:2: latitude NaN is not within"),
        ("47a1,5,north,0,,\n", "p.csv:2: 'north' is not a number of degrees"),
        ("47a1,5,1\n", "p.csv:2: the row has 3 cells, but the header has 6"),
        (",5,,,,\n", "p.csv:2: a class without a cell needs a position"),
        ("", "p.csv: a partition must have between 1 and 4294967295 classes, not 0"),
    ];
    for (rows, reason) in cases {
        let error = read(&format!("{HEADER}{rows}")).expect_err(rows);
        assert!(error.starts_with(reason), "{error}\n  instead of {reason}");
    }
}

#[test]
fn metadata_that_makes_no_sense_is_refused_by_its_line() {
    let cases = [
        ("max_level=31", "p.csv:1: level 31 is not within 0..=30"),
        ("max_level=5", "p.csv:3: cell 47a1 is of level 6, not within the file's 0..=5"),
        ("min_level=900", "p.csv:1: level 900 is not within 0..=30"),
        ("split_above=lots", "p.csv:1: split_above is 'lots', not a whole number"),
        ("point=middle", "p.csv:1: point is 'middle'; it must be 'mean' or 'centre'"),
        ("format=planet-partition-9", "p.csv:1: format 'planet-partition-9' is not supported"),
        ("fingerprint=0123", "p.csv: fingerprint 0123 does not match the rows"),
    ];
    for (line, reason) in cases {
        let error = read(&format!("# {line}\n{HEADER}47a1,5,,,,\n")).expect_err(line);
        assert!(error.starts_with(reason), "{error}\n  instead of {reason}");
    }
}

#[test]
fn what_is_no_partition_is_refused() {
    assert!(read("").expect_err("empty").contains("has no rows"));
    assert!(read("IMG_ID,LAT,LON\na,1,2\n").expect_err("positions").contains("is not a partition"));
    let binary = Partition::read(&[0xff, 0xd8, 0xff, b'\n'][..], "p.csv").expect_err("a picture");
    assert!(binary.to_string().contains("not UTF-8"), "{binary}");
    let endless = std::io::BufReader::new(std::io::repeat(b'7'));
    let error = Partition::read(endless, "p.csv").expect_err("it never ends");
    assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
}

#[test]
fn geojson_and_kml_hold_every_class_within_180_degrees() {
    let text = format!("{HEADER}other,0,,,,\n7,5,,,,\n,4,10,179.5,,\n1,7,,,,\n");
    let partition = read(&text).expect("a partition");
    let mut bytes = Vec::new();
    partition.write_geojson(&mut bytes).expect("memory takes it");
    let json: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let features = json["features"].as_array().expect("features");
    let kinds: Vec<_> = features.iter().map(|f| f["geometry"]["type"].as_str()).collect();
    // Face 3 lies across the antimeridian.
    assert_eq!(kinds, [None, Some("MultiPolygon"), Some("Point"), Some("Polygon")]);
    assert_eq!(features[3]["id"], 3);
    assert_eq!(features[3]["properties"]["cell"], "1");
    assert_eq!(features[3]["properties"]["photos"], 7);
    for piece in features[1]["geometry"]["coordinates"].as_array().expect("pieces") {
        for point in piece[0].as_array().expect("points") {
            assert!(point[0].as_f64().expect("a longitude").abs() <= 180.0);
        }
    }
    let mut bytes = Vec::new();
    partition.write_kml(&mut bytes).expect("memory takes it");
    let kml = String::from_utf8(bytes).expect("text");
    assert_eq!(kml.matches("<Placemark").count(), 3);
    assert_eq!(kml.matches("<Polygon>").count(), 3);
}

#[test]
fn how_photos_scatter_is_written_read_back_and_no_part_of_the_fingerprint() {
    let at = |lat: f64, lng: f64| LatLng::new(lat, lng).expect("in range");
    // Three photos in one place and one 55 km off: their mean lies 14 km and 42 km away.
    let photos = [at(45.0, 10.0), at(45.001, 10.0), at(45.0, 10.001), at(45.5, 10.0)];
    let rules = planet_geo::Uniform {
        level: planet_geo::Level::new(5).expect("a level"),
        keep: planet_geo::Keep::From(1),
        point: Point::Mean,
        source: String::new(),
    };
    let partition = rules.build(&photos.into_iter().collect()).expect("one cell");
    let scatter = partition.classes()[0].scatter.expect("built from photos");
    assert_eq!(scatter.shares(), [0.0, 0.75, 1.0, 1.0, 1.0]);
    let mut bytes = Vec::new();
    partition.write(&mut bytes).expect("memory takes it");
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.contains(
        "\ncell,photos,lat,lng,centre_lat,centre_lng,\
         within_1_km,within_25_km,within_200_km,within_750_km,within_2500_km\n"
    ));
    assert!(text.ends_with(",0,0.75,1,1,1\n"), "{text}");
    let back = read(&text).expect("our own file");
    assert_eq!(back.classes(), partition.classes());
    let bare = partition.with_point(Point::Centre).with_point(Point::Mean);
    assert_eq!(bare.classes()[0].scatter, None);
    assert_eq!(bare.fingerprint(), partition.fingerprint());
    // Four photos weigh as four, the area as one more.
    let expected = partition.shares_within(ClassId(0));
    let area = bare.shares_within(ClassId(0));
    assert!((expected[1] - (4.0 * 0.75 + area[1]) / 5.0).abs() < 1e-12);
    assert!(area[0] < 1e-3 && (0.01..0.2).contains(&area[1]), "{area:?}");
    assert!((area[3] - 1.0).abs() < 1e-9, "{area:?}");
}

#[test]
fn scatter_that_is_incomplete_or_falls_is_refused_by_its_row() {
    let header = "cell,photos,lat,lng,within_1_km,within_25_km,within_200_km,within_750_km";
    let error = read(&format!("{header}\n3,1,,,0,0,0,0\n")).expect_err("a column is missing");
    assert!(error.contains("has no column within_2500_km"), "{error}");
    let whole = format!("{header},within_2500_km\n");
    let error = read(&format!("{whole}3,1,,,0.5,0.4,1,1,1\n")).expect_err("it falls");
    assert!(
        error.starts_with("p.csv:2: ") && error.contains("not fall with the radius"),
        "{error}"
    );
    let error = read(&format!("{whole}3,1,,,0.5,x,1,1,1\n")).expect_err("not a number");
    assert!(error.contains("within_25_km is 'x'"), "{error}");
    let unknown = read(&format!("{whole}3,1,,,,,,,\n")).expect("empty is unknown");
    assert_eq!(unknown.classes()[0].scatter, None);
}

//! Whole libraries: several cameras, estimates, and how sure an answer may be.

use std::sync::Arc;

use planet::{LocatorOptions, Prediction};
use planet_data::{Gazetteer, NoMonitor, PhotoRecord, PositionSource};
use planet_geo::{Keep, LatLng, Level, PhotoLeaves, Point, Uniform};
use planet_library::{Calibration, Library, ModelOutput};

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng::new(lat, lng).expect("in range")
}

fn record(photo: &str, camera: &str, time: &str) -> PhotoRecord {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    PhotoRecord {
        photo: photo.to_owned(),
        camera: some(camera),
        time: some(time),
        ..PhotoRecord::default()
    }
}

fn located(records: &[PhotoRecord]) -> Vec<Prediction> {
    let library = Library::new(records, None);
    let known = library.known_positions();
    let options = LocatorOptions { names: false, ..LocatorOptions::default() };
    let calibration = library.calibrate(&known, &options, &NoMonitor).expect("nobody ends it");
    let gazetteer = Arc::new(Gazetteer::new());
    let mut found = vec![Prediction::default(); records.len()];
    library
        .locate(&known, &calibration, &options, &gazetteer, &NoMonitor, |row, prediction| {
            found[row] = prediction;
        })
        .expect("positions are known");
    found
}

fn best(prediction: &Prediction) -> (LatLng, f32) {
    let best = prediction.best().expect("an answer");
    (best.position, best.probability.expect("it is stated"))
}

/// A trip through twelve towns, another each half day, by a phone that writes time zones and
/// positions and a camera that writes neither. Its clock is behind the local time by `behind`
/// hours. Returns the records and where each photo was taken.
fn trip(camera: &str, behind: i64) -> (Vec<PhotoRecord>, Vec<LatLng>) {
    let (mut records, mut truth) = (Vec::new(), Vec::new());
    let stamp = |minutes: i64| {
        let (day, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
        format!("2023-04-{:02}T{:02}:{:02}:00", 10 + day, minute / 60, minute % 60)
    };
    for half_day in 0..12 {
        let town = at(31.0 + half_day as f64, 130.0 + half_day as f64);
        let start = half_day / 2 * 1440 + if half_day % 2 == 0 { 9 * 60 } else { 15 * 60 };
        for photo in 0..20 {
            let minutes = start + photo * 10;
            let name = format!("{half_day}-{photo}");
            let phone = record(&format!("p{name}"), "phone", &format!("{}+09:00", stamp(minutes)));
            records.push(PhotoRecord { position: Some(town), ..phone });
            let time = stamp(minutes + 4 - behind * 60);
            records.push(record(&format!("c{name}"), camera, &time));
            truth.extend([town, town]);
        }
    }
    (records, truth)
}

#[test]
fn a_phone_with_zones_and_a_camera_without_on_one_trip_are_located_within_25_km() {
    // By local time, at home time nine and eight hours behind; with and without a camera's name.
    for (camera, behind) in [("camera", 0), ("", 0), ("camera", 9), ("camera", 8)] {
        let (records, truth) = trip(camera, behind);
        let found = located(&records);
        let near = |(found, truth): &(&Prediction, &LatLng)| {
            best(found).0.distance_to(**truth).km() <= 25.0
        };
        let right = found.iter().zip(&truth).filter(near).count();
        assert!(right * 100 >= 95 * truth.len(), "{camera:?} {behind}: {right}");
    }
}

#[test]
fn an_artist_in_the_file_does_not_take_a_photo_out_of_its_owners_trip() {
    // Known photos in Oslo long before carry no artist; a camera that writes one is in Rome.
    let (oslo, rome) = (at(59.9, 10.75), at(41.9, 12.5));
    let mut records = Vec::new();
    for photo in 0..20 {
        let time = format!("2022-06-01T12:{photo:02}:00");
        records.push(PhotoRecord { position: Some(oslo), ..record("o", "camera", &time) });
        records[photo * 2].author = Some("Jane".to_owned());
        let time = format!("2022-07-01T12:{photo:02}:00");
        records.push(PhotoRecord { position: Some(rome), ..record("r", "phone", &time) });
    }
    let jane = record("jane.jpg", "camera", "2022-07-01T12:05:30");
    records.push(PhotoRecord { author: Some("Jane".to_owned()), ..jane });
    let found = located(&records);
    let (position, probability) = best(found.last().expect("Jane's"));
    assert!(position.distance_to(rome).km() < 1.0, "{position:?}");
    assert!(probability > 0.5, "{probability}");
}

#[test]
fn estimates_are_no_evidence_and_are_estimated_anew() {
    let (rome, oslo) = (at(41.9, 12.5), at(59.9, 10.75));
    let known = PhotoRecord {
        position: Some(rome),
        position_source: Some(PositionSource::Exif),
        ..record("known", "", "2022-06-01T12:00:00")
    };
    let estimate = PhotoRecord {
        position: Some(oslo),
        position_source: Some(PositionSource::Estimate),
        ..record("estimate", "", "2022-06-01T12:05:00")
    };
    let records = [known, estimate];
    assert_eq!(records[1].position, Some(oslo), "it stays visible");
    assert_eq!(records[1].known_position(), None);
    let (position, _) = best(&located(&records)[1]);
    assert!(position.distance_to(rome).km() < 1.0, "{position:?}");
}

#[test]
fn the_longer_the_time_to_the_only_known_photo_the_less_is_stated() {
    let known =
        |time: &str| PhotoRecord { position: Some(at(41.9, 12.5)), ..record("a", "", time) };
    let stated = |time: &str| {
        let records = [known("2020-05-01T12:00:00"), record("b", "", time)];
        let found = located(&records);
        // The known photo itself is where it is.
        assert_eq!(best(&found[0]).1, 1.0);
        (best(&found[1]).1, found[1].certain.clone())
    };
    let times = ["2020-05-01T12:01:00", "2020-05-01T16:00:00", "2020-05-10T12:00:00"];
    let stated_at = times.map(|time| stated(time).0);
    assert!(stated_at[0] > 0.9 && stated_at[0] < 1.0, "{stated_at:?}");
    assert!(stated_at.windows(2).all(|pair| pair[0] > pair[1]), "{stated_at:?}");
    let (years, certain) = stated("2024-05-01T12:00:00");
    assert!(years < 0.5, "four years later: {years}");
    assert!(certain.is_none_or(|it| it.probability < 0.9 && it.level.name() != "street"));
    // Without a time almost everything is left open.
    for time in ["", "never"] {
        let (untimed, certain) = stated(time);
        assert!(untimed < 0.3, "without a time: {untimed}");
        assert!(certain.is_none_or(|it| it.level.name() != "street" && it.level.name() != "city"));
    }
    let both = [PhotoRecord { time: None, ..known("") }, record("b", "", "")];
    let untimed = best(&located(&both)[1]).1;
    assert!(untimed < 0.3, "neither has a time: {untimed}");
}

#[test]
fn a_known_position_is_stated_as_it_is_and_as_accurately_as_its_file_says() {
    // Two photos in one cell of 1.2 km, whose mean is neither of them.
    let (a, b) = (at(41.9000, 12.5000), at(41.9040, 12.5020));
    let photo = |position, accuracy_m, minute| PhotoRecord {
        position: Some(position),
        accuracy_m,
        ..record("x", "", &format!("2022-06-01T12:{minute:02}:00"))
    };
    let found = located(&[photo(a, None, 0), photo(b, None, 1)]);
    for (prediction, truth) in found.iter().zip([a, b]) {
        assert!(best(prediction).0.distance_to(truth).m() < 0.01);
        let certain = prediction.certain.as_ref().expect("known");
        assert!(certain.position.distance_to(truth).m() < 0.01);
        assert_eq!(certain.level.name(), "street");
    }
    let rough = located(&[photo(a, Some(50_000.0), 0), record("y", "", "2022-06-01T12:01:00")]);
    for prediction in &rough {
        let certain = prediction.certain.as_ref().expect("a region");
        assert_eq!(certain.level.name(), "region", "{certain:?}");
    }
}

#[test]
fn a_library_without_anything_known_needs_a_model() {
    let records = [record("a", "", "2020-01-01T00:00:00")];
    let library = Library::new(&records, None);
    let calibration = Calibration::uncalibrated(1.0);
    let options = LocatorOptions::default();
    let gazetteer = Arc::new(Gazetteer::new());
    let ended = library.locate(&[None], &calibration, &options, &gazetteer, &NoMonitor, |_, _| {});
    assert!(
        ended.expect_err("nothing is known").to_string().contains("so no photo can be located")
    );
}

#[test]
fn a_model_and_known_positions_locate_together() {
    let photos: PhotoLeaves = (0..60).map(|it| at(f64::from(it) - 30.0, 10.0)).collect();
    let level = Level::new(6).expect("a level");
    let scheme = Uniform { level, keep: Keep::From(1), point: Point::Mean, source: String::new() };
    let partition = scheme.build(&photos).expect("cells");
    let truth = |row: usize| at((row / 10) as f64 - 30.0, 10.0);
    let records: Vec<PhotoRecord> = (0..100)
        .map(|row| PhotoRecord {
            position: (row % 2 == 0).then(|| truth(row)),
            ..record("x", "", &format!("2022-06-{:02}T12:{:02}:00", 1 + row / 10, row % 10))
        })
        .collect();
    let probabilities = |row: usize| {
        let right = partition.class_of(truth(row))?.index();
        Some((0..partition.len()).map(|it| if it == right { 0.7 } else { 0.005 }).collect())
    };
    let output = ModelOutput { partition: &partition, probabilities: &probabilities, prior: None };
    let library = Library::new(&records, Some(output));
    let known = library.known_positions();
    let options = LocatorOptions { names: false, ..LocatorOptions::default() };
    let calibration = library.calibrate(&known, &options, &NoMonitor).expect("nobody ends it");
    let gazetteer = Arc::new(Gazetteer::new());
    let mut right = 0;
    library
        .locate(&known, &calibration, &options, &gazetteer, &NoMonitor, |row, prediction| {
            right += usize::from(best(&prediction).0.distance_to(truth(row)).km() <= 25.0);
        })
        .expect("located");
    assert!(right >= 95, "{right} of 100");
}

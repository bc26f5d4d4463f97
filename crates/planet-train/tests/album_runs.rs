//! Whole runs on albums whose photos mostly show nothing: what each scheme can learn, and that an
//! interrupted run goes on as if it had not been.

mod support;

use std::{path::Path, sync::Arc};

use planet::album::{Embeddings, Scheme};
use planet_data::PhotoRecord;
use planet_train::{
    AlbumConfig, AlbumSamples, Checkpoint, Run, RunFolder, RunParts, Scores, StopReason, TrainError,
};
use support::{PLACES, Watch, at, partition};

const FEATURES: usize = 6;

/// Albums of 3 to 8 photos at one of four places. One photo shows the place (a feature of its
/// own), the others only noise.
fn albums(numbers: std::ops::Range<usize>) -> AlbumSamples {
    let mut embeddings = Embeddings::new("drawn".to_owned(), FEATURES);
    let mut records = Vec::new();
    for album in numbers {
        let (place, length) = (album * 7 % 11 % PLACES.len(), 3 + album % 6);
        let telling = album * 5 % length;
        for photo in 0..length {
            let id = format!("{album}/{photo}");
            let mut embedding = [0.0; FEATURES];
            embedding[4] = ((album * 31 + photo * 17) % 10) as f32 / 10.0;
            embedding[place] = if photo == telling { 3.0 } else { 0.0 };
            embeddings.add(&id, &embedding);
            records.push(PhotoRecord {
                photo: id,
                position: Some(at(place)),
                album: Some(album.to_string()),
                time: Some(format!("2019-07-14T10:{photo:02}:00")),
                ..PhotoRecord::default()
            });
        }
    }
    AlbumSamples::new(Arc::new(embeddings), &records, &partition())
}

fn config(scheme: Scheme) -> AlbumConfig {
    let mut config = AlbumConfig { scheme, hidden: 12, batch: 6, epochs: 14, ..Default::default() };
    config.learning_rate.start = 0.02;
    config.patience = 0;
    config
}

fn parts(
    folder: RunFolder,
    config: AlbumConfig,
    training: AlbumSamples,
    validation: Option<AlbumSamples>,
) -> RunParts<AlbumConfig, AlbumSamples> {
    RunParts { folder, config, partition: partition(), training, validation }
}

fn start(folder: &Path, config: AlbumConfig) -> Run {
    let folder = RunFolder::at(folder);
    parts(folder, config, albums(0..120), Some(albums(120..180))).start().expect("it begins")
}

fn resume(folder: &Path) -> Run {
    let folder = RunFolder::at(folder);
    let config = AlbumConfig::read(&folder.config()).expect("a config");
    parts(folder, config, albums(0..120), Some(albums(120..180))).resume().expect("it goes on")
}

fn scores(scheme: Scheme) -> Scores {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = start(&folder.path().join("run"), config(scheme));
    assert_eq!(run.train(&Watch::default()).expect("trained"), StopReason::Epochs);
    run.position().history.last().and_then(|epoch| epoch.validation.clone()).expect("scores")
}

#[test]
fn schemes_that_see_the_whole_album_know_every_place_and_others_from_the_telling_photo_on() {
    for scheme in [Scheme::Blstm, Scheme::Blstm25, Scheme::LstmRepeat, Scheme::LstmRepeat25] {
        let found = scores(scheme).cell_1;
        assert!(found > 0.97, "{scheme}: {found}");
    }
    // The photos before the telling one: whoever reads forward must guess them.
    let known = |late: usize| {
        let albums = (120..180).map(|album| (3 + album % 6, album * 5 % (3 + album % 6)));
        let (known, all) =
            albums.fold((0, 0), |(known, all), (length, telling): (usize, usize)| {
                (known + length - telling.saturating_sub(late), all + length)
            });
        f64::from(known as u32) / f64::from(all as u32)
    };
    let schemes = [Scheme::Lstm, Scheme::LstmOffset1, Scheme::LstmOffset2];
    for (late, scheme) in schemes.into_iter().enumerate() {
        let (found, known) = (scores(scheme).cell_1, known(late));
        // A blind guess among four is right now and then.
        let most = known + 0.5 * (1.0 - known);
        assert!((known - 0.01..most).contains(&found), "{scheme}: {found}, known {known}");
    }
}

#[test]
fn a_run_on_albums_that_is_interrupted_anywhere_ends_in_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    for scheme in [Scheme::LstmOffset1, Scheme::Blstm25] {
        let config =
            AlbumConfig { epochs: 2, chunk: 3, reverse: 0.5, dropout: 0.3, ..config(scheme) };
        let whole = folder.path().join(format!("{scheme}-whole"));
        start(&whole, config.clone()).train(&Watch::default()).expect("trained");
        let broken = folder.path().join(format!("{scheme}-broken"));
        let ended = start(&broken, config).train(&Watch::until(3)).expect("it stops");
        assert_eq!(ended, StopReason::Interrupted);
        for steps in [1, 20] {
            let ended = resume(&broken).train(&Watch::until(steps)).expect("it stops");
            assert_eq!(ended, StopReason::Interrupted);
        }
        assert_eq!(resume(&broken).train(&Watch::default()).expect("trained"), StopReason::Epochs);
        let last = |path: &Path| {
            Checkpoint::read(&RunFolder::at(path).last()).expect("a checkpoint").state
        };
        assert!(last(&whole) == last(&broken), "{scheme}: not the same state");
    }
}

#[test]
fn photos_without_embedding_or_position_are_read_over_and_failures_stay_in_the_denominator() {
    let mut embeddings = Embeddings::new("drawn".to_owned(), FEATURES);
    let record = |photo: &str, position| PhotoRecord {
        photo: photo.to_owned(),
        position,
        album: Some("a".to_owned()),
        ..PhotoRecord::default()
    };
    embeddings.add("good", &[1.0; FEATURES]);
    embeddings.add("lost", &[1.0; FEATURES]);
    let sea = planet_geo::LatLng::new(0.0, 0.0).ok();
    embeddings.add("at sea", &[1.0; FEATURES]);
    let records = [
        record("good", Some(at(0))),
        record("broken", Some(at(0))),
        record("lost", None),
        record("at sea", sea),
    ];
    let samples = AlbumSamples::new(Arc::new(embeddings), &records, &partition());
    assert_eq!(
        [samples.photos(), samples.without_embedding(), samples.without_position()],
        [4, 1, 1]
    );
    let folder = tempfile::tempdir().expect("a folder");
    let run = RunFolder::at(folder.path().join("run"));
    let config = AlbumConfig { epochs: 1, ..config(Scheme::Lstm) };
    let validation = Some(samples.clone());
    let begun = parts(run.clone(), config.clone(), samples, validation).start();
    let mut begun = begun.expect("one photo is enough");
    assert_eq!(begun.photos(), 1);
    begun.train(&Watch::default()).expect("trained");
    let scores = begun.position().history[0].validation.clone().expect("scores");
    assert_eq!((scores.photos, scores.failed), (3, 1));
    assert!(scores.within_1[4] <= 2.0 / 3.0);

    let nothing = AlbumSamples::new(
        Arc::new(Embeddings::new("drawn".to_owned(), FEATURES)),
        &records[2..],
        &partition(),
    );
    let elsewhere = RunFolder::at(folder.path().join("other"));
    let error = parts(elsewhere, config.clone(), nothing.clone(), None).start();
    assert!(matches!(error, Err(TrainError::NoPhotos { photos: 2, .. })));
    let error = parts(run, config, nothing, None).start().map(|_| ());
    assert!(matches!(error, Err(TrainError::Taken { .. })));
}

#[test]
fn a_loss_that_is_no_number_stops_and_names_the_albums_photos() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut embeddings = Embeddings::new("drawn".to_owned(), FEATURES);
    embeddings.add("0/0", &[f32::NAN; FEATURES]);
    let record =
        PhotoRecord { photo: "0/0".to_owned(), position: Some(at(0)), ..PhotoRecord::default() };
    let samples = AlbumSamples::new(Arc::new(embeddings), &[record], &partition());
    let run = RunFolder::at(folder.path().join("run"));
    let mut run = parts(run, config(Scheme::Blstm), samples, None).start().expect("it begins");
    let error = run.train(&Watch::default()).expect_err("it diverges").to_string();
    assert!(error.contains("0/0") && error.contains("NaN"), "{error}");
}

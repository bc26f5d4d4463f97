//! Whole runs on photos of plain colours: what is learned, what is written, and that an
//! interrupted run goes on as if it had not been.

mod support;

use std::{path::Path, sync::Arc};

use planet_data::{Photo, PhotoError, PhotoRecord, PhotoStore};
use planet_geo::{LatLng, Partition, PartitionInfo};
use planet_net::Architecture;
use planet_train::{
    ArchitectureName, Checkpoint, Epoch, Hierarchy, LearningRate, Objective, Optimizer, Rule, Run,
    RunFolder, RunParts, Samples, Schedule, Smoothing, SmoothingKind, StopReason, TrainConfig,
    TrainError, Triplets, export, export_features,
};
use support::{PLACES, Watch, at, partition};

/// A colour for each place.
const COLOURS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 40], [30, 40, 220], [210, 200, 30]];

/// Photos `NUMBER-PLACE`, a little different each; those with `broken` in their name cannot be
/// decoded.
struct Colours;

impl PhotoStore for Colours {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        if id.contains("broken") {
            return Err(PhotoError::Empty);
        }
        let mut parts = id.split('-').map(|part| part.parse::<usize>().expect("a number"));
        let (number, place) = (parts.next().expect("number"), parts.next().expect("place"));
        let [r, g, b] = COLOURS[place];
        let shade =
            |value: u8, at: usize| value.saturating_add(((at * 7 + number * 13) % 30) as u8);
        let pixels = (0..32 * 32).flat_map(|at| [shade(r, at), shade(g, at + 1), shade(b, at + 2)]);
        Ok(Photo::from_rgb(32, 32, pixels.collect()).expect("a photo"))
    }
}

fn samples(numbers: std::ops::Range<usize>, broken: usize) -> Samples {
    let first = numbers.start;
    let good = numbers
        .map(|number| (format!("{number}-{}", number % PLACES.len()), number % PLACES.len()));
    let bad = (0..broken).map(|number| (format!("broken-{first}-{number}"), number % PLACES.len()));
    let records = good.chain(bad).map(|(photo, place)| PhotoRecord {
        photo,
        position: Some(at(place)),
        album: Some(place.to_string()),
        ..PhotoRecord::default()
    });
    let lost = [
        PhotoRecord { photo: format!("{first}-0"), ..PhotoRecord::default() },
        PhotoRecord {
            photo: format!("{first}-0"),
            position: LatLng::new(0.0, 0.0).ok(),
            ..PhotoRecord::default()
        },
    ];
    Samples::new(Arc::new(Colours), records.chain(lost), &partition())
}

fn config() -> TrainConfig {
    TrainConfig {
        architecture: ArchitectureName(Architecture::InceptionMini),
        size: 32,
        batch: 8,
        epochs: 3,
        learning_rate: LearningRate { start: 0.01, schedule: Schedule::Cosine, warm_up: 0.2 },
        optimizer: Optimizer {
            average: Some(0.9),
            clip_norm: Some(5.0),
            weight_decay: 1e-4,
            ..Optimizer::default()
        },
        label_smoothing: 0.05,
        ..TrainConfig::default()
    }
}

fn parts(
    folder: RunFolder,
    config: TrainConfig,
    training: Samples,
    validation: Option<Samples>,
) -> RunParts<TrainConfig, Samples> {
    RunParts { folder, config, partition: partition(), training, validation }
}

fn start(folder: &Path, config: TrainConfig) -> Run {
    let folder = RunFolder::at(folder);
    parts(folder, config, samples(0..64, 0), Some(samples(64..96, 0))).start().expect("it begins")
}

fn resume(folder: &Path) -> Run {
    let folder = RunFolder::at(folder);
    let config = TrainConfig::read(&folder.config()).expect("a config");
    parts(folder, config, samples(0..64, 0), Some(samples(64..96, 0))).resume().expect("it goes on")
}

#[test]
fn colours_are_learned_and_everything_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let mut run = start(&path, TrainConfig { epochs: 8, ..config() });
    assert_eq!(run.photos(), 64);
    assert_eq!(run.train(&Watch::default()).expect("trained"), StopReason::Epochs);
    let last = run.position().history.last().expect("epochs").clone();
    let scores = last.validation.expect("validated");
    assert!(scores.cell_1 > 0.9, "{scores:?}");
    // The photo outside every cell stays in the denominator.
    assert_eq!(scores.photos, 33);
    assert!((scores.within_1[4] - 32.0 / 33.0).abs() < 0.1);

    let folder = RunFolder::at(&path);
    let summary = std::fs::read_to_string(folder.summary()).expect("a summary");
    assert_eq!(summary.lines().count(), 9);
    assert!(summary.starts_with("epoch,steps,minutes,learning_rate,loss,"), "{summary}");
    let events = std::fs::read_dir(folder.tensorboard()).expect("a folder").count();
    assert_eq!(events, 1);
    let package = export(&folder, "colours", &folder.path().join("model")).expect("exported");
    assert_eq!(package.description().classes, 4);
    assert!(package.description().temperature > 0.0);
    assert!(package.description().provenance.scores["cell"] > 0.9);
}

#[test]
fn a_run_that_is_interrupted_anywhere_ends_in_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    start(&whole, config()).train(&Watch::default()).expect("trained");
    let wanted = Checkpoint::read(&RunFolder::at(&whole).last()).expect("a checkpoint").state;

    let broken = folder.path().join("broken");
    let ended = start(&broken, config()).train(&Watch::until(3)).expect("it stops");
    assert_eq!(ended, StopReason::Interrupted);
    for steps in [1, 4, 7, 2] {
        assert_eq!(
            resume(&broken).train(&Watch::until(steps)).expect("it stops"),
            StopReason::Interrupted
        );
    }
    assert_eq!(resume(&broken).train(&Watch::default()).expect("trained"), StopReason::Epochs);
    let found = Checkpoint::read(&RunFolder::at(&broken).last()).expect("a checkpoint").state;
    assert!(found == wanted, "not the same weights");
}

#[test]
fn two_short_epochs_take_the_steps_of_one_long_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let learning_rate = LearningRate { start: 0.01, ..LearningRate::default() };
    let whole = TrainConfig { learning_rate, epochs: 1, ..config() };
    let short = TrainConfig { epochs: 2, epoch_photos: 35, ..whole.clone() };
    let [one, two] = ["whole", "short"].map(|name| folder.path().join(name));
    start(&one, whole).train(&Watch::default()).expect("trained");
    start(&two, short).train(&Watch::until(6)).expect("it stops");
    let mut run = resume(&two);
    assert_eq!(run.train(&Watch::default()).expect("trained"), StopReason::Epochs);
    assert_eq!(run.position().history.iter().map(|it| it.steps).collect::<Vec<_>>(), [4, 8]);
    let [one, two] =
        [one, two].map(|path| Checkpoint::read(&RunFolder::at(&path).last()).expect("one").state);
    assert!(one == two, "not the same weights");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let states = [1, 3].map(|threads| {
        let path = folder.path().join(threads.to_string());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let config = TrainConfig { epochs: 1, loader_threads: threads, ..config() };
            start(&path, config).train(&Watch::default()).expect("trained");
        });
        Checkpoint::read(&RunFolder::at(&path).last()).expect("a checkpoint").state
    });
    assert!(states[0] == states[1], "not the same weights");
}

#[test]
fn photos_that_fail_are_named_and_stay_in_the_denominator() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = RunFolder::at(folder.path().join("run"));
    let config = TrainConfig { epochs: 1, ..config() };
    let mut run = parts(path, config, samples(0..40, 4), Some(samples(64..72, 2)))
        .start()
        .expect("it begins");
    let watch = Watch::default();
    run.train(&watch).expect("trained");
    let last = run.position().history.last().expect("an epoch").clone();
    let scores = last.validation.expect("validated");
    assert_eq!((scores.photos, scores.failed), (11, 2));
    assert!(scores.within_5[4] <= 9.0 / 11.0);
    assert!(last.failed >= 1);
    assert!(watch.failed.lock().expect("whole").iter().any(|photo| photo.starts_with("broken")));
}

#[test]
fn a_loss_that_is_no_number_stops_and_names_the_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let wild = TrainConfig {
        learning_rate: LearningRate { start: 1e30, ..LearningRate::default() },
        optimizer: Optimizer { rule: Rule::SGD, ..Optimizer::default() },
        ..config()
    };
    let error =
        start(&folder.path().join("run"), wild).train(&Watch::default()).expect_err("it diverges");
    let TrainError::Diverged { photos, .. } = &error else { panic!("{error}") };
    assert_eq!(photos.len(), 8);
    assert!(error.to_string().contains(&photos[0]), "{error}");
}

#[test]
fn training_ends_when_the_accuracy_no_longer_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let patient = TrainConfig { epochs: 50, patience: 2, ..config() };
    let mut run = start(&folder.path().join("run"), patient);
    assert_eq!(run.train(&Watch::default()).expect("trained"), StopReason::Converged);
    let best = run.best_epoch().expect("an epoch");
    assert_eq!(run.position().epoch, best + 2);
    // Why it ended, and which epoch is exported, is said.
    let reason = run.reason(StopReason::Converged);
    assert_eq!(reason, "the validation accuracy has not improved in 2 epochs");
    let summary = RunFolder::at(folder.path().join("run")).summary();
    let summary = std::fs::read_to_string(summary).expect("a summary");
    let (names, rows) = summary.split_once('\n').expect("rows");
    assert!(names.ends_with(",best"), "{names}");
    let marked = rows.lines().position(|row| row.ends_with(",1")).expect("a row") as u64;
    assert_eq!(marked + 1, best);
    assert_eq!(rows.lines().filter(|row| row.ends_with(",1")).count(), 1);
}

#[test]
fn a_run_never_begins_among_files_of_others() {
    for name in ["partition.csv", "summary.csv", "config.toml", "notes.txt"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run");
        std::fs::create_dir(&path).expect("a folder");
        std::fs::write(path.join(name), "mine").expect("written");
        let folder = RunFolder::at(&path);
        let error =
            parts(folder, config(), samples(0..64, 0), None).start().map(|_| ()).expect_err(name);
        assert!(matches!(error, TrainError::Folder(_)), "{name}: {error}");
        assert_eq!(std::fs::read_to_string(path.join(name)).expect("kept"), "mine");
        assert_eq!(std::fs::read_dir(&path).expect("listed").count(), 1);
    }
}

#[test]
fn a_run_goes_on_only_with_its_own_settings_and_photos() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = RunFolder::at(folder.path().join("run"));
    let go_on = |config: TrainConfig, photos: usize| {
        parts(folder.clone(), config, samples(0..photos, 0), None).resume()
    };
    for steps in [0, 2] {
        if steps == 0 {
            // Ended before its first checkpoint.
            drop(start(folder.path(), config()));
        } else {
            resume(folder.path()).train(&Watch::until(steps)).expect("it stops");
        }
        let learning_rate = LearningRate { start: 0.02, ..config().learning_rate };
        for (config, text) in [
            (TrainConfig { batch: 4, ..config() }, "batch 8, not 4"),
            (TrainConfig { learning_rate, ..config() }, "learning_rate.start 0.01, not 0.02"),
            (TrainConfig { seed: 1, ..config() }, "seed 0, not 1"),
        ] {
            let error = go_on(config, 64).map(|_| ()).expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
    }
    let error = go_on(config(), 60).map(|_| ()).expect_err("other photos").to_string();
    assert!(error.contains("training photos 64, not 60"), "{error}");

    // How long it trains may change, and is then written down.
    let longer = TrainConfig { epochs: 5, ..config() };
    go_on(longer.clone(), 64).expect("it goes on").train(&Watch::until(1)).expect("it stops");
    assert_eq!(TrainConfig::read(&folder.config()).expect("a config"), longer);
    folder.check_made_with(&longer).expect("the same");
    let error = folder.check_made_with(&config()).expect_err("fewer epochs").to_string();
    assert!(error.contains("epochs 5, not 3"), "{error}");
}

#[test]
fn a_package_counts_the_photos_that_were_trained_on() {
    let folder = tempfile::tempdir().expect("a folder");
    // The partition was built from 40 photos; 64 are learned from, or 16 in a short epoch.
    for (name, epoch_photos, wanted) in [("whole", 0, 64), ("part", 16, 16)] {
        let path = folder.path().join(name);
        let config = TrainConfig { epochs: 1, epoch_photos, ..config() };
        start(&path, config).train(&Watch::default()).expect("trained");
        let run = RunFolder::at(&path);
        let package = export(&run, name, &folder.path().join("model")).expect("exported");
        assert_eq!(package.description().provenance.training_photos, Some(wanted), "{name}");
    }
}

#[test]
fn what_cannot_begin_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    drop(start(&path, config()));
    let again = |config: TrainConfig, training: Samples| {
        parts(RunFolder::at(&path), config, training, None).start().map(|_| ())
    };
    assert!(matches!(again(config(), samples(0..64, 0)), Err(TrainError::Taken { .. })));
    std::fs::remove_dir_all(&path).expect("removed");
    let few = again(config(), samples(0..3, 0)).expect_err("too few").to_string();
    assert_eq!(few, "3 photos are fewer than a batch of 8");
    let none = again(config(), samples(0..0, 0)).expect_err("none").to_string();
    assert!(none.contains("1 have no position and 1 are outside"), "{none}");
    let config = TrainConfig { device: "abacus".into(), ..config() };
    assert!(again(config, samples(0..64, 0)).expect_err("unknown").to_string().contains("abacus"));
}

#[test]
fn a_damaged_checkpoint_is_named_and_another_partition_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    start(&path, config()).train(&Watch::until(2)).expect("it stops");
    let run = RunFolder::at(&path);
    let classes = partition().classes()[..3].to_vec();
    let other = Partition::new(PartitionInfo::default(), classes).expect("disjoint");
    let others =
        RunParts { partition: other, ..parts(run.clone(), config(), samples(0..64, 0), None) };
    let error = others.resume().map(|_| ()).expect_err("other classes").to_string();
    assert!(error.contains("another partition"), "{error}");
    let bytes = std::fs::read(run.last()).expect("a checkpoint");
    std::fs::write(run.last(), &bytes[..bytes.len() / 2]).expect("cut");
    let error = parts(run.clone(), config(), samples(0..64, 0), None)
        .resume()
        .map(|_| ())
        .expect_err("cut")
        .to_string();
    assert!(error.contains("checkpoint.safetensors: not a safetensors file"), "{error}");
}

#[test]
fn triplets_bring_photos_of_one_place_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let triplets =
        Triplets { outputs: 8, memory: 100, positives_within_km: Some(1.0), ..Triplets::default() };
    let config = TrainConfig {
        loss: Objective::Triplet,
        triplets,
        batch: 16,
        patience: 0,
        epochs: 24,
        ..config()
    };
    let mut run = start(&path, config);
    // Each photo comes with another one of its album.
    assert_eq!(run.photos(), 64);
    assert_eq!(run.train(&Watch::default()).expect("trained"), StopReason::Epochs);
    let history = &run.position().history;
    assert_eq!(history[0].steps, 8);
    let scores = history.last().and_then(|it| it.validation.clone()).expect("validated");
    let first = history[0].validation.as_ref().expect("validated");
    // The nearest of 33 embeddings is of the same place; how many are, and how much the loss falls,
    // depends on rounding.
    assert!(scores.loss < 0.8 * first.loss, "{first:?} {scores:?}");
    assert!(scores.cell_1 > 0.75 && scores.within_1[0] > 0.75, "{scores:?}");
    let run = RunFolder::at(&path);
    let error = export(&run, "x", &folder.path().join("x")).expect_err("no classifier");
    assert!(error.to_string().contains("--features-only"), "{error}");
    let features = export_features(&run, "places", &folder.path().join("features"));
    assert!(features.expect("exported").features() > 100);
}

#[test]
fn triplets_beside_the_classifier_leave_a_package_with_its_classes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let triplets = Triplets { outputs: 8, ..Triplets::default() };
    let loss = Objective::CrossEntropyAndTriplet;
    let config = TrainConfig { loss, triplets, batch: 16, epochs: 8, patience: 0, ..config() };
    let mut run = start(&path, config);
    run.train(&Watch::default()).expect("trained");
    let scores = run.position().history.last().and_then(|it| it.validation.clone());
    let scores = scores.expect("validated");
    assert!(scores.cell_1 > 0.9, "{scores:?}");
    let package = export(&RunFolder::at(&path), "both", &folder.path().join("model"));
    assert_eq!(package.expect("exported").description().classes, 4);
}

#[test]
fn smoothed_targets_and_ancestors_are_learned_and_validated_by_the_plain_cross_entropy() {
    let folder = tempfile::tempdir().expect("a folder");
    let train = |name: &str, config: TrainConfig| {
        let path = folder.path().join(name);
        let mut run = start(&path, TrainConfig { label_smoothing: 0.0, epochs: 8, ..config });
        run.train(&Watch::default()).expect("trained");
        run.position().history.clone()
    };
    let plain = train("plain", config());
    // The places are thousands of kilometres apart, and each is its class's point.
    let smoothing = Some(Smoothing::of_kind(SmoothingKind::Haversine));
    let smoothed = train("smoothed", TrainConfig { smoothing, ..config() });
    // Of the first epoch: AdaGrad makes rounding grow with every step.
    let [smoothed, plain] = [&smoothed, &plain].map(|history| history[0].loss);
    assert!((smoothed - plain).abs() < 1e-2 * plain, "{smoothed} {plain}");
    // So far that all classes are asked for alike.
    let smoothing = Some(Smoothing { kind: SmoothingKind::HaversineNormalised, tau_km: 1e9 });
    let last = |history: Vec<Epoch>| history.last().expect("epochs").clone();
    let flat = last(train("flat", TrainConfig { smoothing, ..config() }));
    assert!((flat.loss - 4f64.ln()).abs() < 0.1, "{}", flat.loss);
    let hierarchy = Some(Hierarchy { weight: 1.0 });
    let ancestors = last(train("ancestors", TrainConfig { hierarchy, ..config() }));
    let loss = |epoch: &Epoch| epoch.validation.as_ref().expect("validated").loss;
    let cell = ancestors.validation.as_ref().expect("validated").cell_1;
    // Four places: by chance it is a quarter. AdaGrad makes rounding grow, so machines differ.
    assert!(cell > 0.5, "{cell}");
    assert!(loss(&flat) > 1.3 && loss(&ancestors) < 1.2, "{} {}", loss(&flat), loss(&ancestors));
}

//! Runs for near-duplicates on photos of random patterns: what is learned, what is exported, and that
//! an interrupted run goes on as if it had not been.

#[allow(dead_code, reason = "places are for runs that locate")]
mod support;

use std::{path::Path, sync::Arc};

use planet::{CodeModel, PackageError};
use planet_data::{Edit, Edits, Photo, PhotoError, PhotoStore};
use planet_net::Architecture;
use planet_train::{
    ArchitectureName, Checkpoint, CodeRunParts, CodeSamples, ExportError, LearningRate,
    NearDuplicates, Optimizer, Rule, Run, RunFolder, Schedule, StopReason, TrainConfig, TrainError,
    TrainTask, export, export_codes, export_features,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::Watch;

/// Photos `NUMBER` of 4 × 4 random colours each.
struct Patterns;

impl PhotoStore for Patterns {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let seed = id.parse().map_err(|_| PhotoError::Empty)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let colours: Vec<[u8; 3]> = (0..16).map(|_| random.random()).collect();
        let pixel = |at: usize| colours[(at / 48 / 12) * 4 + (at % 48) / 12];
        Photo::from_rgb(48, 48, (0..48 * 48).flat_map(pixel).collect())
    }
}

fn samples(numbers: std::ops::Range<usize>) -> CodeSamples {
    let photos = numbers.map(|number| number.to_string()).collect();
    CodeSamples { store: Arc::new(Patterns), photos }
}

fn config() -> TrainConfig {
    let used = [Edit::Flip, Edit::Tone, Edit::Text, Edit::Jpeg];
    let leave_out = Edit::ALL.into_iter().filter(|it| !used.contains(it)).collect();
    TrainConfig {
        task: TrainTask::NearDuplicates,
        architecture: ArchitectureName(Architecture::InceptionMini),
        size: 32,
        batch: 32,
        epochs: 2,
        patience: 0,
        learning_rate: LearningRate { start: 0.003, schedule: Schedule::Cosine, warm_up: 0.0 },
        optimizer: Optimizer { rule: Rule::ADAMW, ..Optimizer::default() },
        near_duplicates: NearDuplicates {
            edits: Edits { leave_out },
            removed: 0.2,
            against: 100,
            ..NearDuplicates::default()
        },
        ..TrainConfig::default()
    }
}

fn parts(folder: &Path, config: TrainConfig) -> CodeRunParts {
    let (training, validation) = (samples(0..160), Some(samples(1000..1060)));
    CodeRunParts { folder: RunFolder::at(folder), config, training, validation }
}

fn start(folder: &Path, config: TrainConfig) -> Run {
    parts(folder, config).start().expect("it begins")
}

#[test]
fn copies_are_found_and_the_package_states_its_distance_and_what_it_costs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let mut run = start(&path, TrainConfig { epochs: 12, ..config() });
    assert_eq!((run.photos(), run.network().classes()), (160, 256));
    assert_eq!(run.train(&Watch::default()).expect("trained"), StopReason::Epochs);
    let history = &run.position().history;
    let found = |at: usize| history[at].validation.as_ref().expect("validated").cell_1;
    let best = (0..history.len()).map(found).fold(0.0, f64::max);
    assert!(best > 0.3 && best > 2.0 * found(0), "{best} after {}", found(0));

    let place = folder.path().join("codes");
    let export_to = |place: &Path, photos: Option<&CodeSamples>| {
        export_codes(&RunFolder::at(&path), "codes", place, photos, &Watch::default())
    };
    let model = export_to(&place, None).expect("exported");
    let description = model.description();
    let (distance, matches) = (description.distance, &description.false_matches);
    assert_eq!((matches.photos, matches.pairs()), (60, 60 * 59 / 2));
    assert!(matches.removed(distance, 100) <= 0.2);
    assert!(distance == 63 || matches.removed(distance + 1, 100) > 0.2);
    assert!((description.copies_within[distance as usize] - best).abs() < 1e-6);
    assert_eq!(description.provenance.training_photos, Some(160));
    assert_eq!(CodeModel::open(&place).expect("opened").description(), description);

    // Calibrated by other photos, half of them are measured.
    let other = folder.path().join("calibrated");
    let calibrated = export_to(&other, Some(&samples(2000..2100))).expect("exported");
    assert_eq!(calibrated.description().false_matches.photos, 50);
    let error = export_to(&other, Some(&samples(0..30))).expect_err("too few");
    assert!(matches!(error, ExportError::FewPhotos(30)), "{error}");

    // It is neither a classifier nor a backbone.
    let run = RunFolder::at(&path);
    for error in [
        export(&run, "m", &folder.path().join("m")).expect_err("no classes"),
        export_features(&run, "m", &folder.path().join("m")).map(|_| ()).expect_err("no features"),
    ] {
        assert!(matches!(error, ExportError::OnlyCodes(_)), "{error}");
    }
    assert!(matches!(planet::ModelPackage::open(&place), Err(PackageError::OnlyCodes { .. })));
}

#[test]
fn a_run_that_is_interrupted_ends_in_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let [whole, halves] = ["whole", "halves"].map(|name| folder.path().join(name));
    start(&whole, config()).train(&Watch::default()).expect("trained");
    let mut run = start(&halves, config());
    let ended = run.train(&Watch::until(13)).expect("trained");
    assert_eq!(ended, StopReason::Interrupted);
    let mut run = parts(&halves, config()).resume().expect("it goes on");
    assert_eq!(run.train(&Watch::default()).expect("trained"), StopReason::Epochs);
    let state = |path| Checkpoint::read(&RunFolder::at(path).last()).expect("a checkpoint").state;
    assert!(state(&whole) == state(&halves));
}

#[test]
fn what_cannot_begin_or_be_exported_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = |config: TrainConfig| {
        let begun = parts(&folder.path().join("never"), config).start();
        begun.map(|_| ()).expect_err("it cannot begin").to_string()
    };
    assert!(error(TrainConfig { batch: 33, ..config() }).contains("even"));
    let near_duplicates = NearDuplicates { removed: 2.0, ..config().near_duplicates };
    assert!(error(TrainConfig { near_duplicates, ..config() }).contains("near_duplicates.removed"));
    let few =
        CodeRunParts { training: samples(0..3), ..parts(&folder.path().join("few"), config()) };
    assert!(matches!(few.start().map(|_| ()), Err(TrainError::FewPhotos { photos: 3, .. })));

    let path = folder.path().join("blind");
    let blind = CodeRunParts { validation: None, ..parts(&path, config()) };
    blind.start().expect("it begins").train(&Watch::default()).expect("trained");
    let place = folder.path().join("m");
    let error = export_codes(&RunFolder::at(&path), "m", &place, None, &Watch::default());
    assert!(matches!(error, Err(ExportError::NoThreshold(_))));
}

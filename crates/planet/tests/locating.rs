//! The way from photos to predictions, with an engine and a store that are made up.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use planet::{
    Activations, BatchSize, Engine, EngineError, EngineErrorKind, LocateError, LocateOptions,
    Locator, LocatorOptions, Prediction, locate,
};
use planet_data::{
    Gazetteer, Loader, LoaderOptions, Monitor, NoMonitor, Photo, PhotoError, PhotoStore,
    PixelBatch, Preprocess,
};
use planet_geo::{CellId, Class, ClassId, ClassKind, Partition, PartitionInfo};

/// Photos of one grey: `bright-200` is one of 200; `broken` is none.
struct Greys;

impl PhotoStore for Greys {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let grey = id.strip_prefix("bright-").and_then(|grey| grey.parse().ok());
        let grey: u8 = grey.ok_or(PhotoError::Empty)?;
        Photo::from_rgb(4, 4, vec![grey; 48])
    }
}

/// Puts dark photos into class 0 and bright ones into class 1; of a white one it makes NaN. Its
/// embedding is the photo's grey, −1..=1.
#[derive(Default)]
struct Fake {
    batches: Vec<usize>,
    broken: bool,
}

impl Engine for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
        if self.broken {
            return Err(EngineError::new(EngineErrorKind::Run, "fake", "out of memory"));
        }
        self.batches.push(batch.photos());
        let photo = 3 * batch.height() * batch.width();
        let embeddings: Vec<f32> = batch.values().iter().step_by(photo).copied().collect();
        let logits = embeddings.iter().flat_map(|&grey| match grey {
            1.0 => [0.0, f32::NAN],
            _ => [-5.0 * grey, 5.0 * grey],
        });
        let logits = logits.collect();
        Ok(Activations { embeddings, features: 1, logits, classes: 2 })
    }
}

fn locator() -> Locator {
    let class = |token: &str| {
        let cell: CellId = token.parse().expect("a token of this test");
        let centre = Some(cell.centre());
        Class { kind: ClassKind::Cells(vec![cell]), photos: 1, mean: centre, centre, scatter: None }
    };
    let classes = vec![class("477eb1"), class("487604")];
    let partition = Partition::new(PartitionInfo::default(), classes).expect("disjoint");
    let options = LocatorOptions { names: false, ..LocatorOptions::default() };
    Locator::new(Arc::new(partition), 1.0, options, Arc::new(Gazetteer::new())).expect("no ground")
}

/// A row, what is said of its photo, and how many scores came with it.
type Came = (usize, Prediction, usize);

fn by_three() -> LocateOptions {
    LocateOptions { batch: BatchSize::Photos(3), ..LocateOptions::default() }
}

/// Locates photos; gives what came, in the order in which it came.
fn located(
    engine: &mut Fake,
    photos: &[&str],
    options: LocateOptions,
    monitor: &dyn Monitor,
) -> (Vec<Came>, Result<(), LocateError<String>>) {
    let photos: Vec<String> = photos.iter().map(|&photo| photo.to_owned()).collect();
    let preprocess = Preprocess::inception(4);
    let loader =
        Loader::new(Arc::new(Greys), photos.clone(), preprocess, LoaderOptions::evaluation(1))
            .expect("a loader");
    let mut came = Vec::new();
    let ended =
        locate(engine, &loader, &photos, &locator(), options, monitor, |row, found, logits| {
            came.push((row, found, logits.len()));
            if came.len() == 100 { Err("enough".to_owned()) } else { Ok(()) }
        });
    (came, ended)
}

#[test]
fn every_photo_comes_once_in_its_order_also_those_without_an_answer() {
    let photos = [
        "broken",
        "bright-0",
        "broken-too",
        "bright-250",
        "bright-10",
        "lost",
        "gone",
        "away",
        "none",
        "bright-240",
    ];
    let mut engine = Fake::default();
    let (came, ended) = located(&mut engine, &photos, by_three(), &NoMonitor);
    ended.expect("all of them");
    let rows: Vec<usize> = came.iter().map(|(row, ..)| *row).collect();
    assert_eq!(rows, (0..10).collect::<Vec<_>>());
    for (row, found, scores) in &came {
        assert_eq!(found.photo, photos[*row]);
        let best = found.best().and_then(|best| best.class);
        let wanted =
            photos[*row].strip_prefix("bright-").map(|grey| ClassId(u32::from(grey.len() > 2)));
        assert_eq!((best, *scores), (wanted, if wanted.is_some() { 2 } else { 0 }), "{found:?}");
        assert_eq!(found.error.as_deref(), wanted.is_none().then_some("the file is empty"));
        assert_eq!(found.embedding, None);
    }
    // A batch of which nothing is left does not reach the engine.
    assert_eq!(engine.batches, [1, 2, 1]);
}

#[test]
fn scores_that_are_not_a_number_are_an_error_of_that_photo_alone() {
    let photos = ["bright-20", "bright-255", "bright-230"];
    let (came, ended) =
        located(&mut Fake::default(), &photos, LocateOptions::default(), &NoMonitor);
    ended.expect("all of them");
    let error = came[1].1.error.as_deref().expect("NaN");
    assert!(error.contains("NaN") && error.contains("class 1"), "{error}");
    assert!(came[0].1.error.is_none() && came[2].1.error.is_none());
}

#[test]
fn embeddings_come_where_they_are_wished() {
    let options = LocateOptions { embedding: true, ..LocateOptions::default() };
    let (came, _) = located(&mut Fake::default(), &["bright-0", "broken"], options, &NoMonitor);
    assert_eq!(came[0].1.embedding.as_deref(), Some(&[-1.0][..]));
    assert_eq!(came[1].1.embedding, None);
}

#[test]
fn a_last_photo_alone_is_computed_as_one_of_two_where_photos_are_divided() {
    let photos = ["bright-0", "bright-10", "bright-250", "bright-240"];
    for (divided, batches) in [(false, [3, 1]), (true, [3, 2])] {
        let options = LocateOptions { divided, ..by_three() };
        let mut engine = Fake::default();
        let (came, ended) = located(&mut engine, &photos, options, &NoMonitor);
        ended.expect("all of them");
        assert_eq!(engine.batches, batches);
        assert_eq!(came.len(), 4);
        assert_eq!(came[3].1.best().and_then(|best| best.class), Some(ClassId(1)));
    }
    // Whoever asks for batches of one gets them.
    let options =
        LocateOptions { batch: BatchSize::Photos(1), divided: true, ..LocateOptions::default() };
    let mut engine = Fake::default();
    located(&mut engine, &["bright-0"], options, &NoMonitor).1.expect("located");
    assert_eq!(engine.batches, [1]);
}

#[test]
fn the_number_of_candidates_is_the_callers_where_it_asks_for_one() {
    for (top, candidates) in [(None, 2), (Some(1), 1), (Some(9), 2)] {
        let options = LocateOptions { top, ..LocateOptions::default() };
        let (came, _) = located(&mut Fake::default(), &["bright-100"], options, &NoMonitor);
        assert_eq!(came[0].1.candidates.len(), candidates, "{top:?}");
    }
}

#[test]
fn an_engine_that_fails_ends_it_by_name() {
    let mut engine = Fake { broken: true, ..Fake::default() };
    let (came, ended) = located(&mut engine, &["bright-0"], LocateOptions::default(), &NoMonitor);
    assert!(came.is_empty());
    assert_eq!(ended.expect_err("it failed").to_string(), "fake: out of memory");
}

#[test]
fn whoever_takes_the_predictions_can_end_it() {
    let photos = vec!["bright-9"; 1000];
    let mut engine = Fake::default();
    let (came, ended) = located(&mut engine, &photos, LocateOptions::default(), &NoMonitor);
    assert_eq!((came.len(), ended.expect_err("enough").to_string().as_str()), (100, "enough"));
    assert!(engine.batches.len() <= 34, "{}", engine.batches.len());
}

/// Says stop once some photos are done.
#[derive(Default)]
struct Impatient {
    done: AtomicU64,
    stopped: AtomicBool,
}

impl Monitor for Impatient {
    fn expect(&self, _steps: u64) {}

    fn advance(&self, steps: u64) {
        if self.done.fetch_add(steps, Ordering::Relaxed) + steps >= 6 {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

#[test]
fn a_user_who_ends_it_keeps_what_came() {
    let (photos, monitor) = (vec!["bright-9"; 50], Impatient::default());
    let (came, ended) = located(&mut Fake::default(), &photos, by_three(), &monitor);
    assert!(matches!(ended, Err(LocateError::Cancelled)));
    assert_eq!(came.len(), 6);

    // After the last photo there is nothing left to end.
    let (came, ended) =
        located(&mut Fake::default(), &photos[..6], by_three(), &Impatient::default());
    ended.expect("all of them");
    assert_eq!(came.len(), 6);
}

#[test]
fn without_a_stated_size_batches_of_8_16_and_32_take_turns() {
    let photos: Vec<_> = (0..200).map(|at| format!("bright-{at}")).collect();
    let photos: Vec<&str> = photos.iter().map(String::as_str).collect();
    let mut engine = Fake::default();
    located(&mut engine, &photos[..20], LocateOptions::default(), &NoMonitor).1.expect("located");
    assert_eq!(engine.batches, [8, 12]);
    let mut engine = Fake::default();
    located(&mut engine, &photos, LocateOptions::default(), &NoMonitor).1.expect_err("enough");
    assert_eq!(engine.batches, [8, 16, 32, 8, 16, 32]);
}

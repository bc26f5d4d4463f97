//! The loader over a store that draws its photos.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use planet_data::{
    Augment, Batch, Edits, Loader, LoaderError, LoaderOptions, Photo, PhotoError, PhotoStore,
    Preprocess,
};

/// Photos of one colour that tells their number; `bad` ones fail, `fatal` ones panic.
#[derive(Default)]
struct Drawn {
    asked: AtomicUsize,
}

impl PhotoStore for Drawn {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (kind, number) = id.split_once('/').expect("kind/number");
        let number: usize = number.parse().expect("a number");
        match kind {
            "bad" => return Err(PhotoError::UnknownFormat),
            "fatal" => panic!("as a decoder might"),
            _ => {}
        }
        // Different work for different photos, so that threads end in another order.
        let side = 1 + (number * 37 % 50) as u32;
        let pixels = (0..side * side).flat_map(|at| [number as u8, at as u8, 7]).collect();
        Photo::from_rgb(side, side, pixels)
    }
}

fn photos(count: usize, bad_every: usize) -> Vec<String> {
    (0..count)
        .map(|at| if at % bad_every == 3 { format!("bad/{at}") } else { format!("good/{at}") })
        .collect()
}

fn good(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("good/{at}")).collect()
}

fn loader(photos: Vec<String>, options: LoaderOptions) -> Loader {
    let store = Arc::new(Drawn::default());
    Loader::new(store, photos, Preprocess::inception(8), options).expect("sound options")
}

fn training() -> LoaderOptions {
    let augment = Augment { crop: Some(0.5), jitter: Some(0.3), flip: true };
    LoaderOptions { augment, ..LoaderOptions::training(8, 5) }
}

fn batches(loader: &Loader, epoch: u64, first: usize) -> Vec<Batch> {
    loader.epoch(epoch, first).collect::<Result<_, _>>().expect("batches")
}

fn values(batches: &[Batch]) -> Vec<(usize, Vec<usize>, Vec<f32>)> {
    batches.iter().map(|b| (b.number, b.rows.clone(), b.pixels.values().to_vec())).collect()
}

#[test]
fn what_comes_does_not_depend_on_the_number_of_threads() {
    let of = |threads| {
        let options = LoaderOptions { threads: Some(threads), ..training() };
        values(&batches(&loader(photos(100, 10), options), 3, 0))
    };
    let one = of(1);
    assert_eq!(one.len(), 12);
    assert!(one == of(2) && one == of(7));
}

#[test]
fn epochs_and_seeds_differ_and_repeat() {
    let of = |seed, epoch| {
        let options = LoaderOptions { seed, ..training() };
        values(&batches(&loader(good(64), options), epoch, 0))
    };
    assert!(of(1, 0) == of(1, 0));
    assert!(of(1, 0) != of(1, 1));
    assert!(of(1, 0) != of(2, 0));
}

#[test]
fn pairs_stay_together_on_every_rank_and_each_view_is_its_own() {
    let rows = |rank| {
        let options = LoaderOptions { together: 2, rank, world_size: 2, ..training() };
        // Each photo twice, as two views.
        let twice = good(50).into_iter().flat_map(|photo| [photo.clone(), photo]).collect();
        let loader = loader(twice, options);
        let batches = batches(&loader, 1, 0);
        assert_eq!(batches.len(), loader.batches_per_epoch());
        for batch in &batches {
            let size = batch.pixels.values().len() / batch.rows.len();
            let views: Vec<&[f32]> = batch.pixels.values().chunks_exact(size).collect();
            assert!(views.chunks_exact(2).all(|pair| pair[0] != pair[1]), "two equal views");
        }
        batches.into_iter().flat_map(|batch| batch.rows).collect::<Vec<usize>>()
    };
    let (first, second) = (rows(0), rows(1));
    for rows in [&first, &second] {
        assert_eq!(rows.len(), 48);
        assert!(rows.chunks_exact(2).all(|pair| pair[0] % 2 == 0 && pair[1] == pair[0] + 1));
    }
    assert!(first.iter().all(|row| !second.contains(row)));
    assert!(!first.is_sorted());
    let options = LoaderOptions { together: 2, ..LoaderOptions::training(7, 0) };
    let store = Arc::new(Drawn::default());
    let error = Loader::new(store, good(50), Preprocess::inception(8), options).err();
    assert!(matches!(error, Some(LoaderError::Options(what)) if what.contains("together")));
}

#[test]
fn of_a_pair_the_second_view_is_edited_and_alone_every_photo_is() {
    let twice: Vec<String> = good(8).into_iter().flat_map(|photo| [photo.clone(), photo]).collect();
    let of = |photos: &[String], together, edits: Option<Edits>| {
        let options = LoaderOptions { together, edits, ..LoaderOptions::evaluation(16) };
        values(&batches(&loader(photos.to_vec(), options), 0, 0)).remove(0).2
    };
    let photo = |values: &[f32], at: usize| values[at * 3 * 64..][..3 * 64].to_vec();
    let (plain, edited) = (of(&twice, 1, None), of(&twice, 2, Some(Edits::default())));
    assert!((0..16).step_by(2).all(|at| photo(&plain, at) == photo(&edited, at)));
    let changed = (1..16).step_by(2).filter(|at| photo(&plain, *at) != photo(&edited, *at));
    // The first photo has one pixel, in which not every edit leaves a trace.
    assert!(changed.count() >= 7);
    let alone = of(&twice, 1, Some(Edits::default()));
    assert!((2..16).filter(|at| photo(&plain, *at) != photo(&alone, *at)).count() >= 12);
}

#[test]
fn an_interrupted_epoch_goes_on_where_it_was_and_decodes_nothing_before() {
    let store = Arc::new(Drawn::default());
    let shared: Arc<dyn PhotoStore> = store.clone();
    let loader =
        Loader::new(shared, good(100), Preprocess::inception(8), training()).expect("sound");
    let whole = values(&batches(&loader, 2, 0));
    let before = store.asked.load(Ordering::Relaxed);
    let rest = values(&batches(&loader, 2, 9));
    assert!(rest == whole[9..]);
    assert_eq!(store.asked.load(Ordering::Relaxed) - before, 3 * 8);
    assert!(batches(&loader, 2, 12).is_empty() && batches(&loader, 2, 99).is_empty());
}

#[test]
fn ranks_share_every_photo_once_and_have_equally_many_batches() {
    let rows = |rank, drop_last| -> Vec<usize> {
        let options = LoaderOptions { rank, world_size: 3, drop_last, ..training() };
        let loader = loader(good(100), options);
        let batches = batches(&loader, 0, 0);
        assert_eq!(batches.len(), loader.batches_per_epoch());
        batches.into_iter().flat_map(|batch| batch.rows).collect()
    };
    let mut all: Vec<usize> = (0..3).flat_map(|rank| rows(rank, false)).collect();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    assert!((0..3).all(|rank| rows(rank, true).len() == 32));
}

#[test]
fn a_failed_photo_is_replaced_in_training_and_left_out_in_evaluation_and_named_in_both() {
    let training = batches(&loader(photos(100, 10), training()), 0, 0);
    assert!(training.iter().all(|batch| batch.rows.len() == 8 && batch.pixels.photos() == 8));
    let failed: Vec<_> = training.iter().flat_map(|batch| &batch.failed).collect();
    assert!(failed.len() >= 8, "{}", failed.len());
    assert!(failed.iter().all(|failed| failed.photo == format!("bad/{}", failed.row)));

    let loader = loader(photos(100, 10), LoaderOptions::evaluation(8));
    let evaluation = batches(&loader, 0, 0);
    let rows: Vec<usize> = evaluation.iter().flat_map(|batch| batch.rows.clone()).collect();
    assert_eq!(rows, (0..100).filter(|row| row % 10 != 3).collect::<Vec<_>>());
    let failed = evaluation.iter().flat_map(|batch| &batch.failed).map(|failed| failed.row);
    assert_eq!(
        failed.collect::<Vec<_>>(),
        (0..100).filter(|row| row % 10 == 3).collect::<Vec<_>>()
    );
}

#[test]
fn batches_of_several_sizes_have_the_same_photos_in_the_same_order() {
    let loader = loader(photos(100, 10), LoaderOptions::evaluation(8));
    let mut epoch = loader.epoch(0, 0);
    let sizes = [3, 10, 1, 40, 2, 60, 8, 8];
    let of_sizes: Vec<Batch> = sizes
        .into_iter()
        .map_while(|photos| epoch.next_of(photos))
        .collect::<Result<_, _>>()
        .expect("batches");
    let places = |batch: &Batch| batch.rows.len() + batch.failed.len();
    assert_eq!(of_sizes.iter().map(places).collect::<Vec<_>>(), [3, 10, 1, 40, 2, 44]);
    assert_eq!(of_sizes.iter().map(|batch| batch.number).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);

    let same = batches(&loader, 0, 0);
    let rows = |batches: &[Batch]| -> Vec<usize> {
        batches.iter().flat_map(|batch| batch.rows.clone()).collect()
    };
    let pixels = |batches: &[Batch]| -> Vec<f32> {
        batches.iter().flat_map(|batch| batch.pixels.values().to_vec()).collect()
    };
    assert_eq!(rows(&of_sizes), rows(&same));
    assert_eq!(pixels(&of_sizes), pixels(&same));
}

#[test]
fn rows_and_pixels_belong_together() {
    for batch in batches(&loader(photos(50, 10), LoaderOptions::evaluation(8)), 0, 0) {
        for (row, pixels) in batch.rows.iter().zip(batch.pixels.values().chunks(3 * 64)) {
            assert!((pixels[0] - (*row as f32 / 255.0 - 0.5) / 0.5).abs() < 1e-5);
        }
    }
}

#[test]
fn where_everything_fails_the_loader_ends_with_the_first_photos_name() {
    let bad = (0..20).map(|at| format!("bad/{at}")).collect();
    let error = loader(bad, training()).epoch(0, 0).next().expect("a batch").expect_err("fails");
    assert!(
        matches!(&error, LoaderError::TooManyFailures { photo, .. } if photo.starts_with("bad/"))
    );
}

#[test]
fn a_photo_on_which_the_store_panics_is_named_and_the_epoch_goes_on() {
    let mixed = (0..20).map(|at| format!("{}/{at}", if at == 5 { "fatal" } else { "good" }));
    let mixed: Vec<String> = mixed.collect();
    let evaluation = batches(&loader(mixed.clone(), LoaderOptions::evaluation(8)), 0, 0);
    let rows: Vec<usize> = evaluation.iter().flat_map(|batch| batch.rows.clone()).collect();
    assert_eq!(rows, (0..20).filter(|row| *row != 5).collect::<Vec<_>>());
    let failed: Vec<_> = evaluation.iter().flat_map(|batch| &batch.failed).collect();
    let [failed] = failed[..] else { panic!("one photo failed") };
    assert_eq!((failed.row, failed.photo.as_str()), (5, "fatal/5"));
    let told = PhotoError::Panicked { message: "as a decoder might".to_owned() };
    assert_eq!(failed.error.to_string(), told.to_string());
    // In training another photo takes its place.
    let training = batches(&loader(mixed, training()), 0, 0);
    assert!(training.iter().all(|batch| batch.rows.len() == 8));
}

#[test]
fn an_epoch_can_be_left_in_the_middle_and_an_empty_one_has_no_batches() {
    let loader_of_many = loader(good(1000), training());
    let mut epoch = loader_of_many.epoch(0, 0);
    assert!(epoch.next().is_some());
    drop(epoch);
    assert!(batches(&loader(Vec::new(), LoaderOptions::evaluation(8)), 0, 0).is_empty());
}

#[test]
fn nothing_is_mirrored_or_varied_unless_wished() {
    assert_eq!(
        LoaderOptions::training(8, 0).augment,
        Augment { crop: None, jitter: None, flip: false }
    );
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let wrong = [
        LoaderOptions { batch: 0, ..training() },
        LoaderOptions { ahead: 0, ..training() },
        LoaderOptions { rank: 2, world_size: 2, ..training() },
    ];
    for options in wrong {
        let store = Arc::new(Drawn::default());
        let made = Loader::new(store, good(8), Preprocess::inception(8), options);
        assert!(matches!(made, Err(LoaderError::Options(_))));
    }
}

#[test]
fn a_batch_that_is_kept_is_not_changed_by_those_that_follow() {
    let options = LoaderOptions::training(4, 5);
    let loader = loader(good(64), options);
    let all = values(&batches(&loader, 0, 0));
    // Every third batch is kept, the memory of the others is free to be used again.
    let mut kept = Vec::new();
    for batch in loader.epoch(0, 0) {
        let batch = batch.expect("a batch");
        let expected = &all[batch.number];
        assert_eq!(batch.pixels.values(), expected.2, "batch {}", batch.number);
        if batch.number % 3 == 0 {
            kept.push(batch);
        }
    }
    let kept_values = values(&kept);
    assert!(kept_values.iter().all(|(number, rows, pixels)| {
        (*number, rows, pixels) == (all[*number].0, &all[*number].1, &all[*number].2)
    }));
    assert_eq!(kept.len(), 6);
}

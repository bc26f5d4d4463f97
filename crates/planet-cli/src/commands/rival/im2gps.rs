use std::{sync::Arc, time::Instant};

use planet::{
    LocateError,
    report::{Cost, References},
};
use planet_data::{DiskStore, Gazetteer, Monitor};
use planet_im2gps::{AnswerOptions, AnswerRule, Im2Gps, Version};

use super::{Answers, Rival};
use crate::{commands::im2gps::failure, failure::Failure, progress::Progress};

/// What may be made of similar photos, with its names in a report and in file names.
const ANSWERS: [(AnswerRule, &str, &str); 3] = [
    (AnswerRule::Nearest, "most similar photo", "nearest"),
    (AnswerRule::MeanShift, "cluster of similar photos", "clusters"),
    (AnswerRule::SupportVectors, "support vector machines", "svm"),
];
/// Searches that are timed.
const SEARCHES: usize = 10;

/// Locates the photos by an index of image descriptors.
pub fn evaluate(rival: &Rival<'_>, references: &mut References) -> Result<Cost, Failure> {
    let options = AnswerOptions { names: false, ..AnswerOptions::default() };
    let gazetteer = Arc::new(Gazetteer::new());
    let neighbours = options.neighbours;
    let im2gps = Im2Gps::open(rival.path, options, gazetteer).map_err(failure)?;
    let version = im2gps.index().version();
    let label = rival.label(&format!("Im2GPS {}", version.year()));
    let rules = match version {
        Version::Im2Gps2008 => &ANSWERS[..2],
        Version::Im2Gps2014 => &ANSWERS[..],
    };
    let mut answers = Vec::new();
    for (rule, name, word) in rules {
        answers.push((*rule, rival.answers(format!("{label}, {name}"), word)?));
    }
    let begun = Instant::now();
    locate(&im2gps, rival, &mut answers)?;
    let seconds = begun.elapsed().as_secs_f64();
    for (_, answers) in answers {
        answers.finish(references)?;
    }
    let index = im2gps.index();
    let begun = Instant::now();
    for search in 0..SEARCHES {
        let row = search * index.len() / SEARCHES;
        std::hint::black_box(index.neighbours(index.row(row), neighbours, None));
    }
    let search = begun.elapsed().as_secs_f64() / SEARCHES as f64;
    Ok(Cost {
        name: label,
        photos: Some(index.len() as u64),
        bytes: index.bytes() as u64,
        bytes_per_photo: Some(index.bytes_per_photo()),
        seconds: seconds / rival.all.manifest.records.len().max(1) as f64,
        search_seconds: Some(search),
    })
}

fn locate(
    im2gps: &Im2Gps,
    rival: &Rival<'_>,
    answers: &mut [(AnswerRule, Answers<'_>)],
) -> Result<(), Failure> {
    let ids = rival.ids();
    let progress = Progress::new("photos");
    progress.expect(ids.len() as u64);
    let store = DiskStore::new(&rival.all.manifest.root);
    let ended = im2gps.locate_all(&store, &ids, &progress, |row, prediction, neighbours| {
        answers.iter_mut().try_for_each(|(rule, answers)| {
            let prediction = match neighbours {
                // The photo could not be read.
                [] => prediction.clone(),
                _ => im2gps.answer(&ids[row], *rule, neighbours),
            };
            answers.take(row, prediction)
        })
    });
    progress.finish();
    ended.map_err(|error| match error {
        LocateError::Cancelled => Failure::new("interrupted"),
        error => error.into(),
    })
}

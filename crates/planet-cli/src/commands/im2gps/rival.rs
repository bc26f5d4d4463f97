//! An index beside the model that is evaluated: its accuracy on the same photos.

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use planet::{
    LocateError, PredictionFormat, PredictionWriter, WriterOptions,
    evaluation::{Scorer, ScorerOptions, TruthTable},
    report::{References, claim_folder},
};
use planet_data::{AtomicFile, DiskStore, Gazetteer, Manifest, Monitor};
use planet_im2gps::{AnswerOptions, AnswerRule, Im2Gps};

use super::failure;
use crate::{failure::Failure, progress::Progress};

/// The two answers of an index, with their names in a report and in file names.
const ANSWERS: [(AnswerRule, &str, &str); 2] = [
    (AnswerRule::Nearest, "most similar photo", "nearest"),
    (AnswerRule::MeanShift, "cluster of similar photos", "clusters"),
];

/// Locates the photos of a manifest by each index, adds the scores to the references of a report,
/// by the categories of the column `by` too, and writes the predictions into its folder:
/// `rival-NUMBER-nearest.jsonl` and `rival-NUMBER-clusters.jsonl`.
pub fn push_rivals(
    references: &mut References,
    indices: &[PathBuf],
    manifest: &Manifest,
    by: &str,
    scorer: ScorerOptions<'_>,
    folder: &Path,
) -> Result<(), Failure> {
    for (number, path) in (1..).zip(indices) {
        let options = AnswerOptions { names: false, ..AnswerOptions::default() };
        let im2gps = Im2Gps::open(path, options, Arc::new(Gazetteer::new())).map_err(failure)?;
        let label = match indices.len() {
            1 => "Im2GPS 2008".to_owned(),
            _ => format!("Im2GPS 2008 ({})", path.display()),
        };
        let mut answers = Vec::new();
        for (rule, name, word) in ANSWERS {
            let file = format!("rival-{number}-{word}.jsonl");
            claim_folder(folder, &[&file]).map_err(Failure::new)?;
            let table = TruthTable::of(&manifest.records, by, |_| true);
            let scorer = Scorer::new(table, scorer);
            let name = format!("{label}, {name}");
            answers.push(Answers::new(rule, name, &folder.join(file), scorer)?);
        }
        let begun = Instant::now();
        locate(&im2gps, manifest, &mut answers)?;
        let seconds = begun.elapsed().as_secs_f64() / manifest.records.len().max(1) as f64;
        anstream::eprintln!(
            "{label}: {} photos in the index, {:.1} kB of memory each; {:.0} ms per photo",
            im2gps.index().len(),
            im2gps.index().bytes_per_photo() / 1e3,
            1e3 * seconds
        );
        for answer in answers {
            answer.finish(references)?;
        }
    }
    Ok(())
}

fn locate(
    im2gps: &Im2Gps,
    manifest: &Manifest,
    answers: &mut [Answers<'_>],
) -> Result<(), Failure> {
    let ids: Vec<String> = manifest.records.iter().map(|record| record.photo.clone()).collect();
    let progress = Progress::new("photos");
    progress.expect(ids.len() as u64);
    let store = DiskStore::new(&manifest.root);
    let ended = im2gps.locate_all(&store, &ids, &progress, |row, prediction, neighbours| {
        for answers in answers.iter_mut() {
            let mut prediction = match neighbours {
                // The photo could not be read.
                [] => prediction.clone(),
                _ => im2gps.answer(&ids[row], answers.rule, neighbours),
            };
            prediction.truth = manifest.records[row].position;
            answers.scorer.add(&prediction);
            answers.writer.write(&prediction).map_err(Failure::file(&answers.path))?;
        }
        Ok::<(), Failure>(())
    });
    progress.finish();
    ended.map_err(|error| match error {
        LocateError::Cancelled => Failure::new("interrupted"),
        error => error.into(),
    })
}

/// One way to answer, under evaluation.
struct Answers<'a> {
    rule: AnswerRule,
    name: String,
    path: PathBuf,
    scorer: Scorer<'a>,
    writer: PredictionWriter<BufWriter<AtomicFile>>,
}

impl<'a> Answers<'a> {
    fn new(
        rule: AnswerRule,
        name: String,
        path: &Path,
        scorer: Scorer<'a>,
    ) -> Result<Self, Failure> {
        let failed = Failure::file(path);
        let file = BufWriter::new(AtomicFile::create(path).map_err(&failed)?);
        let (format, options) = (PredictionFormat::Jsonl, WriterOptions::default());
        let writer = PredictionWriter::new(file, format, options).map_err(&failed)?;
        Ok(Self { rule, name, path: path.to_owned(), scorer, writer })
    }

    fn finish(self, references: &mut References) -> Result<(), Failure> {
        let failed = Failure::file(&self.path);
        references.push_score(&self.name, &self.scorer.finish());
        let buffer = self.writer.finish().map_err(&failed)?;
        let file = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.finish().map_err(&failed)
    }
}

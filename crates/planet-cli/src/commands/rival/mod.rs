//! Other methods beside the model that is evaluated: their accuracy on the same photos, their memory
//! and their time.

mod features;
mod im2gps;

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
};

use planet::{
    ModelPackage, Prediction, PredictionFormat, PredictionWriter, WriterOptions,
    evaluation::{Scorer, ScorerOptions, TruthTable},
    report::{References, claim_folder},
    retrieval,
};
use planet_data::{AtomicFile, Manifest};

use crate::{engine_choice::EngineChoice, failure::Failure};

/// The indices that are evaluated, and on what.
pub struct Rivals<'a> {
    /// Indices of `planet im2gps index` or `planet retrieve index`.
    pub indices: &'a [PathBuf],
    /// Photos of known position.
    pub manifest: &'a Manifest,
    /// Column of the categories.
    pub by: &'a str,
    /// How predictions are scored.
    pub scorer: ScorerOptions<'a>,
    /// The report's folder.
    pub folder: &'a Path,
    /// The model that is evaluated: it may have made an index of features.
    pub package: &'a ModelPackage,
    /// What runs models.
    pub engine: &'a EngineChoice,
}

impl Rivals<'_> {
    /// Locates the photos by each index, adds scores and costs to the references of a report, by
    /// categories too, and writes the predictions into its folder: `rival-NUMBER-ANSWER.jsonl`.
    pub fn push(&self, references: &mut References) -> Result<(), Failure> {
        for (number, path) in (1..).zip(self.indices) {
            let rival = Rival { all: self, path, number };
            let is_of_features = retrieval::Index::is_one(path).map_err(Failure::file(path))?;
            let cost = match is_of_features {
                true => features::evaluate(&rival, references)?,
                false => im2gps::evaluate(&rival, references)?,
            };
            anstream::eprintln!(
                "{}: {} photos in the index, {:.1} kB of memory each; {:.0} ms per photo",
                cost.name,
                cost.photos.unwrap_or_default(),
                cost.bytes_per_photo.unwrap_or_default() / 1e3,
                1e3 * cost.seconds
            );
            references.costs.push(cost);
        }
        Ok(())
    }
}

/// One index under evaluation.
struct Rival<'a> {
    all: &'a Rivals<'a>,
    path: &'a Path,
    /// Counted from 1.
    number: usize,
}

impl Rival<'_> {
    /// Its name in a report, with its file where there are several.
    fn label(&self, method: &str) -> String {
        match self.all.indices.len() {
            1 => method.to_owned(),
            _ => format!("{method} ({})", self.path.display()),
        }
    }

    fn ids(&self) -> Vec<String> {
        self.all.manifest.records.iter().map(|record| record.photo.clone()).collect()
    }

    /// Answers of one kind; `name` is for the report, `word` for the name of their file.
    fn answers(&self, name: String, word: &str) -> Result<Answers<'_>, Failure> {
        let Rivals { manifest, by, scorer, folder, .. } = self.all;
        let file = format!("rival-{}-{word}.jsonl", self.number);
        claim_folder(folder, &[&file]).map_err(Failure::new)?;
        let scorer = Scorer::new(TruthTable::of(&manifest.records, by, |_| true), *scorer);
        let path = folder.join(file);
        let file = AtomicFile::create(&path).map_err(Failure::file(&path))?;
        let (format, options) = (PredictionFormat::Jsonl, WriterOptions::default());
        let writer = PredictionWriter::new(BufWriter::new(file), format, options);
        let writer = writer.map_err(Failure::file(&path))?;
        Ok(Answers { manifest, name, path, scorer, writer })
    }
}

/// One kind of answers, under evaluation.
struct Answers<'a> {
    manifest: &'a Manifest,
    name: String,
    path: PathBuf,
    scorer: Scorer<'a>,
    writer: PredictionWriter<BufWriter<AtomicFile>>,
}

impl Answers<'_> {
    /// Scores and writes the prediction of a photo of the manifest.
    fn take(&mut self, row: usize, mut prediction: Prediction) -> Result<(), Failure> {
        prediction.truth = self.manifest.records[row].position;
        self.scorer.add(&prediction);
        self.writer.write(&prediction).map_err(Failure::file(&self.path))
    }

    fn finish(self, references: &mut References) -> Result<(), Failure> {
        let failed = Failure::file(&self.path);
        references.push_score(&self.name, &self.scorer.finish());
        let buffer = self.writer.finish().map_err(&failed)?;
        let file = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.finish().map_err(&failed)
    }
}

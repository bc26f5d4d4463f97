use std::{
    collections::HashSet,
    io::{self, Write},
};

use clap::Args;
use planet_data::{Enrich, Gazetteer, Monitor, PhotoRecord};

use super::{
    classifier::{ClassifierArguments, LabelColumn, LabelColumns, listed},
    manifest::{Change, Work},
};
use crate::{failure::Failure, progress::Uncounted};

/// `planet dataset enrich M -o M [--hash] [--photo-score] [--country] [--classifier MODEL --columns …]`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    change: Change,
    /// Add a hash of the file's bytes and a perceptual hash of the photo
    #[arg(long)]
    hash: bool,
    /// Add a score for being a photograph, not a chart, screenshot or scanned text
    #[arg(long)]
    photo_score: bool,
    /// Add the country of each position
    #[arg(long)]
    country: bool,
    /// Add columns from --classifier, separated by commas: LABEL is its score from 0 to 1, best-label
    /// the label with the highest score, best-score that score; NAME=LABEL gives the column another
    /// name. Columns of these names are replaced; may be repeated
    #[arg(long, value_name = "LABEL,…", requires = "classifier")]
    columns: Vec<String>,
    #[command(flatten)]
    classifier: ClassifierArguments,
}

/// Writes the manifest with what was asked for. Hashes, photo scores and countries that are there
/// already stay, so that a second call costs little.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let enrich = Enrich {
        hashes: arguments.hash,
        photo_score: arguments.photo_score,
        country: arguments.country,
    };
    let mut labels = arguments.labels()?;
    if enrich == Enrich::default() && labels.is_none() {
        let hint = "add --hash, --photo-score, --country or --classifier MODEL --columns LABEL,…";
        return Err(Failure::usage("no column to add was selected").hint(hint));
    }
    let manifest = arguments.change.open()?;
    let others = manifest.other_columns();
    let new = labels.as_ref().map_or_else(Vec::new, |labels| labels.new_columns(&others));
    let gazetteer = Gazetteer::new();
    let mut unread = 0;
    manifest.run(new, |records, work| {
        let mut failed = HashSet::new();
        let mut records = add(enrich, records, &gazetteer, labels.is_none(), &mut failed, work)?;
        if let Some(labels) = &mut labels {
            labels.fill(&mut records, &mut failed, work)?;
        }
        unread += failed.len();
        Ok(records)
    })?;
    if unread > 0 {
        writeln!(io::stderr(), "{unread} photos cannot be read; their rows are kept")?;
    }
    Ok(())
}

/// Adds what needs no classifier. `is_counted` says whether the photos are done with it.
fn add(
    enrich: Enrich,
    records: Vec<PhotoRecord>,
    gazetteer: &Gazetteer,
    is_counted: bool,
    failed: &mut HashSet<String>,
    work: &mut Work<'_>,
) -> Result<Vec<PhotoRecord>, Failure> {
    let uncounted = Uncounted(work.progress);
    let monitor: &dyn Monitor = if is_counted { work.progress } else { &uncounted };
    let added = enrich.add(records, work.store, gazetteer, monitor).map_err(Failure::new)?;
    let mut records = Vec::with_capacity(added.len());
    for (record, problem) in added {
        if let Some(problem) = problem {
            work.problems.add(&problem)?;
            failed.insert(record.photo.clone());
        }
        records.push(record);
    }
    Ok(records)
}

impl Arguments {
    /// The classifier with its columns.
    fn labels(&self) -> Result<Option<LabelColumns>, Failure> {
        let Some(classifier) = self.classifier.open()? else { return Ok(None) };
        let labels = &classifier.description().labels;
        if self.columns.is_empty() {
            let what = "no columns of the classifier were selected; add --columns LABEL,…";
            return Err(Failure::usage(what).hint(listed(labels)));
        }
        let mut columns = Vec::new();
        for text in &self.columns {
            columns.extend(LabelColumn::parse(text, labels)?);
        }
        LabelColumns::new(classifier, columns).map(Some)
    }
}

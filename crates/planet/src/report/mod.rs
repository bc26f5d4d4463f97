//! Reports: one folder with a page that needs no network, its figures as JSON, and its tables as
//! CSV and Markdown.

mod albums;
mod figures;
mod gallery;
mod page;
mod references;
mod table;
mod tables;

use std::path::Path;

use planet_data::{OutputFolderError, OwnedFolder};
use planet_geo::LatLng;
use serde_json::json;

pub use albums::{AlbumReport, SchemeIdeal, SchemeResult, Strip, StripAnswer, StripPhoto};
pub use figures::match_figure;
pub(crate) use gallery::{Explanation, GalleryKeeper};
pub use gallery::{Gallery, Shown};
pub use page::STYLE;
pub(crate) use page::head as page_head;
pub use references::{Cost, Reference, References};
pub use table::Table;
pub use tables::{comparison_table, match_table, verdict};

use crate::{
    evaluation::{CategoryLogLoss, KnownSet, Leakage, LogLoss, RegionCoverage, Score},
    plot::LineChart,
};

/// The content of a report about predictions.
#[derive(Clone, Debug)]
pub struct Report {
    /// What stands above.
    pub title: String,
    /// What was scored, in a sentence.
    pub subject: String,
    /// The score of all photos.
    pub score: Score,
    /// The score of the photos that share nothing with the training photos.
    pub clean: Option<Score>,
    /// What the photos share with the training photos.
    pub leakage: Option<Leakage>,
    /// What the score is compared with: bounds, ideals, baselines.
    pub references: References,
    /// The test set, if results on it were published.
    pub known_set: Option<KnownSet>,
    /// The column of the categories.
    pub by: String,
    /// Truths and errors in km of some photos, for the map.
    pub places: Vec<(LatLng, f64)>,
    /// Photos with their predictions.
    pub galleries: Vec<Gallery>,
    /// The share of photos whose region was to contain their place, and how often regions do, of all photos and
    /// of each category; `None` where regions were not asked for.
    pub regions: Option<(f64, Vec<RegionCoverage>)>,
    /// Of the cells that hold the photos; `None` where the probabilities of all cells are not known, as in a
    /// table of predictions.
    pub log_loss: Option<LogLoss>,
    /// The same of the photos of each category.
    pub category_log_losses: Vec<CategoryLogLoss>,
}

/// Photos on the map of errors, at most.
pub const MAPPED_PHOTOS: usize = 20_000;
/// The page.
pub const PAGE_FILE: &str = "index.html";
/// The figures.
const FIGURES_FILE: &str = "report.json";

impl Report {
    /// Writes the report's folder: `index.html`, `report.json`, `tables.md`, and a CSV a table.
    ///
    /// # Errors
    /// The folder is neither new nor empty nor one of an earlier report, or holds another program's
    /// file under one of these names; it cannot be written. The error names the file.
    pub fn save(&self, folder: &Path) -> Result<(), OutputFolderError> {
        let (json, html) = (self.to_json(), self.to_html());
        write_folder(folder, [&self.title, &self.subject], &self.tables(), &json, html)
    }

    /// The share of photos within each distance, with the first three references.
    pub fn error_curve(&self) -> LineChart {
        let references = &self.references.scales;
        figures::error_curve(&self.score, &references[..references.len().min(3)])
    }

    /// Every figure of the report.
    pub fn to_json(&self) -> serde_json::Value {
        let references = self.references.scales.iter();
        let leakage = self.leakage.as_ref().map(|leakage| {
            let kinds = crate::evaluation::LeakageKind::ALL;
            let counts = kinds.map(|kind| json!({ "kind": kind, "photos": leakage.count(kind) }));
            json!({ "shared": counts, "nearest_training_photo_within": leakage.nearest() })
        });
        json!({
            "format": "planet-report-1",
            "title": self.title,
            "subject": self.subject,
            "score": self.score,
            "without_shared": self.clean,
            "leakage": leakage,
            "references": references
                .map(|it| {
                    let (name, within, medians) = (&it.name, it.within, &it.medians);
                    let interval = &it.interval;
                    json!({
                        "name": name, "within": within, "interval": interval, "medians": medians,
                    })
                })
                .collect::<Vec<_>>(),
            "cell_references": self.references.cells,
            "costs": self.references.costs,
            "regions": self.regions.as_ref().map(|(share, rows)| json!({ "share": share, "coverage": rows })),
            "known_set": self.known_set,
            "log_loss": self.log_loss,
            "ideal_log_loss": self.references.log_loss,
            "category_log_losses": self.category_log_losses,
        })
    }
}

/// Claims the folder of a report for more files than the report's own, which
/// [`Report::save`] claims itself.
///
/// # Errors
/// As [`Report::save`].
pub fn claim_folder(folder: &Path, names: &[&str]) -> Result<OwnedFolder, OutputFolderError> {
    OwnedFolder::claim(folder, "report", names)
}

/// A report's folder: `index.html`, `report.json`, `tables.md`, and a CSV a table.
fn write_folder(
    folder: &Path,
    [title, subject]: [&str; 2],
    tables: &[Table],
    json: &serde_json::Value,
    html: String,
) -> Result<(), OutputFolderError> {
    let markdown: String = tables.iter().map(Table::to_markdown).collect();
    let mut files = vec![
        (FIGURES_FILE.to_owned(), format!("{json:#}\n")),
        ("tables.md".to_owned(), format!("# {title}\n\n{subject}\n\n{markdown}")),
    ];
    files.extend(tables.iter().map(|it| (format!("{}.csv", it.name), it.to_csv())));
    // The page comes last: where it is, the report is whole.
    files.push((PAGE_FILE.to_owned(), html));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let folder = claim_folder(folder, &names)?;
    files.iter().try_for_each(|(name, text)| folder.write(name, text.as_bytes()))
}

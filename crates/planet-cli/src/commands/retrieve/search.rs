use std::{
    io::{self, Write},
    num::NonZero,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use planet::retrieval::{Descriptor, FoundPhoto, Hit, Index, Role, SearchResult, search_page};
use planet_data::{AtomicFile, PhotoStore, thumbnail_jpeg};
use planet_geo::LatLng;
use serde_json::json;

use super::{extractor, store_at};
use crate::{
    commands::locate::sources::Sources, engine_choice::EngineChoice, failure::Failure,
    progress::Progress,
};

/// `planet retrieve search INDEX PHOTO... [--top K] [--format text|jsonl|html] [-o FILE]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Index to search in
    index: PathBuf,
    /// Photos, folders, one manifest (FILE or FILE:SPLIT), or - to read paths from standard input
    #[arg(required = true, value_name = "PHOTO|DIR|M|-")]
    photos: Vec<String>,
    /// Model package; by default the one that made the index
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Folder that a manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Photos to find for each
    #[arg(long, value_name = "K", default_value_t = 10)]
    top: usize,
    /// Lists to read of an index that is divided into lists; by default as many as give its stated recall. All of
    /// them are an exact search
    #[arg(long, value_name = "N")]
    probes: Option<NonZero<usize>>,
    /// Format; by default that of the file's ending, else text
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write: .html shows the photos, .jsonl has one object for each query
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For reading
    Text,
    /// One JSON object for each query
    Jsonl,
    /// A page with the photos
    Html,
}

/// Side of the photos on a page, in pixels.
const THUMBNAIL: u32 = 320;

/// Describes the photos and searches for all of them at once.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let index = Index::open(&arguments.index)?;
    let sources = Sources::gather(&arguments.photos, arguments.root.as_deref())?;
    let model =
        arguments.model.clone().unwrap_or_else(|| PathBuf::from(&index.info().model_folder));
    let extractor = extractor(&model, &arguments.engine, index.info().recipe.clone());
    let mut extractor = extractor.map_err(|failure| match arguments.model {
        Some(_) => failure,
        None => failure.hint("name the model that made the index with --model MODEL"),
    })?;
    index.check_model(extractor.model())?;
    if let Some(whitening) = index.whitening() {
        extractor = extractor.with_whitening(whitening.clone())?;
    }
    let progress = Progress::new("photos");
    let mut described: Vec<Result<Descriptor, String>> = Vec::new();
    let store = sources.store();
    let ended = extractor.describe(&*store, sources.ids(), Role::Query, &progress, |_, result| {
        described.push(result.map_err(|error| error.to_string()));
        Ok(())
    });
    progress.finish();
    ended?;
    let queries: Vec<Descriptor> = described.iter().flatten().cloned().collect();
    let found = match arguments.probes {
        Some(probes) => index.search_probing(&queries, arguments.top, probes.get()),
        None => index.search(&queries, arguments.top),
    };
    let mut hits = found.into_iter();
    let found = described.into_iter().map(|it| it.map(|_| hits.next().expect("one a query")));
    let found: Vec<Result<Vec<Hit>, String>> = found.collect();
    let failed = found.iter().filter(|it| it.is_err()).count();
    let view = View { index: &index, sources: &sources, found: &found };
    let text = match arguments.format() {
        Format::Text => view.text(),
        Format::Jsonl => view.jsonl(),
        Format::Html => view.html(&arguments.index, &*store),
    };
    match &arguments.output {
        Some(path) => {
            AtomicFile::write_all_at(path, text.as_bytes()).map_err(Failure::file(path))?
        }
        None => io::stdout().lock().write_all(text.as_bytes())?,
    }
    if failed == found.len() {
        return Err(Failure::new(format!("{failed} of {failed} photos cannot be decoded")));
    }
    Ok(())
}

impl Arguments {
    fn format(&self) -> Format {
        let ending = self.output.as_ref().and_then(|path| path.extension()?.to_str());
        self.format.unwrap_or(match ending {
            Some("html" | "htm") => Format::Html,
            Some("jsonl") => Format::Jsonl,
            _ => Format::Text,
        })
    }
}

/// What was found, to be shown.
struct View<'a> {
    index: &'a Index,
    sources: &'a Sources,
    found: &'a [Result<Vec<Hit>, String>],
}

impl View<'_> {
    /// Each query with its row and what was found for it.
    fn queries(&self) -> impl Iterator<Item = (usize, &str, &Result<Vec<Hit>, String>)> {
        let queries = self.sources.ids().iter().zip(self.found).enumerate();
        queries.map(|(row, (photo, found))| (row, photo.as_str(), found))
    }

    /// Kilometres from a query to a photo that was found, where both positions are known.
    fn km(&self, truth: Option<LatLng>, hit: &Hit) -> Option<f64> {
        let position = self.index.photos()[hit.photo].position?;
        Some(truth?.distance_to(position).km())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (row, photo, found) in self.queries() {
            text.push_str(&format!("{photo}\n"));
            match found {
                Err(error) => text.push_str(&format!("  {error}\n")),
                Ok(hits) => {
                    let truth = self.sources.truth(row);
                    for (rank, hit) in (1..).zip(hits) {
                        let name = &self.index.photos()[hit.photo].photo;
                        let lines = self.lines(hit, truth).join("  ");
                        text.push_str(&format!("{rank:>4}  {name}  {lines}\n"));
                    }
                }
            }
        }
        text
    }

    /// What is printed for a photo that was found.
    fn lines(&self, hit: &Hit, truth: Option<LatLng>) -> Vec<String> {
        let mut lines = vec![format!("distance {:.3}", hit.distance)];
        if let Some(position) = self.index.photos()[hit.photo].position {
            lines.push(format!("{:.4}, {:.4}", position.lat(), position.lng()));
        }
        lines.extend(self.km(truth, hit).map(|km| format!("{km:.1} km away")));
        lines
    }

    fn jsonl(&self) -> String {
        let mut text = String::new();
        for (row, photo, found) in self.queries() {
            let line = match found {
                Err(error) => json!({ "photo": photo, "error": error }),
                Ok(hits) => {
                    let truth = self.sources.truth(row);
                    let hit = |hit: &Hit| {
                        let found = &self.index.photos()[hit.photo];
                        let mut value = json!({ "photo": found.photo, "distance": hit.distance });
                        if let Some(position) = found.position {
                            value["position"] = json!([position.lat(), position.lng()]);
                        }
                        if let Some(km) = self.km(truth, hit) {
                            value["km"] = json!(km);
                        }
                        value
                    };
                    json!({ "photo": photo, "found": hits.iter().map(hit).collect::<Vec<_>>() })
                }
            };
            text.push_str(&format!("{line}\n"));
        }
        text
    }

    fn html(&self, index: &Path, queries: &dyn PhotoStore) -> String {
        let references = store_at(&self.index.info().root);
        let picture = |store: &dyn PhotoStore, photo: &str| {
            store.photo(photo).ok().map(|photo| thumbnail_jpeg(&photo, THUMBNAIL))
        };
        let result = |(row, photo, found): (usize, &str, &Result<Vec<Hit>, String>)| {
            let truth = self.sources.truth(row);
            let show = |hit: &Hit| {
                let name = &self.index.photos()[hit.photo].photo;
                let thumbnail = picture(&*references, name);
                FoundPhoto { photo: name.clone(), thumbnail, lines: self.lines(hit, truth) }
            };
            let thumbnail = picture(queries, photo);
            SearchResult {
                query: FoundPhoto { photo: photo.to_owned(), thumbnail, lines: Vec::new() },
                found: found
                    .as_ref()
                    .map(|hits| hits.iter().map(show).collect())
                    .map_err(Clone::clone),
                map: None,
            }
        };
        let results: Vec<SearchResult> = self.queries().map(result).collect();
        let info = self.index.info();
        let subject = format!(
            "The most similar of {} photos in {}, by the model {}",
            self.index.photos().len(),
            index.display(),
            info.model
        );
        search_page(&subject, &results)
    }
}

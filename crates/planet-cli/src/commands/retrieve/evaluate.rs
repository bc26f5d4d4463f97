use std::{
    collections::HashMap,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet::retrieval::{
    Descriptor, Extractor, Index, IndexWriter, IndexedPhoto, Role,
    holidays::{self, MeanPrecision, Scene, Upright},
};
use planet_data::{Photo, PhotoError, PhotoStore};
use serde_json::json;

use super::{extractor, recipe::RecipeArguments, whiten};
use crate::{
    commands::locate::sources::Sources, engine_choice::EngineChoice, failure::Failure,
    progress::Progress,
};

/// `planet retrieve evaluate --dataset D --model M [--rotations FILE] [--json]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Photos named as those of INRIA Holidays, a folder or manifest: 100000.jpg is a query,
    /// 100001.jpg and following are the photos that it should find
    #[arg(long, value_name = "DIR|M")]
    dataset: String,
    /// Folder that a manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Model package
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    recipe: RecipeArguments,
    /// Turn photos upright: a CSV file with the columns photo and degrees, clockwise, in multiples
    /// of 90
    #[arg(long, value_name = "FILE")]
    rotations: Option<PathBuf>,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineChoice,
}

/// Ranks all photos for every query and scores the rankings.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let sources =
        Sources::gather(std::slice::from_ref(&arguments.dataset), arguments.root.as_deref())?;
    let photos = sources.ids();
    let scenes = holidays::scenes(photos)?;
    let store = upright(arguments.rotations.as_deref(), sources.store(), photos)?;
    let recipe = arguments.recipe.recipe();
    let others = arguments.recipe.whitening_photos()?;
    if recipe.whitening > 0 && others.is_none() {
        return Err(Failure::usage("the whitening needs photos that are not tested")
            .hint("name them with --whiten-photos PHOTO|DIR|M"));
    }
    let mut extractor = extractor(&arguments.model, &arguments.engine, recipe)?;
    if let Some(others) = others {
        whiten(&mut extractor, &others.store(), others.ids())?;
    }
    let ranked = rank(&mut extractor, &*store, photos, &scenes)?;
    let score = holidays::mean_precision(&scenes, &ranked.rankings, 0);
    let mut out = io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", to_json(&score, photos, &scenes, &ranked))?;
    } else {
        show(&mut out, &score, photos, &scenes, &ranked)?;
    }
    Ok(())
}

/// The photos' store, behind one that turns them where a file says so.
fn upright(
    rotations: Option<&Path>,
    store: Arc<dyn PhotoStore>,
    photos: &[String],
) -> Result<Arc<dyn PhotoStore>, Failure> {
    let Some(path) = rotations else { return Ok(store) };
    let wrong = |what: String| Failure::new(format!("{}: {what}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(error.to_string()))?;
    let mut degrees = HashMap::new();
    for row in reader.deserialize() {
        let (photo, turn): (String, i32) = row.map_err(|error| wrong(error.to_string()))?;
        // Photos are named by id, or by the name of their file alone.
        let named = |id: &&String| **id == photo || id.rsplit(['/', '\\']).next() == Some(&photo);
        let id = photos.iter().find(named);
        let id = id.ok_or_else(|| wrong(format!("{photo} is not in the data set")))?;
        degrees.insert(id.clone(), turn);
    }
    Ok(Arc::new(Upright::new(Shared(store), &degrees)?))
}

/// A store that several hold.
struct Shared(Arc<dyn PhotoStore>);

impl PhotoStore for Shared {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        self.0.photo(id)
    }
}

/// Every query's ranking, and the photos that could not be decoded with the reason.
struct Ranked {
    rankings: Vec<Vec<usize>>,
    failed: Vec<(usize, String)>,
}

fn rank(
    extractor: &mut Extractor,
    store: &dyn PhotoStore,
    photos: &[String],
    scenes: &[Scene],
) -> Result<Ranked, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let path = folder.path().join("index");
    let (model, recipe) = (extractor.model().clone(), extractor.recipe().clone());
    let mut writer = IndexWriter::create(&path, &model, &recipe, "", extractor.whitening())?;
    let progress = Progress::new("photos");
    let mut failed = Vec::new();
    let mut described: Vec<Option<Descriptor>> = vec![None; photos.len()];
    extractor.describe(store, photos, Role::Reference, &progress, |row, result| {
        let photo = photos[row].clone();
        let indexed = IndexedPhoto { photo, position: None, vectors: 0, error: None };
        match result {
            Ok(descriptor) => {
                writer.add(indexed, &descriptor)?;
                described[row] = Some(descriptor);
            }
            Err(error) => {
                progress.say(&format!("{}: {error}", photos[row]));
                writer.add_failed(indexed, &error.to_string());
                failed.push((row, error.to_string()));
            }
        }
        Ok(())
    })?;
    writer.finish()?;
    if recipe.differs_by_role() {
        let queries: Vec<String> = scenes.iter().map(|it| photos[it.query].clone()).collect();
        extractor.describe(store, &queries, Role::Query, &progress, |row, result| {
            described[scenes[row].query] = result.ok();
            Ok(())
        })?;
    }
    progress.finish();
    let index = Index::open(&path)?;
    let queries: Vec<&Scene> =
        scenes.iter().filter(|scene| described[scene.query].is_some()).collect();
    let asked: Vec<Descriptor> =
        queries.iter().filter_map(|scene| described[scene.query].clone()).collect();
    let mut found = index.search(&asked, photos.len()).into_iter();
    let ranking = |scene: &Scene| match described[scene.query] {
        Some(_) => found.next().expect("one a query").into_iter().map(|hit| hit.photo).collect(),
        None => Vec::new(),
    };
    Ok(Ranked { rankings: scenes.iter().map(ranking).collect(), failed })
}

fn to_json(
    score: &MeanPrecision,
    photos: &[String],
    scenes: &[Scene],
    ranked: &Ranked,
) -> serde_json::Value {
    let failed = ranked.failed.iter();
    let failed = failed.map(|(row, error)| json!({ "photo": photos[*row], "error": error }));
    let of_queries = scenes.iter().zip(&score.of_queries);
    let of_queries =
        of_queries.map(|(scene, ap)| json!({ "photo": photos[scene.query], "ap": ap }));
    json!({
        "map": score.mean,
        "interval": score.interval.map(|it| [it.low, it.high]),
        "queries": scenes.len(),
        "photos": photos.len(),
        "failed": failed.collect::<Vec<_>>(),
        "average_precision": of_queries.collect::<Vec<_>>(),
    })
}

fn show(
    out: &mut impl Write,
    score: &MeanPrecision,
    photos: &[String],
    scenes: &[Scene],
    ranked: &Ranked,
) -> io::Result<()> {
    let interval = score.interval.map_or_else(String::new, |it| {
        format!("  (95 % interval {:.1} to {:.1})", 100.0 * it.low, 100.0 * it.high)
    });
    writeln!(out, "mean average precision  {:.1} %{interval}", 100.0 * score.mean)?;
    writeln!(out, "queries                 {}", scenes.len())?;
    writeln!(out, "photos                  {}", photos.len())?;
    writeln!(out, "not decoded             {}", ranked.failed.len())
}

//! `planet evaluate`: a model on photos whose position is known, and a report about it.

use std::{
    collections::HashMap,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use planet::{
    Engine, LocateOptions, Locator, LocatorOptions, ModelPackage, Prediction, PredictionFormat,
    PredictionWriter, WriterOptions,
    evaluation::{KnownSet, Scorer, ScorerOptions, TruthTable},
    locate,
    occlusion::{OcclusionOptions, Target, explain, passes},
    report::{Explanation, GalleryKeeper, Report, claim_folder},
    retrieval::Refiner,
};
use planet_data::{
    AtomicFile, DiskStore, Gazetteer, Loader, LoaderOptions, Manifest, Monitor, PhotoRecord,
    PhotoStore, Preprocess, table::TableSource, thumbnail_jpeg,
};
use planet_geo::{Partition, Point, Scale};

use super::refine::RefineArguments;
use super::score::{
    PLACES, RuleArguments, publish,
    references::{self, References},
};
use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// What was said of each photo, in the report's folder.
const PREDICTIONS_FILE: &str = "predictions.jsonl";

/// Longer side of the photos in a report, in pixels.
const THUMBNAIL: u32 = 240;

/// `planet evaluate --model MODEL --dataset M -o REPORT`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Photos with positions: a manifest (FILE or FILE:SPLIT)
    #[arg(long, value_name = "M")]
    dataset: String,
    /// Folder that the manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Manifest of the training photos, to report the overlap of test and training photos
    #[arg(long, value_name = "M")]
    train: Option<String>,
    /// Candidates per photo
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Point of a cell that is the answer; by default the point stated in the model's partition
    #[arg(long, value_enum)]
    point: Option<PointName>,
    /// Column of the manifest with a category of photos; each category is also scored separately
    #[arg(long, value_name = "COLUMN", default_value = "category")]
    by: String,
    /// Add published results for comparison: im2gps, im2gps3k or yfcc4k
    #[arg(long, value_name = "SET")]
    set: Option<KnownSet>,
    /// Add occlusion maps of the N most confident correct and wrong answers to the report; each takes
    /// about 120 passes of the network
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=12))]
    explain: Option<u16>,
    /// Do not include photos in the report
    #[arg(long, conflicts_with = "explain")]
    no_photos: bool,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
    /// Folder for the report and predictions.jsonl
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Photos per batch
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=512))]
    batch: u16,
    #[command(flatten)]
    refine: RefineArguments,
    #[command(flatten)]
    rules: RuleArguments,
    #[command(flatten)]
    engine: EngineChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PointName {
    /// Mean position of the cell's training photos
    Mean,
    /// The cell's centre, as in the paper
    Centre,
}

/// What the photos are scored with.
struct Setting {
    manifest: Manifest,
    partition: Arc<Partition>,
    gazetteer: Arc<Gazetteer>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = ModelPackage::open(&arguments.model).map_err(Failure::new)?;
    let name = package.description().name.clone();
    let source = TableSource::parse(&arguments.dataset);
    let manifest = Manifest::load(&source, arguments.root.as_deref()).map_err(Failure::new)?;
    if manifest.records.iter().all(|record| record.position.is_none()) {
        return Err(Failure::new(format!("{source} has no photos with a position")));
    }
    let partition = Arc::new(arguments.partition(package.partition()));
    let gazetteer = Arc::new(Gazetteer::new());
    let setting = Setting { manifest, partition, gazetteer };

    let mut references = References::default();
    let records = &setting.manifest.records;
    let positions = || records.iter().filter_map(|record| record.position);
    if references::is_drawn(&source) {
        references.ideals(&setting.manifest, &setting.partition)?;
    }
    references.own_cells(&setting.partition, positions());
    let leakage = match &arguments.train {
        Some(train) => {
            let train = Manifest::load(&TableSource::parse(train), None).map_err(Failure::new)?;
            let partition = Some(&*setting.partition);
            Some(references::leakage(&train, &setting.manifest, partition, &mut references)?)
        }
        None => {
            let classes = setting.partition.classes();
            let counts = |class: usize| classes[class].photos;
            references.most_frequent(&setting.partition, counts, positions());
            None
        }
    };
    let options = ScorerOptions {
        partition: Some(&setting.partition),
        gazetteer: Some(&setting.gazetteer),
        ..arguments.rules.options()
    };
    let all = TruthTable::of(records, &arguments.by, |_| true);
    let mut scorers = vec![Scorer::new(all, options)];
    if let Some(leakage) = &leakage {
        let clean = TruthTable::of(records, &arguments.by, |place| leakage.is_clean(place));
        scorers.push(Scorer::new(clean, options));
    }
    let mut places = Vec::new();
    let mut keeper = GalleryKeeper::default();
    let mut refined =
        arguments.refine.open(&package)?.map(|refiner| Refined::new(refiner, records));
    let explanations = arguments.predict(
        &package,
        &setting,
        &mut scorers,
        &mut places,
        &mut keeper,
        refined.as_mut(),
    )?;
    if let Some(refined) = &refined {
        references.push("refined by similar photos", refined.within());
    }

    let store = DiskStore::new(&setting.manifest.root);
    let thumbnail = |photo: &str| match arguments.no_photos {
        true => None,
        false => Some(thumbnail_jpeg(&store.photo(photo).ok()?, THUMBNAIL)),
    };
    let galleries = match arguments.no_photos {
        true => Vec::new(),
        false => keeper.finish(Some(&setting.partition), &explanations, thumbnail),
    };
    let mut scores = scorers.into_iter().map(Scorer::finish);
    let report = Report {
        title: format!("Evaluation of {name}"),
        subject: format!("Model {} on {source}.", arguments.model.display()),
        score: scores.next().expect("the first scorer has all photos"),
        clean: scores.next().filter(|score| score.counts.photos > 0),
        leakage,
        references: references.scales,
        cell_references: references.cells,
        known_set: arguments.set,
        by: arguments.by.clone(),
        places,
        galleries,
    };
    publish(&report, arguments.json, Some(&arguments.output))
}

impl Arguments {
    /// The model's classes, with the point that was asked for.
    fn partition(&self, partition: &Partition) -> Partition {
        match self.point {
            None => partition.clone(),
            Some(PointName::Mean) => partition.with_point(Point::Mean),
            Some(PointName::Centre) => partition.with_point(Point::Centre),
        }
    }

    /// Locates the photos and scores each as it comes; then explains the answers that are to be
    /// explained, by the photos' ids.
    fn predict(
        &self,
        package: &ModelPackage,
        setting: &Setting,
        scorers: &mut [Scorer<'_>],
        places: &mut Vec<(planet_geo::LatLng, f64)>,
        keeper: &mut GalleryKeeper,
        mut refined: Option<&mut Refined>,
    ) -> Result<HashMap<String, Explanation>, Failure> {
        let mut engine = self.engine.open_package(package)?;
        let options = LocatorOptions { top: self.top.into(), ..LocatorOptions::default() };
        let locator = Locator::for_model(
            package.description(),
            Arc::clone(&setting.partition),
            options,
            Arc::clone(&setting.gazetteer),
        )
        .map_err(Failure::new)?;
        let records = &setting.manifest.records;
        let ids: Vec<String> = records.iter().map(|record| record.photo.clone()).collect();
        let loader = Loader::new(
            Arc::new(DiskStore::new(&setting.manifest.root)),
            ids.clone(),
            package.description().preprocess.clone(),
            LoaderOptions::evaluation(self.batch.into()),
        )
        .map_err(Failure::new)?;

        let file = self.output.join(PREDICTIONS_FILE);
        claim_folder(&self.output, &[PREDICTIONS_FILE]).map_err(Failure::new)?;
        let mut writer = open(&file)?;
        let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", file.display()));
        let progress = Progress::new("photos");
        progress.expect(ids.len() as u64);
        let wanted = LocateOptions { embedding: refined.is_some(), ..LocateOptions::default() };
        let engine: &mut dyn Engine = &mut engine;
        let ended =
            locate(engine, &loader, &ids, &locator, wanted, &progress, |row, mut said, logits| {
                said.truth = records[row].position;
                if let Some(refined) = &mut refined {
                    refined.add(&said, &locator);
                    said.embedding = None;
                }
                writer.write(&said).map_err(failed)?;
                let outcome = scorers[0].add(&said);
                scorers[1..].iter_mut().for_each(|scorer| {
                    scorer.add(&said);
                });
                let place = outcome.map(|(error, truth)| (truth, error.km()));
                places.extend(place.filter(|_| places.len() < PLACES));
                if !self.no_photos {
                    keeper.add(&said, || locator.probabilities(logits).ok());
                }
                Ok::<(), Failure>(())
            });
        progress.finish();
        ended.map_err(Failure::from)?;
        let buffer = writer.finish().map_err(failed)?;
        let whole = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        whole.finish().map_err(failed)?;
        let Some(most) = self.explain else { return Ok(HashMap::new()) };
        let photos = keeper.most_confident(most.into());
        explanations(engine, &locator, &package.description().preprocess, setting, &photos)
    }
}

/// The answers after refinement, held against the truth.
struct Refined {
    refiner: Refiner,
    /// Photos of known position, those without an answer too.
    photos: u64,
    within: [u64; 5],
}

impl Refined {
    fn new(refiner: Refiner, records: &[PhotoRecord]) -> Self {
        let photos = records.iter().filter(|record| record.position.is_some()).count() as u64;
        Self { refiner, photos, within: [0; 5] }
    }

    fn add(&mut self, said: &Prediction, locator: &Locator) {
        let mut said = said.clone();
        self.refiner.refine(&mut said, locator);
        let Some(error) = said.distance() else { return };
        for (count, scale) in self.within.iter_mut().zip(Scale::ALL) {
            *count += u64::from(error <= scale.radius());
        }
    }

    fn within(&self) -> [f64; 5] {
        self.within.map(|count| count as f64 / self.photos.max(1) as f64)
    }
}

/// What the answers for some photos rest on.
fn explanations(
    engine: &mut dyn Engine,
    locator: &Locator,
    preprocess: &Preprocess,
    setting: &Setting,
    photos: &[String],
) -> Result<HashMap<String, Explanation>, Failure> {
    // Right or wrong, the question is why the model said what it said.
    let options = OcclusionOptions { target: Target::Best, ..OcclusionOptions::default() };
    let most = passes(&options, [1 << 16; 2]);
    anstream::eprintln!("occlusion maps of {} photos, at most {most} passes each", photos.len());
    let store = DiskStore::new(&setting.manifest.root);
    let photos: Vec<_> = photos.iter().map(|photo| (photo.clone(), None)).collect();
    let mut explanations = HashMap::new();
    let progress = Progress::new("passes");
    let ended =
        explain(engine, locator, preprocess, &store, &photos, &options, &progress, |row, found| {
            let explanation = match found {
                Ok(found) => Explanation {
                    picture: Some(found.to_thumbnail(THUMBNAIL)),
                    line: found.regions(1).first().map_or_else(
                        || "no part of it matters".to_owned(),
                        |region| format!("where it is lightest: {}", region.sentence()),
                    ),
                },
                Err(error) => Explanation { picture: None, line: format!("no map: {error}") },
            };
            explanations.insert(photos[row].0.clone(), explanation);
        });
    progress.finish();
    ended.map_err(Failure::new)?;
    Ok(explanations)
}

fn open(file: &Path) -> Result<PredictionWriter<BufWriter<AtomicFile>>, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", file.display()));
    let new = BufWriter::new(AtomicFile::create(file).map_err(failed)?);
    PredictionWriter::new(new, PredictionFormat::Jsonl, WriterOptions::default()).map_err(failed)
}

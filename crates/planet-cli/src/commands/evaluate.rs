//! `planet evaluate`: a model on photos whose position is known, and a report about it.

use std::{
    fs,
    io::BufWriter,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use planet::{
    BatchSize, Decision, LocatorOptions, Model, ModelPackage, PhotoViews, PredictionFormat,
    PredictionWriter, WriterOptions,
    evaluation::{
        ComparedCodes, Evaluation, EvaluationOptions, KnownSet, NearDuplicates, ScorerOptions,
    },
    occlusion::{OcclusionOptions, passes},
    report::{Cost, References, claim_folder},
};
use planet_data::{AtomicFile, DEFAULT_DISTANCE, Gazetteer, Manifest, table::TableSource};
use planet_geo::Point;

use super::{
    codes::{self, Coded},
    local_features,
    locate::region_share,
    refine::RefineArguments,
    rival::Rivals,
    score::{RuleArguments, publish, references},
    synthetic,
    validation_photos::ValidationPhotos,
};
use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// The predictions, in the report's folder.
const PREDICTIONS_FILE: &str = "predictions.jsonl";

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
    /// With --train: find near-duplicates by this model (planet train --task near-duplicates), instead of
    /// by perceptual hashes
    #[arg(long, value_name = "MODEL", requires = "train")]
    duplicates_model: Option<PathBuf>,
    /// With --train: find near-duplicates by local features, as planet dataset duplicates
    /// --local-features
    #[arg(long, requires = "train", conflicts_with = "duplicates_model")]
    duplicates_local_features: bool,
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
    /// Also locate the same photos by an index of other photos: Im2GPS (planet im2gps index), or a
    /// model's features (planet retrieve index); may be repeated
    #[arg(long, value_name = "INDEX")]
    rival: Vec<PathBuf>,
    /// Add occlusion maps of the N most confident correct and wrong answers to the report; each takes
    /// about 120 passes of the network
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=12))]
    explain: Option<u16>,
    /// Do not include photos in the report
    #[arg(long, conflicts_with = "explain")]
    no_photos: bool,
    #[command(flatten)]
    validation_photos: ValidationPhotos,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
    /// Folder for the report and predictions.jsonl
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Photos per batch, 1 to 512; auto tries 8, 16 and 32 on the first photos and keeps the quickest
    #[arg(long, alias = "batch-size", value_name = "N", default_value = "auto")]
    batch: BatchSize,
    #[command(flatten)]
    refine: RefineArguments,
    /// Which candidate is the answer: cell, the most probable one; score, that of the greatest expected
    /// GeoScore; within:KM, the one most probably within 1, 25, 200, 750 or 2500 km
    #[arg(long, value_name = "RULE", default_value = "cell", conflicts_with = "refine")]
    decide: Decision,
    /// Report how often the region for this share of photos, 0.01 to 0.99, contains the photo's cell, and its size
    #[arg(long, value_name = "SHARE", value_parser = region_share, conflicts_with = "refine")]
    region: Option<f64>,
    /// Average the probabilities of several views of each photo: whole, one view; flip, the photo and its
    /// mirror image; or crops, its corners and its middle, each 7/8 of either side
    #[arg(long, value_name = "VIEWS", default_value = "whole", conflicts_with_all = ["refine", "region"])]
    views: PhotoViews,
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

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = arguments.package()?;
    let source = TableSource::parse(&arguments.dataset);
    let manifest = Manifest::load(&source, arguments.root.as_deref()).map_err(Failure::new)?;
    if manifest.records.iter().all(|record| record.position.is_none()) {
        return Err(Failure::new(format!("{source} has no photos with a position")));
    }
    arguments.validation_photos.check(&package, &manifest)?;
    let training = arguments.train.as_deref().map(TableSource::parse);
    let training =
        training.map(|it| Manifest::load(&it, None).map_err(Failure::new)).transpose()?;
    let near_duplicates = training.as_ref().map(|it| arguments.near_duplicates(it, &manifest));
    let near_duplicates = near_duplicates.transpose()?.flatten();
    let (partition, gazetteer) = (package.shared_partition(), Arc::new(Gazetteer::new()));
    let mut model = arguments.open(package, &gazetteer)?;
    let refiner = arguments.refine.open(&mut model)?;
    let mut references = References::default();
    if synthetic::is_manifest_of_world(&source) {
        references::push_ideals(&mut references, &manifest, &partition, &arguments.by)?;
    }
    let scorer = ScorerOptions {
        partition: Some(&partition),
        gazetteer: Some(&gazetteer),
        ..arguments.rules.options()
    };
    let rivals = Rivals {
        indices: &arguments.rival,
        manifest: &manifest,
        by: &arguments.by,
        scorer,
        folder: &arguments.output,
        package: model.package(),
        engine: &arguments.engine,
    };
    rivals.push(&mut references)?;
    let options = EvaluationOptions {
        scorer,
        by: arguments.by.clone(),
        training: training.as_ref(),
        near_duplicates,
        references,
        refiner: refiner.as_ref(),
        known_set: arguments.set,
        photos: !arguments.no_photos,
        batch: arguments.batch,
    };
    let progress = Progress::new("photos");
    let evaluation = Evaluation::new(&manifest, options, &progress).map_err(Failure::new);
    progress.finish();
    let mut evaluation = evaluation?;

    let begun = Instant::now();
    arguments.locate(&mut evaluation, &mut model)?;
    if !arguments.rival.is_empty() {
        evaluation.push_cost(arguments.cost(begun.elapsed(), manifest.records.len())?);
    }
    arguments.explain(&mut evaluation, &mut model)?;
    let title = format!("Evaluation of {}", model.description().name);
    let subject = format!("Model {} on {source}.", arguments.model.display());
    publish(&evaluation.finish(title, subject), arguments.json, Some(&arguments.output))
}

impl Arguments {
    /// The package, with the point of its cells that was asked for.
    fn package(&self) -> Result<ModelPackage, Failure> {
        let package = ModelPackage::open(&self.model).map_err(Failure::new)?;
        Ok(match self.point {
            None => package,
            Some(PointName::Mean) => package.with_point(Point::Mean),
            Some(PointName::Centre) => package.with_point(Point::Centre),
        })
    }

    /// The package with its engine, and with what is answered.
    fn open(&self, package: ModelPackage, gazetteer: &Arc<Gazetteer>) -> Result<Model, Failure> {
        let (top, decision, region) = (self.top.into(), self.decide, self.region);
        let options = LocatorOptions { top, decision, region, ..LocatorOptions::default() };
        let model = self.engine.open_model(package, options, Arc::clone(gazetteer))?;
        Ok(model.with_views(self.views))
    }

    /// By what near-duplicates of the training photos are found, where it is not their hashes.
    fn near_duplicates(
        &self,
        training: &Manifest,
        test: &Manifest,
    ) -> Result<Option<NearDuplicates>, Failure> {
        if self.duplicates_local_features {
            let near = local_features::near(training, Some(test), DEFAULT_DISTANCE)?;
            report_not_compared(&near.failed);
            let places = near.pairs.into_iter().map(|pair| pair.b).collect();
            return Ok(Some(NearDuplicates::Found(places)));
        }
        let Some(model) = &self.duplicates_model else { return Ok(None) };
        let mut coder = codes::open(model, &self.engine)?;
        let description = coder.model().description();
        let distance = description.distance;
        let against = training.records.len();
        anstream::eprintln!("{}", codes::statement(description, distance, against));
        let mut of = |manifest: &Manifest| {
            let photos = manifest.records.iter().map(|record| record.photo.clone()).collect();
            let Coded { codes, failed } = codes::of(&mut coder, &manifest.root, photos)?;
            report_not_compared(&failed);
            Ok::<_, Failure>(codes)
        };
        let codes = ComparedCodes { training: of(training)?, test: of(test)?, distance };
        Ok(Some(NearDuplicates::Codes(codes)))
    }

    /// Adds the occlusion maps that were asked for.
    fn explain(&self, evaluation: &mut Evaluation<'_>, model: &mut Model) -> Result<(), Failure> {
        let Some(most) = self.explain.map(usize::from) else { return Ok(()) };
        let passes = passes(&OcclusionOptions::default(), [1 << 16; 2]);
        anstream::eprintln!(
            "occlusion maps of at most {} photos, at most {passes} passes each",
            2 * most
        );
        let progress = Progress::new("passes");
        let ended = evaluation.explain(model, most, &progress);
        progress.finish();
        ended.map_err(Failure::new)
    }

    /// Memory and time of the model, which has no index.
    fn cost(&self, time: Duration, photos: usize) -> Result<Cost, Failure> {
        let mut bytes = 0;
        for entry in fs::read_dir(&self.model).map_err(Failure::file(&self.model))? {
            let entry = entry.map_err(Failure::file(&self.model))?;
            // The network's graph, and its weights where they are a file of their own.
            if entry.file_name().to_string_lossy().starts_with("model.onnx") {
                bytes += entry.metadata().map_err(Failure::file(&entry.path()))?.len();
            }
        }
        Ok(Cost {
            name: "this model".to_owned(),
            photos: None,
            bytes,
            bytes_per_photo: None,
            seconds: time.as_secs_f64() / photos.max(1) as f64,
            search_seconds: None,
        })
    }

    /// Locates and scores the photos, and writes their predictions into the report's folder.
    fn locate(&self, evaluation: &mut Evaluation<'_>, model: &mut Model) -> Result<(), Failure> {
        let file = self.output.join(PREDICTIONS_FILE);
        claim_folder(&self.output, &[PREDICTIONS_FILE]).map_err(Failure::new)?;
        let failed = Failure::file(&file);
        let new = BufWriter::new(AtomicFile::create(&file).map_err(&failed)?);
        let (format, options) = (PredictionFormat::Jsonl, WriterOptions::default());
        let mut writer = PredictionWriter::new(new, format, options).map_err(&failed)?;
        let progress = Progress::new("photos");
        let ended = evaluation
            .run(model, &progress, |prediction, _| writer.write(prediction).map_err(&failed));
        progress.finish();
        ended?;
        let buffer = writer.finish().map_err(&failed)?;
        let whole = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        whole.finish().map_err(&failed)
    }
}

/// Says which photos have no part in the search for near-duplicates.
fn report_not_compared(failed: &[(String, String)]) {
    if let Some((photo, what)) = failed.first() {
        let count = failed.len();
        anstream::eprintln!("{count} photos cannot be compared; the first: {photo}: {what}");
    }
}

use std::{collections::HashMap, sync::Arc};

use planet_data::{DataError, DiskStore, Manifest, Monitor, PhotoStore, thumbnail_jpeg};
use planet_geo::{LatLng, Partition};

use super::{
    KnownSet, Leakage, NearDuplicates, Scorer, ScorerOptions, TruthTable, log_loss::LogLosses,
    region_coverage::RegionCounter,
};
use crate::{
    Accuracy, BatchSize, LocateError, LocateOptions, Model, Prediction,
    occlusion::{OcclusionError, OcclusionOptions, Target},
    report::{Cost, Explanation, GalleryKeeper, MAPPED_PHOTOS, References, Report},
    retrieval::Refiner,
};

/// Longer side of the photos in a report, in pixels.
const THUMBNAIL: u32 = 240;

/// How a model is evaluated.
#[derive(Clone)]
pub struct EvaluationOptions<'a> {
    /// How predictions are scored. Its partition also gives the report's bounds and baselines.
    pub scorer: ScorerOptions<'a>,
    /// Column of the photos' category; each category is also scored separately.
    pub by: String,
    /// The training photos, to report what test and training photos share.
    pub training: Option<&'a Manifest>,
    /// By what near-duplicates of training photos are found; the manifests' perceptual hashes where it
    /// is `None`.
    pub near_duplicates: Option<NearDuplicates>,
    /// What is known beforehand, such as the ideal of a synthetic earth.
    pub references: References,
    /// The test set, if results on it were published.
    pub known_set: Option<KnownSet>,
    /// Chooses positions within the best cells by similar photos; their accuracy is reported beside.
    pub refiner: Option<&'a Refiner>,
    /// Whether the report shows photos.
    pub photos: bool,
    /// Photos that the engine takes at once.
    pub batch: BatchSize,
}

impl Default for EvaluationOptions<'_> {
    /// All predictions scored by the default rules, photos shown, as many at once as proves quickest.
    fn default() -> Self {
        Self {
            scorer: ScorerOptions::default(),
            by: "category".to_owned(),
            training: None,
            near_duplicates: None,
            references: References::default(),
            known_set: None,
            refiner: None,
            photos: true,
            batch: BatchSize::Auto,
        }
    }
}

/// Evaluates a model on photos whose positions are known.
///
/// ```no_run
/// use std::{convert::Infallible, sync::Arc};
/// use planet::{
///     Model,
///     evaluation::{Evaluation, EvaluationOptions, ScorerOptions},
/// };
/// use planet_data::{Manifest, NoMonitor};
///
/// # fn example(mut model: Model, manifest: Manifest) -> Result<(), Box<dyn std::error::Error>> {
/// let partition = model.package().shared_partition();
/// let scorer = ScorerOptions { partition: Some(&partition), ..ScorerOptions::default() };
/// let options = EvaluationOptions { scorer, ..EvaluationOptions::default() };
/// let mut evaluation = Evaluation::new(&manifest, options, &NoMonitor)?;
/// evaluation.run(&mut model, &NoMonitor, |_, _| Ok::<(), Infallible>(()))?;
/// let report = evaluation.finish("Evaluation", "A model on my photos.");
/// println!("{:.1} % within 25 km", 100.0 * report.score.within[0][1]);
/// # Ok(())
/// # }
/// ```
pub struct Evaluation<'a> {
    manifest: &'a Manifest,
    options: EvaluationOptions<'a>,
    leakage: Option<Leakage>,
    /// Of all photos, and of those that share nothing with the training photos.
    scorers: Vec<Scorer<'a>>,
    /// Truths and errors in km.
    places: Vec<(LatLng, f64)>,
    keeper: GalleryKeeper,
    explanations: HashMap<String, Explanation>,
    /// Of refined positions.
    refined: Accuracy,
    regions: RegionCounter,
    log_losses: LogLosses,
}

impl<'a> Evaluation<'a> {
    /// Prepares an evaluation: bounds, baselines, and what test and training photos share. Photos
    /// without a position are located and not scored.
    ///
    /// # Errors
    /// The monitor ended it.
    pub fn new(
        manifest: &'a Manifest,
        mut options: EvaluationOptions<'a>,
        monitor: &dyn Monitor,
    ) -> Result<Self, DataError> {
        let records = &manifest.records;
        let positions = || records.iter().filter_map(|record| record.position);
        let partition: Option<&Partition> = options.scorer.partition;
        if let Some(partition) = partition {
            options.references.push_bounds(partition, positions());
        }
        let leakage = match options.training {
            Some(training) => {
                let training = &training.records;
                let by = options.near_duplicates.take();
                let by = by.unwrap_or_else(|| NearDuplicates::by_hashes(training, records));
                let references = &mut options.references;
                Some(references.push_training(partition, training, records, &by, monitor)?)
            }
            None => {
                if let Some(partition) = partition {
                    let photos = |class: usize| partition.classes()[class].photos;
                    options.references.push_most_frequent(partition, photos, positions());
                }
                None
            }
        };
        let all = TruthTable::of(records, &options.by, |_| true);
        let mut scorers = vec![Scorer::new(all, options.scorer)];
        if let Some(leakage) = &leakage {
            let clean = TruthTable::of(records, &options.by, |row| leakage.is_clean(row));
            scorers.push(Scorer::new(clean, options.scorer));
        }
        let (places, keeper, explanations, regions, log_losses) = Default::default();
        Ok(Self {
            manifest,
            options,
            leakage,
            scorers,
            places,
            keeper,
            explanations,
            refined: Accuracy::default(),
            regions,
            log_losses,
        })
    }

    /// Locates all photos and scores each as it comes. `on_prediction` gets each prediction, with
    /// the true position, and the photo's scores `[classes]`, empty where there is no answer.
    ///
    /// # Errors
    /// The engine or the store fails, `on_prediction` does, or the monitor ends it.
    pub fn run<E>(
        &mut self,
        model: &mut Model,
        monitor: &dyn Monitor,
        mut on_prediction: impl FnMut(&Prediction, &[f32]) -> Result<(), E>,
    ) -> Result<(), LocateError<E>> {
        let records = &self.manifest.records;
        let ids: Vec<String> = records.iter().map(|record| record.photo.clone()).collect();
        monitor.expect(ids.len() as u64);
        let locator = model.locator();
        let store = Arc::new(DiskStore::new(&self.manifest.root));
        let embedding = self.options.refiner.is_some();
        let options =
            LocateOptions { batch: self.options.batch, embedding, ..LocateOptions::default() };
        model.locate(store, &ids, options, monitor, |row, mut prediction, logits| {
            prediction.truth = records[row].position;
            if let Some(refiner) = self.options.refiner {
                let mut refined = prediction.clone();
                refiner.refine(&mut refined, &locator);
                prediction.embedding = None;
                if refined.truth.is_some() {
                    self.refined.add(refined.distance());
                }
            }
            on_prediction(&prediction, logits)?;
            let partition = locator.partition();
            self.regions.add(&prediction, &records[row], &self.options.by, partition);
            let class = prediction.truth.and_then(|truth| partition.class_of(truth));
            if let (Some(class), Ok(probabilities)) = (class, locator.probabilities(logits)) {
                let category = records[row].value(&self.options.by);
                self.log_losses.add(probabilities.of(class), category);
            }
            let outcome = self.scorers[0].add(&prediction);
            self.scorers[1..].iter_mut().for_each(|scorer| {
                scorer.add(&prediction);
            });
            let place = outcome.map(|(error, truth)| (truth, error.km()));
            self.places.extend(place.filter(|_| self.places.len() < MAPPED_PHOTOS));
            if self.options.photos {
                self.keeper.add(&prediction, || locator.probabilities(logits).ok());
            }
            Ok(())
        })
    }

    /// Adds the memory and the time of a method to the report.
    pub fn push_cost(&mut self, cost: Cost) {
        self.options.references.costs.push(cost);
    }

    /// Adds occlusion maps of the `most` most confident correct and as many wrong answers. Whether
    /// correct or wrong, they show why the model gave its answer.
    ///
    /// # Errors
    /// The engine fails, or the monitor ends it.
    pub fn explain(
        &mut self,
        model: &mut Model,
        most: usize,
        monitor: &dyn Monitor,
    ) -> Result<(), OcclusionError> {
        let options = OcclusionOptions { target: Target::Best, ..OcclusionOptions::default() };
        let photos = self.keeper.most_confident(most);
        let photos: Vec<_> = photos.into_iter().map(|photo| (photo, None)).collect();
        let store = DiskStore::new(&self.manifest.root);
        model.explain(&store, &photos, &options, monitor, |row, found| {
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
            self.explanations.insert(photos[row].0.clone(), explanation);
        })
    }

    /// The report, with this title and a sentence on what was evaluated.
    pub fn finish(self, title: impl Into<String>, subject: impl Into<String>) -> Report {
        let Self { manifest, mut options, leakage, scorers, places, keeper, .. } = self;
        let (explanations, regions) = (self.explanations, self.regions.finish());
        let (log_loss, category_log_losses) =
            self.log_losses.finish(&options.references.category_log_losses);
        if options.refiner.is_some() {
            options.references.push("refined by similar photos", self.refined.shares(1));
        }
        let store = DiskStore::new(&manifest.root);
        let thumbnail = |photo: &str| Some(thumbnail_jpeg(&store.photo(photo).ok()?, THUMBNAIL));
        let galleries = match options.photos {
            true => keeper.finish(options.scorer.partition, &explanations, thumbnail),
            false => Vec::new(),
        };
        let mut scores = scorers.into_iter().map(Scorer::finish);
        Report {
            title: title.into(),
            subject: subject.into(),
            score: scores.next().expect("the first scorer has all photos"),
            clean: scores.next().filter(|score| score.counts.photos > 0),
            leakage,
            references: options.references,
            known_set: options.known_set,
            by: options.by,
            places,
            galleries,
            regions,
            log_loss,
            category_log_losses,
        }
    }
}

//! `planet album evaluate`: album schemes on photos whose position is known, and a report.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use clap::Args;
use planet::{
    Locator, LocatorOptions, ModelPackage, Place, Prediction,
    album::{
        Album, AlbumInput, Embeddings, HmmModel, People, PhotoProbabilities, Scheme, albums,
        locate_albums,
    },
    evaluation::{Positions, Scorer, ScorerOptions, TruthTable},
    report::{AlbumReport, SchemeResult, Strip, StripAnswer, StripPhoto},
};
use planet_data::{DiskStore, Gazetteer, Manifest, PhotoRecord, PhotoStore, thumbnail_jpeg};
use planet_geo::Partition;
use planet_library::{Calibration, Library, ModelOutput};

use super::{answers, embeddings, ideals::Ideals, photos};
use crate::{
    commands::{
        score::{self, RuleArguments},
        synthetic, train,
    },
    engine_choice::EngineChoice,
    failure::Failure,
};

/// Albums that are shown as strips, photos of each, and the least that an album must have.
const STRIPS: usize = 6;
const SHOWN: usize = 12;
const FEWEST: usize = 4;
/// Longer side of the photos of strips, in pixels.
const THUMBNAIL: u32 = 160;

/// The schemes' names in tables where they are no scheme's own.
const AVERAGE_25: &str = "average-25";
const EXACT: &str = "hmm, exact single answers";

/// `planet album evaluate --model MODEL [--schemes all] --dataset M -o REPORT`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package, with the LSTMs that were added to it
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Schemes, separated by commas; `all` selects those of the package and hmm. The schemes single
    /// and average are always included
    #[arg(long, value_name = "S,S", default_value = "all")]
    schemes: Schemes,
    /// Photos with positions: a manifest (FILE or FILE:SPLIT)
    #[arg(long, value_name = "M[:SPLIT]")]
    dataset: String,
    /// Folder that the manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Folder for the embeddings; by default `embeddings` next to the report
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
    /// Do not include photos in the report
    #[arg(long)]
    no_photos: bool,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
    /// Folder for the report
    #[arg(short, long, value_name = "REPORT")]
    output: PathBuf,
    #[command(flatten)]
    rules: RuleArguments,
    #[command(flatten)]
    engine: EngineChoice,
}

/// What `--schemes` names; `None` is all.
#[derive(Clone, Debug)]
struct Schemes(Option<Vec<Scheme>>);

impl FromStr for Schemes {
    type Err = planet::album::UnknownScheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self(None));
        }
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(|named| Self(Some(named)))
    }
}

impl Schemes {
    /// The schemes to evaluate, in the order of the tables.
    fn of(&self, package: &ModelPackage) -> Vec<Scheme> {
        let has = |scheme: Scheme| {
            let files = &package.description().schemes;
            !scheme.is_sequence() || files.iter().any(|file| file.name == scheme.name())
        };
        let wanted = |scheme: &Scheme| match (&self.0, scheme) {
            (_, Scheme::Single | Scheme::Average) => true,
            (Some(named), scheme) => named.contains(scheme),
            (None, scheme) => has(*scheme),
        };
        Scheme::ALL.into_iter().filter(wanted).collect()
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = ModelPackage::open(&arguments.model).map_err(Failure::new)?;
    let schemes = arguments.schemes.of(&package);
    for scheme in schemes.iter().filter(|scheme| scheme.is_sequence()) {
        // Before hours are spent on the photos.
        answers::model(&package, *scheme)?;
    }
    let mut manifest = train::manifest(&arguments.dataset, arguments.root.as_deref())?;
    for record in &mut manifest.records {
        // An estimate is no truth to score by.
        record.position = record.known_position();
    }
    if manifest.records.iter().all(|record| record.position.is_none()) {
        return Err(Failure::new(format!("{} has no photos with a position", arguments.dataset)));
    }
    let albums = albums(&manifest.records);
    name_albums(&mut manifest.records, &albums);
    let source = planet_data::table::TableSource::parse(&arguments.dataset);
    let ideals = match synthetic::is_manifest_of_world(&source) {
        true => Some(Ideals::of(&manifest, package.partition())?),
        false => None,
    };
    let (output, embeddings) = arguments.look(&package, &manifest, &schemes)?;
    let judge = Judge::new(arguments, &package, &manifest, &albums)?;

    let mut results = Vec::new();
    let mut strips = judge.strips(arguments.no_photos);
    let mut keep = |(result, shown): (SchemeResult, Vec<Vec<StripAnswer>>)| {
        for (strip, answers) in strips.iter_mut().zip(shown) {
            strip.answers.push((result.name.clone(), answers));
        }
        results.push(result);
    };
    let ideal = |scheme: Scheme| ideals.as_ref().and_then(|ideals| ideals.for_scheme(scheme));
    let average_25 = Scheme::LstmRepeat25;
    let mut cut = false;
    for scheme in schemes {
        if scheme.cuts() && !cut {
            cut = true;
            let mut marking = judge.begin();
            let take = |row, prediction| marking.take(row, prediction);
            let input = AlbumInput::Probabilities(&output);
            judge.albums(average_25, input, take)?;
            keep(marking.end(AVERAGE_25, Some(Scheme::Single.name()), None));
        }
        let mut marking = judge.begin();
        let take = |row, prediction| marking.take(row, prediction);
        match scheme {
            Scheme::Hmm => judge.hmm(&|row| output.get(row), None, judge.model.weight, take)?,
            _ if scheme.is_sequence() => {
                let file = answers::model(&package, scheme)?;
                let mut network = arguments.engine.open_sequence(&file)?;
                judge.albums(scheme, AlbumInput::Sequence(&mut network, &embeddings), take)?;
            }
            _ => judge.albums(scheme, AlbumInput::Probabilities(&output), take)?,
        }
        let baseline = match scheme {
            Scheme::Single | Scheme::Average => None,
            _ if scheme.cuts() => Some(AVERAGE_25),
            _ => Some(Scheme::Average.name()),
        };
        keep(marking.end(scheme.name(), baseline, ideal(scheme)));
        let exact = ideals.as_ref().filter(|_| scheme == Scheme::Hmm).and_then(Ideals::exact);
        if let Some((exact, expected)) = exact {
            let mut marking = judge.begin();
            let take = |row, prediction| marking.take(row, prediction);
            // The weight is that of the network's word; this one is never wrong.
            judge.hmm(&exact, Some(&expected), 1.0, take)?;
            keep(marking.end(EXACT, None, ideal(scheme)));
        }
    }
    for (row, error) in output.failed() {
        anstream::eprintln!("{}: {error}", manifest.records[*row].photo);
    }
    let photos = albums.iter().map(|album| album.rows.len()).max().unwrap_or(0);
    let report = AlbumReport {
        title: format!("Album evaluation of {}", package.description().name),
        subject: format!(
            "Model {} on {} albums of {source}, with {} photos; the longest album has {photos}. Known \
             positions are used only for scoring. Photos that cannot be read are located from \
             neighbouring photos.",
            arguments.model.display(),
            albums.len(),
            manifest.records.len()
        ),
        schemes: results,
        strips,
    };
    report.save(&arguments.output).map_err(Failure::new)?;
    score::print(&report.to_json(), &report.tables(), arguments.json, Some(&arguments.output))
}

/// Albums that were formed from times get names, so that intervals are drawn by them.
fn name_albums(records: &mut [PhotoRecord], albums: &[Album]) {
    for (number, album) in albums.iter().enumerate() {
        for &row in &album.rows {
            records[row].album.get_or_insert_with(|| format!("formed {number}"));
        }
    }
}

impl Arguments {
    /// Looks at every photo once: what the model says of it, and what LSTMs read.
    fn look(
        &self,
        package: &ModelPackage,
        manifest: &Manifest,
        schemes: &[Scheme],
    ) -> Result<(PhotoProbabilities, Embeddings), Failure> {
        let beside = || self.output.parent().unwrap_or(Path::new("")).join("embeddings");
        let cache = self.embeddings.clone().unwrap_or_else(beside);
        let (mut embeddings, path) = embeddings::cached(manifest, package, &cache)?;
        let before = embeddings.len();
        let wanted = schemes.iter().any(|scheme| scheme.is_sequence());
        let kept = wanted.then_some(&mut embeddings);
        let output = photos::probabilities(package, &self.engine, manifest, |_| true, kept)?;
        if embeddings.len() > before {
            embeddings.write(&path).map_err(Failure::new)?;
        }
        Ok((output, embeddings))
    }
}

/// What schemes are evaluated with.
struct Judge<'a> {
    manifest: &'a Manifest,
    albums: &'a [Album],
    partition: &'a Partition,
    model: HmmModel,
    options: ScorerOptions<'a>,
    locator: Locator,
    gazetteer: Arc<Gazetteer>,
    /// Each row's place in its album, from 0 on.
    positions: Vec<usize>,
    /// Rows of the albums that are shown.
    shown: Vec<Vec<usize>>,
}

impl<'a> Judge<'a> {
    fn new(
        arguments: &Arguments,
        package: &'a ModelPackage,
        manifest: &'a Manifest,
        albums: &'a [Album],
    ) -> Result<Self, Failure> {
        let gazetteer = Arc::new(Gazetteer::new());
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        let partition = package.partition();
        let locator = Locator::new(Arc::new(partition.clone()), 1.0, options, gazetteer.clone())
            .map_err(Failure::new)?;
        let mut positions = vec![0; manifest.records.len()];
        for album in albums {
            album.rows.iter().enumerate().for_each(|(at, row)| positions[*row] = at);
        }
        // As many as are shown, at regular distances among those that are long enough.
        let long: Vec<&Album> = albums.iter().filter(|it| it.rows.len() >= FEWEST).collect();
        let step = (long.len() / STRIPS).max(1);
        let shown = long.iter().step_by(step).take(STRIPS);
        let shown = shown.map(|album| album.rows[..album.rows.len().min(SHOWN)].to_vec()).collect();
        let options = ScorerOptions { partition: Some(partition), ..arguments.rules.options() };
        let model = super::hmm_model(package)?;
        Ok(Self {
            manifest,
            albums,
            partition,
            model,
            options,
            locator,
            gazetteer,
            positions,
            shown,
        })
    }

    fn begin(&self) -> Marking<'_, 'a> {
        let all = TruthTable::of(&self.manifest.records, "", |_| true);
        Marking {
            judge: self,
            scorer: Scorer::new(all, self.options),
            positions: Positions::new(self.options.rules),
            shown: HashMap::new(),
        }
    }

    /// All albums by a scheme that uses no known positions.
    fn albums(
        &self,
        scheme: Scheme,
        input: AlbumInput<'_>,
        take: impl FnMut(usize, Prediction),
    ) -> Result<(), Failure> {
        let progress = crate::progress::Progress::new("photos");
        let records = &self.manifest.records;
        let located =
            locate_albums(records, self.albums, scheme, input, &self.locator, &progress, take);
        progress.finish();
        Ok(located?)
    }

    /// The hidden Markov model without known positions, fed with what a model says of each row,
    /// which counts with this weight.
    fn hmm(
        &self,
        probabilities: &(dyn Fn(usize) -> Option<Vec<f32>> + Sync),
        expected: Option<&[f64]>,
        weight: f64,
        take: impl FnMut(usize, Prediction),
    ) -> Result<(), Failure> {
        let output = ModelOutput { partition: self.partition, probabilities, prior: expected };
        let library = Library::new(&self.manifest.records, Some(output))
            .with_people(People::ByAuthor)
            .with_model(self.model.clone());
        let known = vec![None; self.manifest.records.len()];
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        let calibration = Calibration::uncalibrated(weight);
        let progress = crate::progress::Progress::new("photos");
        let located =
            library.locate(&known, &calibration, &options, &self.gazetteer, &progress, take);
        progress.finish();
        located.map(|_| ()).map_err(Failure::new)
    }

    /// The strips, as yet without answers.
    fn strips(&self, no_photos: bool) -> Vec<Strip> {
        let store = DiskStore::new(&self.manifest.root);
        let photo = |row: &usize| {
            let record = &self.manifest.records[*row];
            let place = record.position.map(|position| Place::of(position, &self.gazetteer));
            let thumbnail = (!no_photos).then(|| store.photo(&record.photo).ok()).flatten();
            StripPhoto {
                thumbnail: thumbnail.map(|photo| thumbnail_jpeg(&photo, THUMBNAIL)),
                label: place.map_or_else(|| record.photo.clone(), |place| place.to_string()),
            }
        };
        let strip = |rows: &Vec<usize>| {
            let record = &self.manifest.records[rows[0]];
            let name = record.album.as_deref().unwrap_or_default();
            let author = record.author.as_deref().map(|it| format!(" of {it}")).unwrap_or_default();
            let all = self.albums.iter().find(|album| album.rows.starts_with(rows));
            let count = all.map_or(rows.len(), |album| album.rows.len());
            Strip {
                title: format!("Album {name}{author}: {} of {count} photos", rows.len()),
                photos: rows.iter().map(photo).collect(),
                answers: Vec::new(),
            }
        };
        self.shown.iter().map(strip).collect()
    }
}

/// The answers of one scheme while they come.
struct Marking<'j, 'a> {
    judge: &'j Judge<'a>,
    scorer: Scorer<'a>,
    positions: Positions,
    /// By row, of the photos that are shown.
    shown: HashMap<usize, StripAnswer>,
}

impl Marking<'_, '_> {
    fn take(&mut self, row: usize, prediction: Prediction) {
        let record = &self.judge.manifest.records[row];
        if record.position.is_none() {
            return;
        }
        let error = self.scorer.add(&prediction).map(|(error, _)| error);
        self.positions.add(self.judge.positions[row], error);
        if self.judge.shown.iter().any(|rows| rows.contains(&row)) {
            let place = prediction.best().map(|it| Place::of(it.position, &self.judge.gazetteer));
            let place = place.map(|place| place.to_string()).unwrap_or_default();
            self.shown.insert(row, StripAnswer { place, km: error.map(|error| error.km()) });
        }
    }

    fn end(
        mut self,
        name: &str,
        baseline: Option<&str>,
        ideal: Option<planet::report::SchemeIdeal>,
    ) -> (SchemeResult, Vec<Vec<StripAnswer>>) {
        let of_row = |row: &usize| self.shown.remove(row).unwrap_or_default();
        let mut of_row = of_row;
        let shown = self.judge.shown.iter().map(|rows| rows.iter().map(&mut of_row).collect());
        let shown = shown.collect();
        let result = SchemeResult {
            name: name.to_owned(),
            baseline: baseline.map(str::to_owned),
            score: self.scorer.finish(),
            by_position: self.positions.finish(),
            ideal,
        };
        (result, shown)
    }
}

//! `planet album evaluate`: album schemes on photos whose position is known, and a report.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use clap::Args;
use planet::{
    LocatorOptions, ModelPackage, Prediction,
    album::{
        AlbumError, AlbumEvaluation, Embeddings, HmmEvidence, HmmModel, People, PhotoProbabilities,
        Scheme, SchemeInputs, UnknownScheme, evaluated_albums,
    },
};
use planet_data::{Gazetteer, Manifest, table::TableSource};
use planet_library::{Calibration, Library, LibraryError, ModelOutput};

use super::{answers, ideals::Ideals, photos};
use crate::{
    commands::{
        score::{self, RuleArguments},
        synthetic, train,
        validation_photos::ValidationPhotos,
    },
    engine_choice::EngineChoice,
    failure::Failure,
    progress::Progress,
};

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
    #[command(flatten)]
    validation_photos: ValidationPhotos,
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
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self(None));
        }
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(|named| Self(Some(named)))
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = ModelPackage::open(&arguments.model).map_err(Failure::new)?;
    // Before hours are spent on the photos.
    let schemes = Scheme::of_package(&package, arguments.schemes.0.as_deref())
        .map_err(|error| answers::failure(&error))?;
    let mut manifest = train::manifest(&arguments.dataset, arguments.root.as_deref())?;
    arguments.validation_photos.check(&package, &manifest)?;
    let albums = evaluated_albums(&mut manifest);
    if manifest.records.iter().all(|record| record.position.is_none()) {
        return Err(Failure::new(format!("{} has no photos with a position", arguments.dataset)));
    }
    let source = TableSource::parse(&arguments.dataset);
    let ideals = match synthetic::is_manifest_of_world(&source) {
        true => Some(Ideals::of(&manifest, package.partition())?),
        false => None,
    };
    let (output, embeddings) = arguments.look(&package, &manifest, &schemes)?;
    for (row, error) in output.failed() {
        anstream::eprintln!("{}: {error}", manifest.records[*row].photo);
    }
    let model = super::hmm_model(&package)?;
    let exact = ideals.as_ref().and_then(Ideals::exact);
    let engine = arguments.engine.options()?;
    let progress = Progress::new("photos");
    let hmm =
        HiddenMarkov { package: &package, manifest: &manifest, model: &model, progress: &progress };
    let mut inputs = SchemeInputs {
        output: &output,
        embeddings: &embeddings,
        open: &mut |file| Ok(Box::new(engine.open_sequence(file)?)),
        hmm: &mut |evidence, emit| match (evidence, &exact) {
            // The weight is that of the network's output; the exact one is never wrong.
            (HmmEvidence::Exact, Some((exact, prior))) => hmm.locate(exact, Some(prior), 1.0, emit),
            _ => hmm.locate(&|row| output.get(row), None, model.weight, emit),
        },
        ideal: &|scheme| ideals.as_ref().and_then(|ideals| ideals.for_scheme(scheme)),
        exact: exact.is_some(),
    };
    let options = arguments.rules.options();
    let mut evaluation =
        AlbumEvaluation::new(&package, &manifest, &albums, options, !arguments.no_photos);
    let ended = evaluation.run(&schemes, &mut inputs, &progress);
    progress.finish();
    ended.map_err(Failure::new)?;
    let report = evaluation.finish(&arguments.model.to_string_lossy(), &source.to_string());
    report.save(&arguments.output).map_err(Failure::new)?;
    score::print(&report.to_json(), &report.tables(), arguments.json, Some(&arguments.output))
}

impl Arguments {
    /// Runs the network once on every photo: its output, and the embedding that LSTMs read.
    fn look(
        &self,
        package: &ModelPackage,
        manifest: &Manifest,
        schemes: &[Scheme],
    ) -> Result<(PhotoProbabilities, Embeddings), Failure> {
        let beside = || self.output.parent().unwrap_or(Path::new("")).join("embeddings");
        let cache = self.embeddings.clone().unwrap_or_else(beside);
        let (mut embeddings, path) =
            Embeddings::cached(&cache, manifest, package).map_err(Failure::new)?;
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

/// The hidden Markov model without known positions.
struct HiddenMarkov<'a> {
    package: &'a ModelPackage,
    manifest: &'a Manifest,
    model: &'a HmmModel,
    progress: &'a Progress,
}

impl HiddenMarkov<'_> {
    /// Locates all photos from a distribution for each, which counts with this weight.
    fn locate(
        &self,
        probabilities: &(dyn Fn(usize) -> Option<Vec<f32>> + Sync),
        prior: Option<&[f64]>,
        weight: f64,
        emit: &mut dyn FnMut(usize, Prediction),
    ) -> Result<(), AlbumError> {
        let output = ModelOutput { partition: self.package.partition(), probabilities, prior };
        let library = Library::new(&self.manifest.records, Some(output))
            .with_people(People::ByAuthor)
            .with_model(self.model.clone());
        let known = vec![None; self.manifest.records.len()];
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        let calibration = Calibration::uncalibrated(weight);
        let gazetteer = Arc::new(Gazetteer::new());
        match library.locate(&known, &calibration, &options, &gazetteer, self.progress, emit) {
            Ok(_) => Ok(()),
            Err(LibraryError::Cancelled(_)) => Err(AlbumError::Cancelled),
            Err(error) => Err(AlbumError::Hmm(Box::new(error))),
        }
    }
}

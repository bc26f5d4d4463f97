//! `planet album locate`: the photos of albums located together by a scheme that uses no known
//! positions.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use planet::{
    ModelPackage, Prediction,
    album::{AlbumOptions, LocateAlbumsError, Scheme},
};
use planet_data::PhotoRecord;

use super::{answers, common::Common, embeddings, photos};
use crate::{failure::Failure, progress::Progress};

/// `planet album locate DIR|M --model MODEL --scheme SCHEME`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// How neighbouring photos are combined; the LSTMs are in the model's package
    #[arg(long, value_name = "SCHEME")]
    scheme: Scheme,
    /// Folder in which to keep the embeddings for LSTMs; by default they are not kept
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (common, scheme) = (&arguments.common, arguments.scheme);
    if scheme == Scheme::Hmm {
        return Err(failure(&LocateAlbumsError::Hmm));
    }
    let prepared = common.prepare()?;
    let manifest = &prepared.manifest;
    let Some(model) = &common.source.model else {
        return Err(Failure::usage(format!("--scheme {scheme} needs --model")));
    };
    let package = ModelPackage::open(model).map_err(Failure::new)?;
    let positions = manifest.records.iter().filter_map(PhotoRecord::known_position).count();
    if scheme.is_sequence() && positions > 0 {
        anstream::eprintln!("the scheme {scheme} does not use the {positions} known positions");
    }
    photos::warn(&package, manifest);
    let file = common.open(&prepared)?;
    let (locator, gazetteer) = (common.options(), Arc::clone(&prepared.gazetteer));
    let mut model = common.engine.open_model(package, locator.clone(), gazetteer)?;
    let options = AlbumOptions { scheme, embeddings: arguments.embeddings.clone(), locator };
    let engine = common.engine.options()?;
    let mut predictions = vec![Prediction::default(); manifest.records.len()];
    let progress = Progress::new("photos");
    let failed = model.locate_albums(
        manifest,
        &options,
        &mut |file| Ok(Box::new(engine.open_sequence(file)?)),
        &progress,
        |row, prediction| predictions[row] = prediction,
    );
    progress.finish();
    let failed = failed.map_err(|error| failure(&error))?;
    common.finish(file, manifest, &vec![None; predictions.len()], &failed, predictions)?;
    Ok(())
}

fn failure(error: &LocateAlbumsError) -> Failure {
    match error {
        LocateAlbumsError::Hmm => {
            Failure::usage(error).hint("use planet library locate, with or without a model")
        }
        LocateAlbumsError::Package(error) => answers::failure(error),
        LocateAlbumsError::Embeddings(error) => embeddings::failure(error),
        error => Failure::new(error),
    }
}

//! `planet album locate`: the photos of albums located together by a scheme that uses no known
//! positions.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use planet::{
    Locator, ModelPackage, Prediction,
    album::{AlbumInput, Scheme, albums, locate_albums},
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
        return Err(Failure::usage("planet album locate does not support the scheme hmm")
            .hint("use planet library locate, with or without a model"));
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
    // A model's output on photos, and that of LSTMs, has its temperature already.
    let (partition, gazetteer) = (package.shared_partition(), Arc::clone(&prepared.gazetteer));
    let locator =
        Locator::new(partition, 1.0, common.options(), gazetteer).map_err(Failure::new)?;
    let (records, albums) = (&manifest.records, albums(&manifest.records));
    let mut predictions = vec![Prediction::default(); records.len()];
    let emit = |row: usize, prediction| predictions[row] = prediction;
    let (mut sequence, embeddings, output);
    let input = if scheme.is_sequence() {
        let temporary = tempfile::tempdir()?;
        let cache = arguments.embeddings.as_deref().unwrap_or(temporary.path());
        sequence = common.engine.open_sequence(&answers::model(&package, scheme)?)?;
        embeddings = embeddings::of(manifest, &package, cache, &common.engine)?;
        output = None;
        AlbumInput::Sequence(&mut sequence, &embeddings)
    } else {
        let all = |_| true;
        output = Some(photos::probabilities(&package, &common.engine, manifest, all, None)?);
        AlbumInput::Probabilities(output.as_ref().expect("it was computed"))
    };
    let file = common.open(&prepared)?;
    let progress = Progress::new("photos");
    let located = locate_albums(records, &albums, scheme, input, &locator, &progress, emit);
    progress.finish();
    located?;
    common.finish(file, manifest, &vec![None; records.len()], output.as_ref(), predictions)
}

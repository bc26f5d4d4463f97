//! `planet album embed`: precomputes the embeddings that LSTMs read.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::ModelPackage;

use super::embeddings;
use crate::{commands::train, engine_choice::EngineChoice, failure::Failure};

/// `planet album embed --model MODEL M… -o FOLDER`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Manifests (FILE, or FILE:SPLIT for one split)
    #[arg(value_name = "M[:SPLIT]", required = true)]
    datasets: Vec<String>,
    /// Model package that computes the embeddings
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Folder that photo ids are relative to; overrides the manifests' own
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Folder for the embeddings; pass it to `album train` and `album evaluate` as --embeddings
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    #[command(flatten)]
    engine: EngineChoice,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let package = ModelPackage::open(&arguments.model).map_err(Failure::new)?;
    let mut out = io::stdout().lock();
    for dataset in &arguments.datasets {
        let manifest = train::manifest(dataset, arguments.root.as_deref())?;
        let found = embeddings::of(&manifest, &package, &arguments.output, &arguments.engine)?;
        let is_there = |photo: &str| found.of(photo).is_some();
        let there = manifest.records.iter().filter(|record| is_there(&record.photo)).count();
        let missing = manifest.records.len() - there;
        writeln!(
            out,
            "{dataset}: {there} photos have embeddings, {missing} photos cannot be read"
        )?;
    }
    Ok(())
}

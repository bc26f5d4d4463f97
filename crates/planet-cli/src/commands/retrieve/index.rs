use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::retrieval::{IndexWriter, IndexedPhoto, Role};

use super::{extractor, recipe::RecipeArguments, whiten};
use crate::{
    commands::locate::sources::SourceArguments, engine_choice::EngineChoice, failure::Failure,
    progress::Progress,
};

/// `planet retrieve index PHOTOS|M --model M -o INDEX`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    recipe: RecipeArguments,
    /// Index file to write
    #[arg(short, long, value_name = "INDEX")]
    output: PathBuf,
    #[command(flatten)]
    engine: EngineChoice,
}

/// Describes the photos one by one and writes their vectors.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (sources, model) = arguments.source.gather()?;
    let (photos, store) = (sources.ids(), sources.store());
    let mut extractor = extractor(model, &arguments.engine, arguments.recipe.recipe())?;
    match arguments.recipe.whitening_photos()? {
        Some(others) => whiten(&mut extractor, &others.store(), others.ids())?,
        None => whiten(&mut extractor, &store, photos)?,
    }
    // The index may be searched from another folder.
    let root = sources.root();
    let root = if root.as_os_str().is_empty() {
        String::new()
    } else {
        let whole = root.canonicalize().map_err(Failure::file(root))?;
        whole.to_string_lossy().into_owned()
    };
    let (model, recipe) = (extractor.model().clone(), extractor.recipe().clone());
    let mut writer =
        IndexWriter::create(&arguments.output, &model, &recipe, &root, extractor.whitening())?;
    let progress = Progress::new("photos");
    let mut failed = 0;
    let ended =
        extractor.describe(&*store, photos, Role::Reference, &progress, |row, described| {
            let (photo, position) = (photos[row].clone(), sources.truth(row));
            let indexed = IndexedPhoto { photo, position, vectors: 0, error: None };
            match described {
                Ok(descriptor) => writer.add(indexed, &descriptor),
                Err(error) => {
                    failed += 1;
                    progress.say(&format!("{}: {error}", photos[row]));
                    writer.add_failed(indexed, &error.to_string());
                    Ok(())
                }
            }
        });
    progress.finish();
    ended?;
    if failed == photos.len() {
        return Err(Failure::new(format!("{failed} of {failed} photos cannot be decoded")));
    }
    writer.finish()?;
    let mut out = io::stdout().lock();
    writeln!(out, "index       {}", arguments.output.display())?;
    writeln!(out, "photos      {}", photos.len())?;
    writeln!(out, "failed      {failed}")?;
    writeln!(out, "dimensions  {}", extractor.dimensions())?;
    Ok(())
}

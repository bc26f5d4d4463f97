//! `planet export`: a model package from a run.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_train::RunFolder;

use crate::failure::Failure;

/// `planet export RUN -o MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folder that planet train made
    run: PathBuf,
    /// The model's name, for people; by default the package's own
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Folder of the package
    #[arg(short, long, value_name = "MODEL")]
    output: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let own = || arguments.output.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = arguments.name.clone().or_else(own).unwrap_or_else(|| "model".to_owned());
    let package = planet_train::export(&RunFolder::at(&arguments.run), &name, &arguments.output)
        .map_err(|error| Failure::new(error).hint("a run is a folder that planet train -o made"))?;
    let description = package.description();
    let mut out = io::stdout().lock();
    writeln!(out, "package      {}", package.folder().display())?;
    writeln!(out, "network      {}", description.architecture)?;
    writeln!(out, "classes      {}", description.classes)?;
    writeln!(out, "temperature  {:.3}", description.temperature)?;
    Ok(())
}

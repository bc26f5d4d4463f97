//! `planet export`: a model package from a run, or an album scheme into one.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet::{
    ModelPackage, NewPackage,
    album::{HmmModel, Scheme},
    package::{CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE},
};
use planet_train::RunFolder;

use super::album::HMM_FILE;
use crate::failure::Failure;

/// `planet export RUN -o MODEL`, or of albums `planet export RUN --into MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folder of the run (planet train or planet album train)
    run: PathBuf,
    /// Display name of the model; by default the name of the package's folder
    #[arg(long, value_name = "NAME", conflicts_with = "into")]
    name: Option<String>,
    /// For album models: the model package on which the album model was trained
    #[arg(long, value_name = "MODEL", conflicts_with = "output")]
    into: Option<PathBuf>,
    /// Folder for the package
    #[arg(short, long, value_name = "MODEL", required_unless_present = "into")]
    output: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let run = RunFolder::at(&arguments.run);
    let package = match (&arguments.into, &arguments.output) {
        (Some(model), _) => {
            let package = ModelPackage::open(model).map_err(Failure::new)?;
            let learned = arguments.run.join(HMM_FILE);
            if learned.exists() {
                put_hmm(&learned, &package)?;
                return said(&ModelPackage::open(model).map_err(Failure::new)?);
            }
            planet_train::export_scheme(&run, &package).map_err(|error| {
                Failure::new(error).hint("--into requires a run of planet album train")
            })
        }
        (None, Some(output)) => {
            let own = || output.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = arguments.name.clone().or_else(own).unwrap_or_else(|| "model".to_owned());
            planet_train::export(&run, &name, output).map_err(|error| {
                Failure::new(error).hint(
                    "a run is a folder written by planet train -o; export a run of planet album \
                     train with --into MODEL",
                )
            })
        }
        (None, None) => unreachable!("the parser asks for one of the two"),
    }?;
    said(&package)
}

/// Puts what a hidden Markov model learned into a package.
fn put_hmm(file: &Path, package: &ModelPackage) -> Result<(), Failure> {
    let model = HmmModel::read(file).map_err(Failure::new)?;
    let name = Scheme::Hmm.name();
    NewPackage::with_scheme(package, name, HMM_FILE, |path| model.write(path))
        .map_err(Failure::new)?;
    Ok(())
}

fn said(package: &ModelPackage) -> Result<(), Failure> {
    let description = package.description();
    let mut out = io::stdout().lock();
    writeln!(out, "package      {}", package.folder().display())?;
    writeln!(out, "network      {}", description.architecture)?;
    writeln!(out, "classes      {}", description.classes)?;
    writeln!(out, "temperature  {:.3}", description.temperature)?;
    let scores = &description.provenance.scores;
    let [after, before] = [CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE].map(|it| scores.get(it));
    if let (Some(after), Some(before)) = (after, before) {
        let (after, before) = (100.0 * after, 100.0 * before);
        writeln!(
            out,
            "calibration  error {after:.1} points, {before:.1} before temperature scaling"
        )?;
    }
    let schemes: Vec<&str> =
        description.schemes.iter().map(|scheme| scheme.name.as_str()).collect();
    if !schemes.is_empty() {
        writeln!(out, "schemes      {}", schemes.join(", "))?;
    }
    Ok(())
}

//! `planet man`: manual pages.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, Command};
use planet_data::AtomicFile;

use crate::failure::Failure;

/// `planet man [-o DIR]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Write the pages of all subcommands into this folder (planet.1, planet-locate.1, …) instead of
    /// printing the page of planet
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, mut command: Command) -> Result<(), Failure> {
    command.build();
    let Some(folder) = &arguments.output else {
        return Ok(io::stdout().write_all(&page(&command)?)?);
    };
    fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    let mut left = vec![&command];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|it| it.get_name() != "help"));
        let file = folder.join(clap_mangen::Man::new(command.clone()).get_filename());
        AtomicFile::write_all_at(&file, &page(command)?).map_err(Failure::file(&file))?;
    }
    Ok(())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

//! The `planet` command: parse, one library call, render. A library, so that the Python package
//! carries the command without a second program.

mod commands;
mod engine_choice;
mod failure;
mod onnxruntime;
mod overwrite;
mod progress;

use std::{ffi::OsString, io::Write, sync::OnceLock};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    commands::{
        about, album, cell, dataset, demo, engine, evaluate, explain, export, im2gps, library,
        locate, man, model, partition, retrieve, score, serve, train, world,
    },
    failure::Failure,
};

/// Estimate where photos were taken; train and evaluate geolocation models
#[derive(Debug, Parser)]
#[command(name = "planet", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// Replace output files that already exist
    #[arg(long, global = true)]
    overwrite: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole method on synthetic photos, in a few minutes
    Demo(demo::Arguments),
    /// Show the S2 cell of a position or token
    Cell(cell::Arguments),
    /// Build, inspect and compare partitions of the earth into cells
    Partition(partition::Arguments),
    /// Create, summarise, split and clean datasets
    Dataset(dataset::Arguments),
    /// List inference engines and measure their speed
    Engine(engine::Arguments),
    /// Describe, verify and import models
    Model(model::Arguments),
    /// Generate synthetic photos for which the best possible accuracy is known
    World(world::Arguments),
    /// Estimate where photos were taken
    Locate(Box<locate::Arguments>),
    /// Show which parts of a photo determine an answer
    Explain(Box<explain::Arguments>),
    /// Evaluate a model on photos whose position is known
    Evaluate(Box<evaluate::Arguments>),
    /// Find similar photos by a model's features
    Retrieve(retrieve::Arguments),
    /// Score the predictions of any system
    Score(Box<score::Arguments>),
    /// Train, apply and evaluate album models
    Album(album::Arguments),
    /// Locate the photos of your own library from known positions, times and a model
    Library(library::Arguments),
    /// Locate photos by similar photos of known position (Im2GPS)
    Im2gps(im2gps::Arguments),
    /// Serve the page and the HTTP interface on this computer
    Serve(Box<serve::Arguments>),
    /// Train a model from photos with positions
    Train(Box<train::Arguments>),
    /// Export a training run as a model package
    Export(export::Arguments),
    /// Show the version, the features of this build and the data licences
    About,
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page, or write those of all subcommands
    Man(man::Arguments),
}

/// What starts the command again in a process of its own: a program, and arguments before those of
/// the command.
static START: OnceLock<Vec<OsString>> = OnceLock::new();

/// Runs the command and returns its exit code: 0, 1 (something failed) or 2 (usage). `start` is
/// what starts it again in a process of its own: the program, and arguments that come before the
/// command's. The first of `arguments` is the command's name.
///
/// It belongs to the `main` function of a program: it sets an environment variable and handles
/// Ctrl-C.
pub fn main(start: Vec<OsString>, arguments: impl IntoIterator<Item = OsString>) -> u8 {
    onnxruntime::forbid_telemetry();
    START.get_or_init(|| start);
    let command = Cli::command();
    let parsed = command.clone().try_get_matches_from(arguments).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((matches, cli))
    });
    let (matches, cli) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are printed as the parser's errors are. A closed pipe is no failure.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match overwrite::check(&command, &matches).and_then(|()| run(cli.command)) {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Cell(arguments) => cell::run(&arguments),
        Command::Partition(arguments) => partition::run(&arguments),
        Command::Dataset(arguments) => dataset::run(&arguments),
        Command::Engine(arguments) => engine::run(&arguments),
        Command::Model(arguments) => model::run(&arguments),
        Command::World(arguments) => world::run(&arguments),
        Command::Locate(arguments) => locate::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Retrieve(arguments) => retrieve::run(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::Album(arguments) => album::run(&arguments),
        Command::Library(arguments) => library::run(&arguments),
        Command::Im2gps(arguments) => im2gps::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::About => about::run(),
        Command::Completions { shell } => {
            // The generator panics where a pipe is closed; memory never is.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "planet", &mut script);
            Ok(std::io::stdout().write_all(&script)?)
        }
        Command::Man(arguments) => man::run(&arguments, Cli::command()),
    }
}

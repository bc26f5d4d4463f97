use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::{
    evaluation::{Comparison, Scorer},
    report::{comparison_table, verdict},
};

use super::{RuleArguments, TruthArguments};
use crate::failure::Failure;

/// `planet score compare A B [--truth F]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Predictions of the first system
    a: PathBuf,
    /// Predictions of the second system
    b: PathBuf,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    truth: TruthArguments,
    #[command(flatten)]
    rules: RuleArguments,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut problems = arguments.truth.problems()?;
    let mut scorer = |file: &PathBuf| {
        let scorer = Scorer::new(arguments.truth.table()?, arguments.rules.options());
        arguments.truth.feed(file, scorer, &mut problems, |_, _| {})
    };
    let (a, b) = (scorer(&arguments.a)?, scorer(&arguments.b)?);
    problems.report()?;
    let comparison = Comparison::of(a, b, arguments.rules.resamples, arguments.rules.seed);
    if comparison.photos == 0 {
        let (a, b) = (arguments.a.display(), arguments.b.display());
        return Err(Failure::new(format!("{a} and {b} have no photo in common")));
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        let json = serde_json::to_string_pretty(&comparison).map_err(Failure::new)?;
        writeln!(out, "{json}")?;
        return Ok(());
    }
    let table = comparison_table(&comparison);
    writeln!(out, "A is {}, B is {}\n", arguments.a.display(), arguments.b.display())?;
    writeln!(out, "{}\n{}\n\n{}", table.to_text(), table.note, verdict(&comparison))?;
    Ok(())
}

use std::{
    collections::HashMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet::{
    evaluation::{Match, Round},
    plot::escaped,
    report::{STYLE, match_figure, match_table},
};
use planet_data::{OwnedFolder, read_truth, table::TableSource};
use planet_geo::LatLng;

use super::{RuleArguments, TruthArguments, sift};
use crate::failure::Failure;

/// `planet score match --predictions F --people F [--truth F]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Predictions of the model
    #[arg(long, value_name = "FILE")]
    predictions: PathBuf,
    /// Answers of people: a table with the columns photo, lat and lng, and the player's name in
    /// author or user; an empty position means no answer
    #[arg(long, value_name = "FILE")]
    people: PathBuf,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
    /// Folder for a report
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    truth: TruthArguments,
    #[command(flatten)]
    rules: RuleArguments,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let result = Match::of(arguments.rules.rules(), rounds(arguments)?);
    let table = match_table(&result);
    if let Some(folder) = &arguments.output {
        save(folder, &result)?;
    }
    let mut out = io::stdout().lock();
    match arguments.json {
        true => {
            let json = serde_json::to_string_pretty(&result).map_err(Failure::new)?;
            writeln!(out, "{json}")?;
        }
        false => writeln!(out, "{}", table.to_text())?,
    }
    Ok(())
}

/// One round for every answer of a person.
fn rounds(arguments: &Arguments) -> Result<Vec<Round>, Failure> {
    let (mut truths, mut answers) = (HashMap::new(), HashMap::new());
    let mut problems = arguments.truth.problems()?;
    for prediction in arguments.truth.reader(&arguments.predictions)? {
        let Some(prediction) = sift(prediction, &mut problems)? else { continue };
        truths.extend(prediction.truth.map(|truth| (prediction.photo.clone(), truth)));
        let best = prediction.best().map(|best| best.position);
        answers.entry(prediction.photo).or_insert(best);
    }
    problems.report()?;
    if let Some(source) = arguments.truth.source() {
        read_truth(&source, "", |row| {
            truths.extend(row.position.map(|position| (row.photo.to_owned(), position)));
        })
        .map_err(Failure::new)?;
    }
    let mut people: Vec<(String, String, Option<LatLng>)> = Vec::new();
    let source = TableSource { path: arguments.people.clone(), split: None };
    read_truth(&source, "", |row| {
        people.push((row.photo.to_owned(), row.author.to_owned(), row.position));
    })
    .map_err(Failure::new)?;
    let file = arguments.people.display();
    if people.is_empty() {
        return Err(Failure::new(format!("{file} has no answers")));
    }
    let rules = arguments.rules.rules();
    let round = |(photo, player, person): (String, String, Option<LatLng>)| {
        let Some(truth) = truths.get(&photo) else {
            let what = format!("{file}: the true position of {photo} is unknown");
            return Err(Failure::new(what).hint("name a file of true positions with --truth FILE"));
        };
        let model = answers.get(&photo).copied().flatten();
        Ok(Round::new(rules, &photo, &player, *truth, model, person))
    };
    people.into_iter().map(round).collect()
}

fn save(folder: &Path, result: &Match) -> Result<(), Failure> {
    let table = match_table(result);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n{}<figure>{}<figcaption>Share of rounds within \
         each distance.</figcaption></figure>\n</html>\n",
        table.to_html(),
        match_figure(result).to_svg(),
        title = escaped(&table.title),
    );
    let json = serde_json::to_string_pretty(result).map_err(Failure::new)?;
    let files = [
        ("report.json", json),
        ("match.csv", table.to_csv()),
        ("tables.md", table.to_markdown()),
        ("index.html", html),
    ];
    let names = files.each_ref().map(|(name, _)| *name);
    let folder = OwnedFolder::claim(folder, "match", &names).map_err(Failure::new)?;
    files
        .iter()
        .try_for_each(|(name, text)| folder.write(name, text.as_bytes()))
        .map_err(Failure::new)
}

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet::map::{ColourScale, Region, WorldMap};
use planet_data::{AtomicFile, SIDES, Statistics};
use planet_geo::{CellId, LatLng, Level};

use super::manifest::open;
use crate::{commands::problems::Problems, failure::Failure};

/// `planet dataset stats M [--json] [--map FILE]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Manifest: CSV, TSV or Parquet; FILE:SPLIT selects the rows of one split
    #[arg(value_name = "M")]
    manifest: String,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
    /// Also draw a map of the photos (.svg or .png)
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Write a table of everything that was not counted (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// Rows of a table that are shown; the rest is summed up.
const SHOWN: usize = 12;

/// Counts a manifest in one pass.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    // Before all the work, not behind it.
    arguments.map.as_deref().map_or(Ok(()), check)?;
    let mut problems = Problems::new(false, arguments.problems.as_deref())?;
    let mut statistics = Statistics::default();
    let mut cells: BTreeMap<CellId, u64> = BTreeMap::new();
    for record in open(&arguments.manifest, None)? {
        let Some(record) = problems.sift(record)? else { continue };
        statistics.add(&record);
        if let Some(position) = record.position.filter(|_| arguments.map.is_some()) {
            *cells.entry(cell(position)).or_default() += 1;
        }
    }
    problems.report()?;
    let statistics = statistics.finish();
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &statistics).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        render(&mut out, &statistics)?;
    }
    arguments.map.as_deref().map_or(Ok(()), |path| draw(path, &cells))
}

fn cell(position: LatLng) -> CellId {
    CellId::containing(position, Level::new(6).expect("6 is a level"))
}

fn render(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    let all = statistics.photos;
    writeln!(out, "photos     {all:>10}")?;
    for (name, count) in [("position", statistics.with_position), ("time", statistics.with_time)] {
        writeln!(out, "{name:<10} {count:>10}  {}", percent(count, all))?;
    }
    writeln!(out, "authors    {:>10}", statistics.authors)?;
    writeln!(out, "albums     {:>10}", statistics.albums)?;
    writeln!(out, "megabytes  {:>10}", statistics.bytes / 1_000_000)?;
    if statistics.unscored < all {
        let scored = all - statistics.unscored;
        let none = statistics.non_photos;
        writeln!(out, "non-photos {none:>10}  {} of {scored} scored", percent(none, scored))?;
    }
    for (title, counts) in [
        ("split", &statistics.splits),
        ("country", &statistics.countries),
        ("year", &statistics.years),
        ("camera", &statistics.cameras),
    ] {
        let mut rows: Vec<(&str, u64)> = counts.iter().map(|(k, &n)| (k.as_str(), n)).collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        table(out, title, &rows, all)?;
    }
    let sides = ["", SIDES[0], SIDES[1], SIDES[2], SIDES[3], SIDES[4]];
    let sides = sides.map(|side| (side, statistics.sides.get(side).copied().unwrap_or(0)));
    let sides: Vec<_> = sides.into_iter().filter(|(_, count)| *count > 0).collect();
    table(out, "longest side", &sides, all)?;
    let authors = &statistics.greatest_authors;
    let authors: Vec<_> = authors.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    table(out, "author", &authors, all)
}

/// A table of counts; one that says nothing (all unknown) is left out.
fn table(out: &mut impl Write, title: &str, rows: &[(&str, u64)], all: u64) -> io::Result<()> {
    if rows.iter().all(|(name, _)| name.is_empty()) {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for (name, count) in rows.iter().take(SHOWN) {
        let name = if name.is_empty() { "unknown" } else { name };
        writeln!(out, "  {name:<28} {count:>10}  {}", percent(*count, all))?;
    }
    if rows.len() > SHOWN {
        let rest: u64 = rows[SHOWN..].iter().map(|(_, count)| count).sum();
        let name = format!("{} more", rows.len() - SHOWN);
        writeln!(out, "  {name:<28} {rest:>10}  {}", percent(rest, all))?;
    }
    Ok(())
}

fn percent(count: u64, all: u64) -> String {
    format!("{:>5.1} %", 100.0 * count as f64 / all.max(1) as f64)
}

fn check(map: &Path) -> Result<(), Failure> {
    match map.extension().and_then(|ending| ending.to_str()) {
        Some("svg" | "png") => Ok(()),
        _ => Err(Failure::usage("the name of a map must end in .svg or .png")),
    }
}

fn draw(path: &Path, cells: &BTreeMap<CellId, u64>) -> Result<(), Failure> {
    let most = cells.values().copied().max().unwrap_or(1);
    let scale = ColourScale::logarithmic(1.0, most as f64);
    let mut map = WorldMap::new(Region::WORLD).title("Photos");
    for (&cell, &photos) in cells {
        map.cell(cell, scale.colour(photos as f64));
    }
    map.legend("photos per cell", &scale);
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => map.to_svg().into_bytes(),
        Some("png") => map.to_png().map_err(Failure::new)?,
        _ => return Err(Failure::usage("the name of a map must end in .svg or .png")),
    };
    AtomicFile::write_all_at(path, &bytes).map_err(Failure::file(path))
}

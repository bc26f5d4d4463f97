//! `planet library validate`: known positions are masked, and their photos located.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use planet::{ModelPackage, album::HmmModel, report::Table};
use planet_library::{
    Library, Masking, ModelOutput, ValidationOptions, ValidationRow, masked_validation,
};

use super::{
    common::{CERTAIN, check_certain},
    features::FeatureArguments,
    photos,
};
use crate::{engine_choice::EngineChoice, failure::Failure};

/// `planet library validate DIR|M [--model MODEL]`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: photos::SourceArguments,
    /// Which photos are masked together; by default runs and days, with --features also untimed
    #[arg(long, value_enum)]
    hide: Option<HideName>,
    #[command(flatten)]
    features: FeatureArguments,
    /// Number of random maskings
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Minimum probability for calling an answer certain, as for planet library locate
    #[arg(long, value_name = "SHARE", default_value_t = CERTAIN)]
    certain: f64,
    /// Whether the photos belong to one person or to several
    #[arg(long, value_enum, default_value = "one")]
    people: super::PeopleName,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HideName {
    /// Runs of 1 to 12 photos
    Runs,
    /// Whole days
    Days,
    /// Photos one by one and whole days, whose times are taken away too
    Untimed,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    check_certain(arguments.certain)?;
    let manifest = arguments.source.read()?;
    let known: Vec<_> =
        manifest.records.iter().map(planet_data::PhotoRecord::known_position).collect();
    let positions = known.iter().flatten().count();
    if positions < 4 {
        let photos = &arguments.source.photos;
        let what = format!("{photos} has only {positions} photos with a position");
        return Err(
            Failure::new(what).hint("at least four are needed, because half of them are masked")
        );
    }
    let mut learned = HmmModel::default();
    let package = arguments.source.model.as_ref().map(|model| ModelPackage::open(model));
    let package = package.transpose().map_err(Failure::new)?;
    let output = match &package {
        Some(package) => {
            learned = super::hmm_model(package)?;
            Some(photos::probabilities(package, &arguments.engine, &manifest, |_| true, None)?)
        }
        None => None,
    };
    let probabilities = |row: usize| output.as_ref().and_then(|output| output.get(row));
    let network = package.as_ref().map(|package| ModelOutput {
        partition: package.partition(),
        probabilities: &probabilities,
        prior: None,
    });
    let look_alikes = arguments.features.compute(&manifest, &arguments.engine)?;
    let mut library = Library::new(&manifest.records, network)
        .with_people(arguments.people.people())
        .with_model(learned);
    if let Some(look_alikes) = &look_alikes {
        library = library.with_look_alikes(look_alikes);
    }
    let ways = match arguments.hide {
        None if look_alikes.is_some() => [Masking::ALL, Masking::UNTIMED].concat(),
        None => Masking::ALL.to_vec(),
        Some(HideName::Untimed) => Masking::UNTIMED.to_vec(),
        Some(HideName::Runs) => vec![Masking::Runs],
        Some(HideName::Days) => vec![Masking::Days],
    };
    let options = ValidationOptions { seeds: arguments.seeds, certain: arguments.certain };
    let mut out = io::stdout().lock();
    let mut all = serde_json::Map::new();
    for how in ways {
        let progress = crate::progress::Progress::new("photos");
        let found =
            masked_validation(&library, &known, how, &options, &progress).map_err(Failure::new)?;
        progress.finish();
        match arguments.json {
            true => {
                let value = serde_json::to_value(&found).map_err(Failure::new)?;
                all.insert(how.name().to_owned(), value);
            }
            false => {
                let table = table(how, &found, arguments.seeds, positions);
                writeln!(out, "{}\n\n{}", table.title, table.to_text())?;
                if Masking::UNTIMED.contains(&how) {
                    let table = coverage(&found);
                    writeln!(out, "{}\n\n{}", table.title, table.to_text())?;
                }
            }
        }
    }
    if arguments.json {
        writeln!(out, "{:#}", serde_json::Value::Object(all))?;
    }
    Ok(())
}

fn table(how: Masking, found: &[ValidationRow], seeds: u64, positions: usize) -> Table {
    let by = match how {
        Masking::Runs => "masked by runs",
        Masking::Days => "masked by days",
        Masking::Untimed => "masked one by one, times taken away",
        Masking::UntimedDays => "masked by days, times taken away",
    };
    let title =
        format!("Half of {positions} positions {by}; % of masked photos, mean of {seeds} seeds");
    let header = [
        "",
        "1 km",
        "25 km",
        "200 km",
        "median km",
        "answered",
        "certain",
        "stated",
        "correct",
        "stated minus correct",
        "radius km",
        "score km",
        "model's gain at 25 km",
    ];
    let mut table = Table::new("validate", &title, &header);
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    for row in found {
        let median = row.median_km.filter(|km| km.is_finite());
        let median = median.map_or_else(|| "none".to_owned(), |km| format!("{km:.1}"));
        let certain = row.certain.map_or_else(Default::default, |it| it.map(percent));
        let cells = row.within.map(percent).into_iter().chain([median, percent(row.coverage)]);
        let km = |km: Option<f64>| km.map_or_else(String::new, |km| format!("{km:.0}"));
        let radius = [km(row.radius_km), km(row.interval_score_km)];
        let [overstated, gain] = [row.overstated, row.model_gain].map(difference);
        table.row(&row.way, cells.chain(certain).chain([overstated]).chain(radius).chain([gain]));
    }
    table
}

/// A difference in percentage points with its interval.
fn difference(points: Option<[f64; 3]>) -> String {
    points.map_or_else(String::new, |points| {
        let [value, low, high] = points.map(|it| format!("{:+.1}", 100.0 * it));
        format!("{value} ({low} to {high})")
    })
}

/// How many of the answers are within 25 km, if only the most probable ones are given.
fn coverage(found: &[ValidationRow]) -> Table {
    let shares: Vec<String> = (1..=10).map(|tenths| format!("{} %", 10 * tenths)).collect();
    let header: Vec<&str> = [""].into_iter().chain(shares.iter().map(String::as_str)).collect();
    let title = "% of answers within 25 km, by the share of photos that are answered";
    let mut table = Table::new("coverage", title, &header);
    for row in found {
        if let Some(within) = row.within_by_coverage {
            table.row(&row.way, within.map(|share| format!("{:.1}", 100.0 * share)));
        }
    }
    table
}

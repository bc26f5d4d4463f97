use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use planet::{Candidate, PredictedRegion, Prediction};
use planet_geo::Distance;

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const GREEN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// One photo, for people: candidates with probabilities, the finest level that reaches the share
/// of probability that was asked for, the position that its file states.
pub fn write(prediction: &Prediction, share: f64, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", prediction.photo)?;
    if let Some(error) = &prediction.error {
        return writeln!(out, "  {RED}no answer:{RED:#} {error}");
    }
    if let Some(warning) = &prediction.warning {
        writeln!(out, "  {RED}warning:{RED:#} {warning}")?;
    }
    for (rank, candidate) in prediction.candidates.iter().enumerate() {
        let style = if rank == 0 { GREEN } else { Style::new() };
        let probability = 100.0 * candidate.probability.unwrap_or_default();
        let Candidate { position, radius, .. } = candidate;
        // A class that is only a point has no borders.
        let reach =
            if *radius > Distance::ZERO { format!("  within {radius}") } else { String::new() };
        writeln!(
            out,
            "  {style}{probability:5.1} %  {:<44}{style:#} {FAINT}{:9.4},{:10.4}{reach}{FAINT:#}",
            name(candidate),
            position.lat(),
            position.lng(),
        )?;
    }
    match &prediction.certain {
        None => writeln!(out, "  no level reaches {} %", percent(share))?,
        Some(certain) => writeln!(out, "  {BOLD}{certain}{BOLD:#}")?,
    }
    if let Some(PredictedRegion { share, classes, area_km2, .. }) = &prediction.region {
        let (share, count) = (percent(*share), classes.len());
        writeln!(out, "  region for {share} % of photos: {count} cells, {area_km2:.0} km²")?;
    }
    if let Some(truth) = prediction.truth {
        let off = prediction
            .distance()
            .map_or_else(String::new, |off| format!(", {off} from the first answer"));
        writeln!(
            out,
            "  position in file (unverified): {:.4},{:.4}{off}",
            truth.lat(),
            truth.lng()
        )?;
    }
    Ok(())
}

/// A share as people say it: 50, 99.5.
pub fn percent(share: f64) -> f64 {
    (1e4 * share).round() / 1e2
}

fn name(candidate: &Candidate) -> String {
    match &candidate.place {
        Some(place) => place.to_string(),
        None => candidate.cell.clone(),
    }
}

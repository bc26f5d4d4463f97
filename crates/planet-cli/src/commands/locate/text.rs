use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use planet::{Candidate, Prediction};
use planet_geo::Distance;

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const GREEN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// One photo, for people: candidates with probabilities, the level that is certain, the truth
/// where it is known.
pub fn write(prediction: &Prediction, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", prediction.photo)?;
    if let Some(error) = &prediction.error {
        return writeln!(out, "  {RED}no answer:{RED:#} {error}");
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
        None => writeln!(out, "  certain: nothing")?,
        Some(certain) => writeln!(
            out,
            "  certain: {BOLD}{}{BOLD:#} ({} of {}, {:.0} %)",
            if certain.name.is_empty() { "the high seas" } else { &certain.name },
            certain.level.name(),
            certain.level.radius(),
            100.0 * certain.probability
        )?,
    }
    if let Some(truth) = prediction.truth {
        let off = prediction.distance().map_or_else(String::new, |off| format!(", {off} off"));
        writeln!(out, "  truth:   {:.4},{:.4}{off}", truth.lat(), truth.lng())?;
    }
    Ok(())
}

fn name(candidate: &Candidate) -> String {
    match &candidate.place {
        Some(place) => place.to_string(),
        None => candidate.cell.clone(),
    }
}

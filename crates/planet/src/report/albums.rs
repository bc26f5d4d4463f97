//! What album schemes make of the same photos: the paper's table, and albums as strips.

use std::{fmt::Write, path::Path};

use planet_data::OutputFolderError;
use planet_geo::Scale;
use serde::Serialize;
use serde_json::json;

use super::{Table, page, tables, write_folder};
use crate::{
    album::Scheme,
    evaluation::{MoveScore, PositionScore, Score},
    plot::{COLOURS, Curve, LineChart, escaped, inlined},
};

/// The scale of the chart and table by position: region.
const BY_POSITION: usize = Scale::Region as usize;

/// How well album schemes locate the photos of one test set.
#[derive(Clone, Debug)]
pub struct AlbumReport {
    /// What stands above.
    pub title: String,
    /// What was scored, in a sentence or two.
    pub subject: String,
    /// The schemes, in the order of the table.
    pub schemes: Vec<SchemeResult>,
    /// Some albums with every scheme's answers.
    pub strips: Vec<Strip>,
}

/// One scheme's answers, scored.
#[derive(Clone, Debug, Serialize)]
pub struct SchemeResult {
    /// As it stands in the tables.
    pub name: String,
    /// The scheme that it is held against beside `single`: the mean of the same photos. `None` for
    /// the two themselves.
    pub baseline: Option<String>,
    /// The score of all photos with a position.
    pub score: Score,
    /// The same by the photos' position in their album.
    pub by_position: Vec<PositionScore>,
    /// How the answers move from photo to photo.
    pub moves: MoveScore,
    /// On synthetic albums, the best that can be done with what the scheme sees.
    pub ideal: Option<SchemeIdeal>,
}

/// What could be done with what a scheme sees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SchemeIdeal {
    /// What is seen: `forward`, `whole`, …
    pub view: String,
    /// Share within the five scales.
    pub within: [f64; 5],
    /// Share of right cells.
    pub cell: f64,
}

/// An album as a strip of photos with each scheme's answers, as in the paper's figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// What stands above.
    pub title: String,
    /// The photos, in the order of time.
    pub photos: Vec<StripPhoto>,
    /// Each scheme's answers, one a photo.
    pub answers: Vec<(String, Vec<StripAnswer>)>,
}

/// A photo of a strip.
#[derive(Clone, Debug, PartialEq)]
pub struct StripPhoto {
    /// A small JPEG; `None` where photos are left out or cannot be read.
    pub thumbnail: Option<Vec<u8>>,
    /// Where it was taken, or its id where that is unknown.
    pub label: String,
}

/// One scheme's answer for one photo.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StripAnswer {
    /// The place.
    pub place: String,
    /// How far it is from the truth, in km; `None` without an answer or a truth.
    pub km: Option<f64>,
}

impl AlbumReport {
    /// Writes the report's folder, as [`super::Report::save`] does.
    ///
    /// # Errors
    /// As there.
    pub fn save(&self, folder: &Path) -> Result<(), OutputFolderError> {
        let (json, html) = (self.to_json(), self.to_html());
        write_folder(folder, [&self.title, &self.subject], &self.tables(), &json, html)
    }

    /// Every figure of the report.
    pub fn to_json(&self) -> serde_json::Value {
        json!({
            "format": "planet-album-report-1",
            "title": self.title,
            "subject": self.subject,
            "schemes": self.schemes,
        })
    }

    /// All tables, in their order.
    pub fn tables(&self) -> Vec<Table> {
        let mut all = vec![self.accuracy(), self.intervals()];
        all.extend(self.gains("gain-over-single", |_| Some(Scheme::Single.name())));
        all.extend(self.gains("gain-over-average", |scheme| scheme.baseline.as_deref()));
        all.extend(self.ideals());
        all.extend(self.of_ideals());
        all.push(self.moves());
        all.push(self.positions());
        all
    }

    fn accuracy(&self) -> Table {
        let mut table = Table::new("schemes", "Accuracy", &[]);
        table.header = tables::scales("% of photos within");
        table.header.extend(["right cell, %", "median, km"].map(str::to_owned));
        for SchemeResult { name, score, .. } in &self.schemes {
            let cell = score.cells.map_or_else(String::new, |cells| tables::percent(cells[0]));
            let more = [cell, tables::km(score.quartiles_km[1])];
            table.row(name, tables::percents(score.within[0]).into_iter().chain(more));
        }
        if let Some(SchemeResult { score, .. }) = self.schemes.first() {
            table.note = format!("{} photos. Distances: {}.", score.counts.photos, score.rules);
        }
        table
    }

    fn intervals(&self) -> Table {
        let mut table = Table::new("intervals", "95 % intervals", &[]);
        table.header = tables::scales("% of photos within");
        for SchemeResult { name, score, .. } in &self.schemes {
            let Some(ends) = score.within_interval else { continue };
            let text =
                ends.map(|it| format!("{}–{}", tables::percent(it.low), tables::percent(it.high)));
            table.row(name, text);
        }
        if let Some(SchemeResult { score, .. }) = self.schemes.first() {
            table.note = format!(
                "Confidence intervals are from a bootstrap over {}.",
                score.grouping.plural()
            );
        }
        table
    }

    /// Relative gains, as in the paper's table.
    fn gains<'a>(
        &'a self,
        name: &'static str,
        baseline: impl Fn(&'a SchemeResult) -> Option<&'a str>,
    ) -> Option<Table> {
        let title = format!("Relative {}, %", name.replace('-', " "));
        let mut table = Table::new(name, &title, &[]);
        table.header = tables::scales("");
        for scheme in &self.schemes {
            let base = self.schemes.iter().find(|it| Some(it.name.as_str()) == baseline(scheme));
            let Some(base) = base.filter(|base| base.name != scheme.name) else { continue };
            let pairs = scheme.score.within[0].iter().zip(base.score.within[0]);
            let gains = pairs.map(|(new, old)| match old > 0.0 {
                true => format!("{:+.1}", 100.0 * (new / old - 1.0)),
                false => String::new(),
            });
            table.row(&scheme.name, gains);
        }
        (!table.rows.is_empty()).then_some(table)
    }

    fn ideals(&self) -> Option<Table> {
        let mut table =
            Table::new("ideals", "Best possible accuracy, given what each scheme sees", &[]);
        table.header = tables::scales("% of photos within");
        table.header.push("right cell, %".to_owned());
        for scheme in &self.schemes {
            let Some(SchemeIdeal { view, within, cell }) = &scheme.ideal else { continue };
            if table.rows.iter().all(|row| row[0] != *view) {
                let cells = tables::percents(*within).into_iter().chain([tables::percent(*cell)]);
                table.row(view, cells);
            }
        }
        table.note =
            "Exact inference with the model that generated the synthetic photos. The values \
                      are measured on exactly these photos, so they include sampling noise."
                .to_owned();
        (!table.rows.is_empty()).then_some(table)
    }

    fn of_ideals(&self) -> Option<Table> {
        let mut table =
            Table::new("of-ideals", "Accuracy as a percentage of the best possible, %", &[]);
        table.header = tables::scales("");
        table.header.push("right cell".to_owned());
        for scheme in &self.schemes {
            let Some(ideal) = &scheme.ideal else { continue };
            let cells = scheme.score.cells.map(|cells| (cells[0], ideal.cell));
            let pairs = scheme.score.within[0].into_iter().zip(ideal.within).chain(cells);
            let shares = pairs.map(|(found, best)| match best > 0.0 {
                true => tables::percent(found / best),
                false => String::new(),
            });
            table.row(format!("{} of {}", scheme.name, ideal.view), shares);
        }
        (!table.rows.is_empty()).then_some(table)
    }

    fn moves(&self) -> Table {
        let mut table = Table::new("moves", "Moves from photo to photo", &[]);
        let header = [
            "",
            "answers apart, %",
            "apart, photos at one place, %",
            "not apart, photos apart, %",
            "early photos at the last place, %",
        ];
        table.header = header.map(str::to_owned).to_vec();
        let percent = |share: Option<f64>| share.map_or_else(String::new, tables::percent);
        for SchemeResult { name, moves, .. } in &self.schemes {
            let MoveScore { jumps, false_jumps, missed_moves, early_at_last, .. } = *moves;
            table.row(name, [jumps, false_jumps, missed_moves, early_at_last].map(percent));
        }
        let Some(SchemeResult { moves, .. }) = self.schemes.first() else { return table };
        table.row("truth", [percent(moves.moves)].into_iter().chain(["0.0"; 3].map(str::to_owned)));
        table.note = format!(
            "{} pairs of photos that follow each other in an album; apart is more than 200 km. Of each pair's \
             answers: how many are apart, also where the photos are at one place, and how many are not \
             where the photos are apart. Last column: of the {} photos that are among the first five of \
             their album and apart from its last photo, those whose answer is not apart from the last \
             photo's answer.",
            moves.pairs, moves.early
        );
        table
    }

    fn positions(&self) -> Table {
        let title = "% of photos within 200 km, by position in the album";
        let mut table = Table::new("positions", title, &[]);
        let groups = self.schemes.first().map(|scheme| &scheme.by_position);
        let labels = groups.into_iter().flatten().map(PositionScore::label);
        table.header = [String::new()].into_iter().chain(labels).collect();
        for scheme in &self.schemes {
            let shares =
                scheme.by_position.iter().map(|it| tables::percent(it.within[BY_POSITION]));
            table.row(&scheme.name, shares);
        }
        let photos = groups.into_iter().flatten().map(|group| group.photos.to_string());
        table.row("photos", photos);
        table
    }

    /// The page: everything inside, no network.
    pub fn to_html(&self) -> String {
        let mut html = page::head(&self.title, &self.subject);
        html.push_str("<h2>Accuracy by distance</h2>\n");
        let tables = self.tables();
        let (positions, rest) = tables.split_last().expect("there are always four");
        html.extend(rest.iter().map(Table::to_html));
        html.push_str("<h2>Accuracy by position in the album</h2>\n");
        html.push_str(&positions.to_html());
        writeln!(html, "<figure>{}</figure>", self.chart().to_svg()).expect("text grows");
        if !self.strips.is_empty() {
            html.push_str("<h2>Albums</h2>\n<p class=\"note\">");
            for (colour, what) in NEARNESSES.iter().zip(["25 km", "200 km", "750 km"]) {
                write!(html, "<span style=\"background:{}\"> within {what} </span> ", colour.1)
                    .expect("text grows");
            }
            html.push_str(
                "of the true position. The albums are chosen at regular intervals, not by accuracy.</p>\n",
            );
        }
        self.strips.iter().for_each(|strip| strip.write(&mut html));
        html.push_str("</html>\n");
        html
    }

    fn chart(&self) -> LineChart {
        let curve = |(at, scheme): (usize, &SchemeResult)| Curve {
            name: scheme.name.clone(),
            colour: COLOURS[at % COLOURS.len()],
            dashed: at >= COLOURS.len(),
            points: scheme
                .by_position
                .iter()
                .enumerate()
                .map(|(group, it)| [group as f64, 100.0 * it.within[BY_POSITION]])
                .collect(),
            band: Vec::new(),
        };
        let groups = self.schemes.first().map_or(&[][..], |scheme| &scheme.by_position);
        let labels = groups.iter().enumerate().map(|(at, group)| (at as f64, group.label()));
        LineChart {
            x_label: "position in the album".to_owned(),
            y_label: "% of photos within 200 km".to_owned(),
            logarithmic: false,
            x_range: [0.0, groups.len().saturating_sub(1).max(1) as f64],
            y_range: [0.0, 100.0],
            x_ticks: labels.collect(),
            curves: self.schemes.iter().enumerate().map(curve).collect(),
        }
    }
}

/// Colours of answers up to so many km from the truth.
const NEARNESSES: [(f64, &str); 3] =
    [(25.0, "#009e7366"), (200.0, "#e69f0055"), (750.0, "#56b4e933")];

impl Strip {
    fn write(&self, html: &mut String) {
        let title = escaped(&self.title);
        write!(html, "<h3>{title}</h3>\n<div class=\"wide\"><table class=\"strip\"><tr><td>")
            .expect("text grows");
        for photo in &self.photos {
            html.push_str("<td>");
            if let Some(thumbnail) = &photo.thumbnail {
                html.push_str(&inlined("photo of the album", "jpeg", thumbnail));
            }
        }
        html.push_str("</tr>\n<tr><th scope=\"row\">truth</th>");
        for photo in &self.photos {
            write!(html, "<td>{}", escaped(&photo.label)).expect("text grows");
        }
        for (scheme, answers) in &self.answers {
            write!(html, "</tr>\n<tr><th scope=\"row\">{}</th>", escaped(scheme))
                .expect("text grows");
            for StripAnswer { place, km } in answers {
                let near = km.and_then(|km| NEARNESSES.iter().find(|(most, _)| km <= *most));
                let style = near.map_or_else(String::new, |(_, colour)| {
                    format!(" style=\"background:{colour}\"")
                });
                let km = km.map_or_else(String::new, |km| format!("{} km", tables::km(Some(km))));
                write!(html, "<td{style}>{}<br>{km}", escaped(place)).expect("text grows");
            }
        }
        html.push_str("</tr></table></div>\n");
    }
}

use std::{fmt::Write, fs, path::Path};

use planet::{
    map::{Region, WorldMap, partition_map, probability_map},
    plot::{COLOURS, Curve, LineChart, escaped, inlined},
    report::{self, Table},
};
use planet_geo::Scale;

use super::{Example, Shown, TEST, TRAINING};
use crate::failure::Failure;

/// What this page has beside the style of reports.
const STYLE: &str = "\
.photos{display:flex;flex-wrap:wrap;gap:4px}.photos img{width:96px;height:96px;object-fit:contain;background:#2224}\
.example{display:grid;grid-template-columns:160px 1fr;gap:1em;margin:1.2em 0}.example>div img{width:160px;image-rendering:pixelated}\
pre{overflow-x:auto;padding:.7em;background:#8881}\
@media(max-width:600px){.example{grid-template-columns:1fr;gap:.3em}.photos img{width:72px;height:72px}}\
@media print{.example{break-inside:avoid}}";

/// Photos on the sheet.
const SHEET: usize = 40;

/// The page that explains each step with its pictures.
pub(super) fn write(shown: &Shown, test: &Path) -> Result<String, Failure> {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>PlaNet, a demonstration</title>\n\
         <style>{}{STYLE}</style>\n<h1>PlaNet</h1>\n<p>PlaNet estimates where a photo was taken. This page shows \
         the whole method on synthetic photos. The places are real; the photos are rendered from \
         cues such as driving side, script, climate and landmarks. Therefore the best possible \
         answer to each photo is known exactly. A model that is trained on synthetic photos says \
         nothing about real photos.</p>\n",
        report::STYLE
    );
    photos(shown, test, &mut html)?;
    cells(shown, &mut html)?;
    training(shown, &mut html);
    results(shown, &mut html);
    examples(shown, test, &mut html)?;
    own_photos(&mut html);
    html.push_str("</html>\n");
    Ok(html)
}

fn put(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("text grows");
}

/// A photo's file inside the page, which then stands on its own.
fn image(test: &Path, photo: &str) -> Result<String, Failure> {
    let path = test.join(photo);
    let bytes =
        fs::read(&path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(inlined("photo", "jpeg", &bytes))
}

/// A map as a picture: as SVG, a page of them would weigh tens of megabytes.
fn picture(map: &WorldMap) -> Result<String, Failure> {
    Ok(inlined("map", "png", &map.to_png().map_err(Failure::new)?))
}

fn photos(shown: &Shown, test: &Path, html: &mut String) -> Result<(), Failure> {
    put(
        html,
        format_args!(
            "<h2>1. Photos</h2>\n<p>There are {TRAINING} training photos from {} places, and {TEST} test \
         photos. About a quarter of the photos contain no cue about the place.</p>\n\
         <div class=\"photos\">",
            shown.world.places().len()
        ),
    );
    let ids = planet_world::Truth::read_all(test).map_err(Failure::new)?;
    let mut ids: Vec<&String> = ids.keys().collect();
    ids.sort_unstable();
    for photo in ids.iter().step_by((ids.len() / SHEET).max(1)).take(SHEET) {
        html.push_str(&image(test, photo)?);
    }
    html.push_str("</div>\n");
    Ok(())
}

fn cells(shown: &Shown, html: &mut String) -> Result<(), Failure> {
    let map = picture(&partition_map(shown.package.partition(), Region::WORLD))?;
    put(
        html,
        format_args!(
            "<h2>2. Cells</h2>\n<p>The earth is divided into {} S2 cells, small where many photos were \
         taken. A cell with more than {} photos is split; a cell with fewer than {} is dropped. The \
         model locates a photo by estimating a probability for each cell.</p>\n<figure>{map}</figure>\n",
            shown.package.partition().len(),
            super::SPLIT_ABOVE,
            super::KEEP_FROM
        ),
    );
    Ok(())
}

fn training(shown: &Shown, html: &mut String) {
    let mut minutes = 0.0;
    let times: Vec<f64> = shown
        .history
        .iter()
        .map(|epoch| {
            minutes += epoch.minutes;
            minutes
        })
        .collect();
    let curve = |name: &str, colour, scale: usize| Curve {
        name: name.to_owned(),
        colour,
        dashed: false,
        points: shown
            .history
            .iter()
            .zip(&times)
            .filter_map(|(epoch, minutes)| {
                Some([*minutes, 100.0 * epoch.validation.as_ref()?.within_1[scale]])
            })
            .collect(),
        band: Vec::new(),
    };
    let mut curves: Vec<Curve> = Vec::new();
    for (at, scale) in [(4, Scale::Continent), (2, Scale::Region), (0, Scale::Street)] {
        let colour = COLOURS[curves.len() / 2];
        curves.push(curve(scale.name(), colour, at));
        let ideal = 100.0 * shown.ceiling.scales[at].ideal[0].mean;
        let points = vec![[0.0, ideal], [minutes, ideal]];
        let name = format!("{}, ideal", scale.name());
        curves.push(Curve { name, colour, dashed: true, points, band: Vec::new() });
    }
    let chart = LineChart {
        x_label: "minutes of training".to_owned(),
        y_label: "% of validation photos within".to_owned(),
        logarithmic: false,
        x_range: [0.0, minutes.max(0.1)],
        y_range: [0.0, 100.0],
        x_ticks: (0..=4)
            .map(|at| minutes * f64::from(at) / 4.0)
            .map(|x| (x, format!("{x:.1}")))
            .collect(),
        curves,
    };
    let speed = shown.history.last().map_or(0.0, |epoch| epoch.photos_per_second);
    put(
        html,
        format_args!(
            "<h2>3. Training</h2>\n<p>The network {} with batch norm learns to predict the cell of each \
         photo. Training starts from random weights and uses AdaGrad: {} epochs in {minutes:.1} \
         minutes, {speed:.0} photos per second.</p>\n<figure>{}</figure>\n",
            escaped(&shown.package.description().architecture),
            shown.history.len(),
            chart.to_svg()
        ),
    );
}

fn results(shown: &Shown, html: &mut String) {
    html.push_str("<h2>4. Accuracy</h2>\n");
    let mut table =
        Table::new("accuracy", "Percentage of photos located within each distance", &[]);
    table.header = vec!["answer".to_owned()];
    let scales = Scale::ALL.map(|scale| format!("{}, {}", scale.name(), scale.radius()));
    table.header.extend(scales);
    let mut row = |name: &str, shares: [f64; 5]| {
        table.row(name, shares.map(|share| format!("{:.1}", 100.0 * share)));
    };
    row("always the most frequent cell", shown.frequent);
    row("this model, first answer", shown.score.within[0]);
    row("this model, best of five", shown.score.within[4]);
    row(
        "ideal classifier, first answer",
        shown.ceiling.scales.each_ref().map(|it| it.ideal[0].mean),
    );
    row("upper bound for any answer", shown.ceiling.scales.each_ref().map(|it| it.bound.mean));
    html.push_str(&table.to_html());
    put(
        html,
        format_args!(
            "<p>The ideal classifier knows how the photos were rendered and combines all \
         cues exactly; more training photos bring a model closer to it. The most probable cell is \
         correct for {:.1} % of the photos; the ideal classifier reaches {:.1} %. The calibration \
         error is the average difference between stated probability and share of correct answers: \
         {:.1} points.{}</p>\n",
            100.0 * shown.score.cells.unwrap_or_default()[0],
            100.0 * shown.ceiling.cell.mean,
            100.0 * shown.score.calibration_error.unwrap_or_default(),
            shown.error_before().map_or_else(String::new, |before| format!(
                " Before temperature scaling it was {:.1} points.",
                100.0 * before
            ))
        ),
    );
}

fn examples(shown: &Shown, test: &Path, html: &mut String) -> Result<(), Failure> {
    html.push_str(
        "<h2>5. Photos and answers</h2>\n<p>The shade of a cell shows the logarithm of its \
        probability. Black marks the best answer, blue the true position.</p>\n",
    );
    for Example { prediction, probabilities } in &shown.examples {
        let map = probability_map(
            shown.package.partition(),
            probabilities,
            prediction.truth,
            Region::WORLD,
        );
        let map = picture(&map.without_legends().width(900))?;
        put(html, format_args!("<div class=\"example\"><div>{}", image(test, &prediction.photo)?));
        if let Some(best) = prediction.best() {
            let name = best.place.as_ref().map_or_else(String::new, ToString::to_string);
            let share = 100.0 * best.probability.unwrap_or_default();
            put(html, format_args!("<p><b>{}</b> {share:.0}\u{a0}%<br>", escaped(&name)));
        }
        match &prediction.certain {
            Some(it) => put(html, format_args!("{}<br>", escaped(&it.to_string()))),
            None => html.push_str("no level reaches 50\u{a0}%<br>"),
        }
        if let Some(off) = prediction.distance() {
            put(html, format_args!("error {off}"));
        }
        put(html, format_args!("</div><figure>{map}</figure></div>\n"));
    }
    Ok(())
}

fn own_photos(html: &mut String) {
    html.push_str(
        "<h2>6. Your own photos</h2>\n<p>These commands train a model on your own photo library:</p>\n<pre>\
         planet dataset scan ~/Pictures -o photos.parquet\n\
         planet dataset split photos.parquet --by album -o photos.parquet\n\
         planet partition build photos.parquet --split-above 200 --keep-from 10 -o cells.csv\n\
         planet train --dataset photos.parquet:train --validation photos.parquet:validation \\\n\
         \x20 --partition cells.csv --architecture inception-mini -o run\n\
         planet export run -o model\n\
         planet locate ~/Pictures/unknown --model model --map map.html</pre>\n",
    );
}

//! The tables of an evaluation.

use planet_geo::Scale;

use super::{Report, Table};
use crate::evaluation::{
    CategoryLogLoss, Comparison, Interval, LeakageKind, LogLoss, Match, Score, Verdict, published,
};

/// Countries in the table of confusion.
const COUNTRIES: usize = 12;
/// Categories that are listed.
const CATEGORIES: usize = 40;

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

pub(super) fn percents(shares: [f64; 5]) -> [String; 5] {
    shares.map(percent)
}

fn nats(loss: f64) -> String {
    format!("{loss:.3}")
}

pub(super) fn km(distance: Option<f64>) -> String {
    distance.filter(|km| km.is_finite()).map_or_else(
        || "none".to_owned(),
        |km| if km < 10.0 { format!("{km:.2}") } else { format!("{km:.1}") },
    )
}

/// `% of photos within`, `1 km`, …: street, city, region, country, continent.
pub(super) fn scales(first: &str) -> Vec<String> {
    let names = Scale::ALL.map(|scale| format!("{} km", scale.radius().km()));
    [first.to_owned()].into_iter().chain(names).collect()
}

/// The ends of intervals below the row that they belong to.
fn interval_rows(table: &mut Table, intervals: Option<&[Interval; 5]>) {
    let Some(intervals) = intervals else { return };
    let interval = |end: fn(&Interval) -> f64| intervals.each_ref().map(end);
    table.row("  95 % interval, from", percents(interval(|it| it.low)));
    table.row("  95 % interval, to", percents(interval(|it| it.high)));
}

/// Photos that the paper's PlaNet was trained on.
const PAPER_PHOTOS: f64 = 91e6;

impl Report {
    /// All tables of the report, in its order.
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.accuracy(), self.figures()];
        tables.extend(self.levels());
        tables.extend(self.region_coverage());
        tables.push(self.counts());
        tables.extend(self.known_results());
        tables.extend(self.leakage_table());
        tables.extend(self.costs());
        tables.extend(self.categories());
        tables.extend(self.category_log_losses());
        tables.extend(self.confusion());
        tables
    }

    /// Shares within the five scales, with what they are to be held against.
    pub fn accuracy(&self) -> Table {
        let score = &self.score;
        let mut table = Table::new("accuracy", "Accuracy", &[]);
        table.header = scales("% of photos within");
        table.row("first answer", percents(score.within[0]));
        interval_rows(&mut table, score.within_interval.as_ref());
        for (more, shares) in score.within.iter().enumerate().take(score.answers).skip(1) {
            table.row(format!("best of {}", more + 1), percents(*shares));
        }
        if let Some(shares) = score.within_by_centre {
            table.row("first answer, centre of the cell", percents(shares));
        }
        for reference in &self.references.scales {
            table.row(&reference.name, percents(reference.within));
            interval_rows(&mut table, reference.interval.as_ref());
        }
        if let Some(clean) = &self.clean {
            let name = format!("first answer, {} photos without overlap", clean.counts.photos);
            table.row(name, percents(clean.within[0]));
        }
        table.note = format!("{} photos. Distances: {}.", score.counts.photos, score.rules);
        if score.within_interval.is_some() {
            let groups = score.grouping.plural();
            table
                .note
                .push_str(&format!(" Confidence intervals are from a bootstrap over {groups}."));
        }
        table
    }

    /// How often the stated levels are correct.
    fn levels(&self) -> Option<Table> {
        let levels = &self.score.levels;
        if levels.is_empty() {
            return None;
        }
        let columns = ["level", "times stated", "mean stated, %", "correct, %", "95 % from", "to"];
        let mut table = Table::new("levels", "Stated levels", &columns);
        table.header.extend(["stated minus correct", "95 % from", "to"].map(str::to_owned));
        let signed = |share: f64| format!("{:+.1}", 100.0 * share);
        for level in levels {
            let ends = |interval: Option<Interval>, text: &dyn Fn(f64) -> String| {
                interval.map_or([String::new(), String::new()], |it| [text(it.low), text(it.high)])
            };
            let cells = [level.stated.to_string(), percent(level.mean_probability)]
                .into_iter()
                .chain([percent(level.correct)])
                .chain(ends(level.correct_interval, &percent))
                .chain([signed(level.gap)])
                .chain(ends(level.gap_interval, &signed));
            table.row(format!("{} ({} km)", level.level, level.radius_km), cells);
        }
        let stated: u64 = levels.iter().map(|level| level.stated).sum();
        table.note = format!(
            "A level is stated for {stated} of {} photos: the finest level at which the disc of the \
             level's radius has at least the minimum probability. Correct means that the photo was \
             taken within this disc. If the last interval contains 0, the stated probabilities agree \
             with the share of correct answers.",
            self.score.counts.photos
        );
        Some(table)
    }

    /// How often regions contain the photo's place, and how large they are.
    fn region_coverage(&self) -> Option<Table> {
        let (share, rows) = self.regions.as_ref()?;
        let columns = ["photos", "contained, %", "95 % from", "to", "median cells", "median km²"];
        let title = format!("Regions for {} % of the photos", percent(*share));
        let mut table = Table::new("regions", &title, &[self.by.as_str()]);
        table.header.extend(columns.map(str::to_owned));
        for row in rows.iter().take(2 + CATEGORIES) {
            let shares = [row.contained, row.interval.low, row.interval.high].map(percent);
            let sizes = [row.median_classes, row.median_km2].map(|size| format!("{size:.0}"));
            let cells = [row.photos.to_string()].into_iter().chain(shares).chain(sizes);
            table.row(&row.name, cells);
        }
        table.note = "A region has the most probable cells, as many as contained the cells of this share \
                      of the validation photos (split conformal prediction). The share is guaranteed on average for photos that are exchangeable with \
                      the validation photos and lie in a cell of the partition, not for each category. \
                      Intervals are Wilson's, for independent photos."
            .to_owned();
        Some(table)
    }

    /// Errors in km and everything that is no share within a scale.
    fn figures(&self) -> Table {
        let score = &self.score;
        let mut table =
            Table::new("figures", "Errors and other metrics", &["", "value", "95 % from", "to"]);
        let ends = |ends: Option<Interval>, as_text: &dyn Fn(f64) -> String| {
            ends.map_or([String::new(), String::new()], |it| [as_text(it.low), as_text(it.high)])
        };
        let length = |value: f64| km(Some(value));
        let names =
            ["first quartile of error, km", "median error, km", "third quartile of error, km"];
        for (at, name) in names.into_iter().enumerate() {
            let value = km(score.quartiles_km[at]);
            let interval = score.quartiles_interval.map(|intervals| intervals[at]);
            table.row(name, [value].into_iter().chain(ends(interval, &length)));
        }
        let mean = [km(score.mean_km)].into_iter();
        table.row(
            "mean error of located photos, km",
            mean.chain(ends(score.mean_interval, &length)),
        );
        let points = |value: f64| format!("{value:.0}");
        let geoscore = [points(score.geoscore)].into_iter();
        table
            .row("GeoScore (maximum 5000)", geoscore.chain(ends(score.geoscore_interval, &points)));
        let bare = |value: String| [value, String::new(), String::new()];
        if let Some([first, five]) = score.cells {
            let first = [percent(first)].into_iter();
            table.row("right cell first, %", first.chain(ends(score.cell_interval, &percent)));
            table.row("right cell among five, %", bare(percent(five)));
        }
        for (name, share) in &self.references.cells {
            table.row(name, bare(percent(*share)));
        }
        if let Some(LogLoss { mean, interval, .. }) = self.log_loss {
            let name = "log loss of the right cell, nats";
            table.row(name, [nats(mean)].into_iter().chain(ends(Some(interval), &nats)));
        }
        if let Some(ideal) = self.references.log_loss {
            table.row("log loss, ideal classifier, nats", bare(nats(ideal)));
        }
        if let Some(regions) = &score.regions {
            table.row("right country, %", bare(percent(regions.country)));
            table.row("right continent, %", bare(percent(regions.continent)));
        }
        if let Some(error) = score.calibration_error {
            table.row("expected calibration error, points", bare(percent(error)));
        }
        table
    }

    fn counts(&self) -> Table {
        let counts = &self.score.counts;
        let mut table = Table::new("counts", "Photos", &["", "number"]);
        let rows = [
            ("photos with a known position", counts.photos),
            ("located", counts.located),
            ("without an answer, counted as wrong", counts.failed),
            ("without a prediction, counted as wrong", counts.missing),
            ("predicted more than once, the first counts", counts.doubled),
            ("predicted, but not in the truth", counts.unknown),
            ("without a position, not scored", counts.without_position),
            ("more than once in the truth, the first counts", counts.truth_doubled),
        ];
        for (at, (name, count)) in rows.into_iter().enumerate() {
            if at < 2 || count > 0 {
                table.row(name, [count.to_string()]);
            }
        }
        table
    }

    fn known_results(&self) -> Option<Table> {
        let set = self.known_set?;
        let mut table =
            Table::new("published", &format!("Published results on {}", set.name()), &[]);
        table.header = scales("% of photos within");
        table.header.push("source".to_owned());
        for row in published(set) {
            let cells = row.percent.map(|percent| format!("{percent:.1}"));
            table.row(row.system, cells.into_iter().chain([row.source.to_owned()]));
        }
        let own = percents(self.score.within[0]);
        table.row("these predictions", own.into_iter().chain([String::new()]));
        Some(table)
    }

    fn leakage_table(&self) -> Option<Table> {
        let leakage = self.leakage.as_ref()?;
        let mut table =
            Table::new("leakage", "Overlap with training photos", &["test photos", "number"]);
        for kind in LeakageKind::ALL {
            let count = leakage.count(kind);
            table.row(kind.name(), [count.map_or("unknown".to_owned(), |it| it.to_string())]);
        }
        let hashes = leakage.count(LeakageKind::NearDuplicate).is_none();
        if hashes {
            "To find near-duplicates, add perceptual hashes to both manifests: planet dataset enrich --hash."
                .clone_into(&mut table.note);
        }
        Some(table)
    }

    /// Memory and time of the methods, and what they come to for the paper's photos.
    fn costs(&self) -> Option<Table> {
        let costs = &self.references.costs;
        if costs.is_empty() {
            return None;
        }
        let mut table = Table::new("costs", "Memory and time", &[]);
        let columns = ["method", "photos in the index", "MB", "kB per photo of the index"];
        let more = ["ms per photo located", "of which search, ms", "91 million photos: GB"];
        let columns = columns.into_iter().chain(more).chain(["91 million photos: search, s"]);
        table.header = columns.map(str::to_owned).collect();
        let text = |value: Option<f64>| value.map_or_else(String::new, |it| format!("{it:.1}"));
        for cost in costs {
            let bytes = cost.bytes_per_photo;
            let search = cost.search_per_photo();
            let cells = [
                cost.photos.map_or_else(String::new, |it| it.to_string()),
                text(Some(cost.bytes as f64 / 1e6)),
                text(bytes.map(|it| it / 1e3)),
                text(Some(1e3 * cost.seconds)),
                text(cost.search_seconds.map(|it| 1e3 * it)),
                text(bytes.map(|it| it * PAPER_PHOTOS / 1e9)),
                text(search.map(|it| it * PAPER_PHOTOS)),
            ];
            table.row(&cost.name, cells);
        }
        table.note =
            "An index and the search in it grow in proportion to its photos; the last two \
                      columns multiply what was measured. A model does not grow."
                .to_owned();
        Some(table)
    }

    fn categories(&self) -> Option<Table> {
        let categories = &self.score.categories;
        if categories.is_empty() {
            return None;
        }
        let mut table = Table::new("categories", &format!("By {}", self.by), &[]);
        table.header = scales("% of photos within");
        table.header.extend(["median km".to_owned(), "photos".to_owned()]);
        let others: Vec<_> =
            self.references.scales.iter().filter(|it| !it.medians.is_empty()).collect();
        table.header.extend(others.iter().map(|it| format!("median km, {}", it.name)));
        for category in categories.iter().take(CATEGORIES) {
            let more = [km(category.median_km), category.photos.to_string()];
            let median = |(name, median): &(String, Option<f64>)| {
                (*name == category.name).then(|| km(*median))
            };
            let others =
                others.iter().map(|it| it.medians.iter().find_map(median).unwrap_or_default());
            let cells = percents(category.within).into_iter().chain(more).chain(others);
            table.row(&category.name, cells);
        }
        if categories.len() > CATEGORIES {
            table.note = format!("report.json contains {} more.", categories.len() - CATEGORIES);
        }
        Some(table)
    }

    /// What the photos of each category lose, and how much of that is the model's.
    fn category_log_losses(&self) -> Option<Table> {
        if self.category_log_losses.is_empty() {
            return None;
        }
        let title = format!("Log loss of the right cell, by {}", self.by);
        let mut table = Table::new("category-log-losses", &title, &[]);
        let header = ["", "nats", "95 % from", "to", "photos"];
        table.header = header.map(str::to_owned).to_vec();
        let photos = |it: &CategoryLogLoss| it.log_loss.photos as f64;
        let diverges = |it: &CategoryLogLoss| it.ideal.map(|ideal| it.log_loss.mean - ideal);
        let all: f64 = self.category_log_losses.iter().map(photos).sum();
        let has_ideal = self.category_log_losses.iter().any(|it| it.ideal.is_some());
        if has_ideal {
            let more = ["exact posterior", "divergence", "divergence of all photos"];
            table.header.extend(more.map(str::to_owned));
        }
        for it in self.category_log_losses.iter().take(CATEGORIES) {
            let LogLoss { mean, interval, .. } = it.log_loss;
            let mut cells = [mean, interval.low, interval.high].map(nats).to_vec();
            cells.push(it.log_loss.photos.to_string());
            if has_ideal {
                let parts = [it.ideal, diverges(it), diverges(it).map(|by| by * photos(it) / all)];
                cells.extend(parts.map(|it| it.map_or_else(String::new, nats)));
            }
            table.row(&it.name, cells);
        }
        if has_ideal {
            table.note = "Divergence: by how many nats the model loses more than the exact posterior on the \
                          same photos; in the last column, what the category's photos add to the mean over all \
                          photos."
                .to_owned();
        }
        Some(table)
    }

    /// True countries in rows, answered ones in columns, in percent of the row.
    fn confusion(&self) -> Option<Table> {
        let regions = self.score.regions.as_ref().filter(|regions| regions.photos > 0)?;
        let of = |truth: &str| {
            regions.confusion.iter().filter(|row| row.0 == truth).map(|row| row.2).sum::<u64>()
        };
        let mut countries: Vec<&str> = regions.confusion.iter().map(|row| &*row.0).collect();
        countries.sort_unstable();
        countries.dedup();
        countries.sort_by_key(|country| std::cmp::Reverse(of(country)));
        countries.truncate(COUNTRIES);
        let mut table = Table::new(
            "confusion",
            "Countries: true country in rows, answered country in columns",
            &[],
        );
        table.header = ["% of row"].iter().chain(&countries).map(|it| (*it).to_owned()).collect();
        table.header.extend(["other".to_owned(), "photos".to_owned()]);
        for truth in &countries {
            let photos = of(truth);
            let share = |count: u64| match count {
                0 => String::new(),
                _ => format!("{:.0}", 100.0 * count as f64 / photos as f64),
            };
            let answered = |answer: &&str| {
                let pair = |row: &&(String, String, u64)| row.0 == *truth && row.1 == *answer;
                regions.confusion.iter().find(pair).map_or(0, |row| row.2)
            };
            let counts: Vec<u64> = countries.iter().map(answered).collect();
            let other = photos - counts.iter().sum::<u64>();
            let cells = counts.into_iter().chain([other]).map(share);
            table.row(*truth, cells.chain([photos.to_string()]).collect::<Vec<_>>());
        }
        Some(table)
    }
}

/// Rounds won and errors of a match, as in the paper's section 3.
pub fn match_table(result: &Match) -> Table {
    let mut table = Table::new("match", "People and PlaNet", &["", "PlaNet", "people"]);
    let won = [result.model_won.to_string(), result.people_won.to_string()];
    table.row(format!("rounds won, of {}", result.rounds.len()), won);
    table.row("median error, km", [km(result.model.median_km), km(result.people.median_km)]);
    let sides =
        |of: &dyn Fn(&crate::evaluation::Side) -> String| [of(&result.model), of(&result.people)];
    table.row("mean GeoScore per round", sides(&|side| format!("{:.0}", side.geoscore)));
    for (at, scale) in Scale::ALL.into_iter().enumerate() {
        let name = format!("rounds within {} km ({})", scale.radius().km(), scale.name());
        table.row(name, sides(&|side| side.within[at].to_string()));
    }
    for (player, [model, person]) in &result.players {
        table.row(format!("rounds against {player}"), [model.to_string(), person.to_string()]);
    }
    table
}

/// Two scores side by side.
pub fn comparison_table(comparison: &Comparison) -> Table {
    let mut table = Table::new("comparison", "Comparison of A and B", &[]);
    table.header = scales("% of photos within");
    let row = |score: &Score| percents(score.within[0]);
    table.row("A", row(&comparison.a));
    table.row("B", row(&comparison.b));
    let signed = |value: f64| format!("{:+.1}", 100.0 * value);
    table.row("A minus B", comparison.scales.map(|it| signed(it.difference)));
    if let [Some(a), Some(b), Some(c), Some(d), Some(e)] = comparison.scales.map(|it| it.interval) {
        let intervals = [a, b, c, d, e];
        table.row("  95 % interval, from", intervals.map(|it| signed(it.low)));
        table.row("  95 % interval, to", intervals.map(|it| signed(it.high)));
    }
    table.row("verdict", comparison.scales.map(|it| verdict_word(it.verdict).to_owned()));
    table.row("photos located only by A", comparison.scales.map(|it| it.only_a.to_string()));
    table.row("photos located only by B", comparison.scales.map(|it| it.only_b.to_string()));
    table.note = format!(
        "{} photos in both. The answer of A is nearer for {}, that of B for {}. Median errors: {} km and {} km.",
        comparison.photos,
        comparison.a_nearer,
        comparison.b_nearer,
        km(comparison.a.quartiles_km[1]),
        km(comparison.b.quartiles_km[1])
    );
    table
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::A => "A",
        Verdict::B => "B",
        Verdict::Undecided => "undecided",
    }
}

/// Which system is better, and at what distances, in a sentence or two.
pub fn verdict(comparison: &Comparison) -> String {
    if comparison.scales.iter().all(|scale| scale.interval.is_none()) {
        return "There is no verdict without confidence intervals; use --resamples above 0."
            .to_owned();
    }
    let scales = |verdict: Verdict| -> Vec<String> {
        let rows = Scale::ALL.iter().zip(&comparison.scales);
        let of = rows.filter(|(_, difference)| difference.verdict == verdict);
        of.map(|(scale, _)| format!("{} km", scale.radius().km())).collect()
    };
    let [a, b, undecided] = [Verdict::A, Verdict::B, Verdict::Undecided].map(scales);
    let mut sentences = Vec::new();
    for (name, better) in [("A", a), ("B", b)] {
        if !better.is_empty() {
            sentences.push(format!("{name} locates more photos within {}.", better.join(", ")));
        }
    }
    match (sentences.is_empty(), undecided.is_empty()) {
        (true, _) => {
            sentences.push("The data do not show that either is better at any distance.".to_owned())
        }
        (false, false) => {
            sentences.push(format!("No decision within {}.", undecided.join(", ")));
        }
        (false, true) => {}
    }
    format!("{} (95 % paired bootstrap on the same photos.)", sentences.join(" "))
}

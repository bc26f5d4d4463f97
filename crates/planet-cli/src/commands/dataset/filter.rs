use std::{
    collections::{BTreeSet, HashSet},
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet_data::{Column, Monitor, PhotoRecord, table};

use super::{
    classifier::{ClassifierArguments, LabelColumn, LabelColumns, listed},
    manifest::Change,
    rejection::Rejection,
    review::Review,
};
use crate::failure::Failure;

/// `planet dataset filter M [--non-photos] [--reject LABEL>=0.8] [--remove PAIRS] -o M`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    change: Change,
    /// Remove images that are probably not photographs (photo_score below 0.5)
    #[arg(long)]
    non_photos: bool,
    /// Remove photos by a score from 0 to 1: LABEL>=0.8 or LABEL<0.2; may be repeated. LABEL is a label
    /// of --classifier, whose score also becomes a column of this name, or a column of the manifest that
    /// holds numbers
    #[arg(long, value_name = "RULE")]
    reject: Vec<Rejection>,
    /// Also remove photos without a score, for example those that cannot be read. By default they are
    /// kept and counted
    #[arg(long)]
    reject_unscored: bool,
    #[command(flatten)]
    classifier: ClassifierArguments,
    /// Text file with the ids of photos, one per line, that are kept whatever their scores are
    #[arg(long, value_name = "FILE")]
    keep_list: Option<PathBuf>,
    /// Page to write (.html) with the photos that --reject and --non-photos match, and those that they
    /// nearly match; it saves a keep list of the photos that you tick
    #[arg(long, value_name = "PAGE")]
    review: Option<PathBuf>,
    /// Remove each photo in column b of this table of pairs (planet dataset duplicates)
    #[arg(long, value_name = "PAIRS")]
    remove: Option<PathBuf>,
    /// Remove photos without a position
    #[arg(long)]
    no_position: bool,
}

/// Writes the manifest without those photos.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut filter = arguments.filter()?;
    let mut labels = arguments.labels(&filter)?;
    let manifest = arguments.change.open()?;
    let others = manifest.other_columns();
    let new = labels.as_ref().map_or_else(Vec::new, |labels| labels.new_columns(&others));
    filter.check_columns(&others, &new)?;
    let changed = manifest.run(new, |mut records, work| {
        match &mut labels {
            Some(labels) => labels.fill(&mut records, &mut HashSet::new(), work)?,
            None => work.progress.advance(records.len() as u64),
        }
        let mut kept = Vec::with_capacity(records.len());
        for record in records {
            if filter.keeps(&record)? {
                kept.push(record);
            }
        }
        Ok(kept)
    })?;
    let mut err = io::stderr().lock();
    writeln!(err, "{} of {} photos kept", changed.kept, changed.read)?;
    filter.report(&mut err)?;
    let Some(page) = &arguments.review else { return Ok(()) };
    let reviews = filter.rules.into_iter().map(|rule| (rule.rejection, rule.review)).collect();
    Review::write(reviews, arguments.change.manifest(), &changed.store, page)
}

impl Arguments {
    fn filter(&self) -> Result<Filter, Failure> {
        let non_photos = self.non_photos.then(Rejection::non_photos);
        let rejections = non_photos.into_iter().chain(self.reject.iter().cloned());
        let rules: Vec<Rule> = rejections.map(Rule::new).collect();
        if rules.is_empty() {
            let of_scores = [
                (self.reject_unscored, "--reject-unscored"),
                (self.keep_list.is_some(), "--keep-list"),
                (self.review.is_some(), "--review"),
            ];
            if let Some((_, name)) = of_scores.iter().find(|(is_given, _)| *is_given) {
                let what = format!("{name} needs --reject or --non-photos");
                return Err(Failure::usage(what));
            }
            if self.remove.is_none() && !self.no_position {
                let hint =
                    "add --non-photos, --reject LABEL>=SCORE, --no-position or --remove PAIRS";
                return Err(Failure::usage("no filter was selected").hint(hint));
            }
        }
        if self.review.as_ref().is_some_and(|page| page.extension().is_none_or(|it| it != "html")) {
            return Err(Failure::usage("the name of a review page must end in .html"));
        }
        Ok(Filter {
            rules,
            reject_unscored: self.reject_unscored,
            keep_list: self.keep_list.as_deref().map(Listed::of_lines).transpose()?,
            redundant: self.remove.as_deref().map(Listed::of_pairs).transpose()?,
            no_position: self.no_position,
        })
    }

    /// The classifier, with the columns that the rules ask for.
    fn labels(&self, filter: &Filter) -> Result<Option<LabelColumns>, Failure> {
        let Some(classifier) = self.classifier.open()? else { return Ok(None) };
        let labels = &classifier.description().labels;
        let names: BTreeSet<&String> = filter.columns().collect();
        let columns = names.into_iter().filter_map(|name| LabelColumn::of_label(name, labels));
        let columns: Vec<LabelColumn> = columns.collect::<Result<_, _>>()?;
        if columns.is_empty() {
            let what = "no --reject names a label of the classifier";
            return Err(Failure::usage(what).hint(listed(labels)));
        }
        LabelColumns::new(classifier, columns).map(Some)
    }
}

/// What is removed and what is kept, and how many of each there were.
struct Filter {
    rules: Vec<Rule>,
    reject_unscored: bool,
    /// Photos that are kept whatever their scores.
    keep_list: Option<Listed>,
    /// Photos that are removed whatever their scores.
    redundant: Option<Listed>,
    no_position: bool,
}

/// A rule by scores.
struct Rule {
    rejection: Rejection,
    review: Review,
    matching: u64,
    unscored: u64,
}

impl Rule {
    fn new(rejection: Rejection) -> Self {
        Self { rejection, review: Review::new(), matching: 0, unscored: 0 }
    }
}

impl Filter {
    /// The columns that the rules look at.
    fn columns(&self) -> impl Iterator<Item = &String> {
        self.rules.iter().map(|rule| &rule.rejection.column)
    }

    /// Refuses rules for columns that there are not.
    fn check_columns(&self, others: &[String], new: &[String]) -> Result<(), Failure> {
        let is_there = |name: &String| {
            Column::named(name).is_some() || others.contains(name) || new.contains(name)
        };
        let Some(name) = self.columns().find(|name| !is_there(name)) else { return Ok(()) };
        let hint = match others {
            [] => "planet dataset enrich --classifier adds columns; or name the classifier here"
                .to_owned(),
            others => format!("the manifest's own further columns are {}", others.join(", ")),
        };
        Err(Failure::usage(format!("the manifest has no column '{name}'")).hint(hint))
    }

    fn keeps(&mut self, record: &PhotoRecord) -> Result<bool, Failure> {
        let is_kept = self.keep_list.as_mut().is_some_and(|list| list.has(&record.photo));
        let is_redundant = self.redundant.as_mut().is_some_and(|list| list.has(&record.photo));
        let mut is_rejected = false;
        for rule in &mut self.rules {
            let Some(value) = rule.rejection.value(record)? else {
                rule.unscored += 1;
                is_rejected |= self.reject_unscored;
                continue;
            };
            rule.review.add(&rule.rejection, &record.photo, value, is_kept);
            if rule.rejection.rejects(value) {
                rule.matching += 1;
                is_rejected = true;
            }
        }
        let is_nowhere = self.no_position && record.position.is_none();
        Ok(!is_redundant && !is_nowhere && (is_kept || !is_rejected))
    }

    fn report(&self, err: &mut impl Write) -> io::Result<()> {
        for rule in &self.rules {
            let Rule { rejection, matching, unscored, .. } = rule;
            writeln!(err, "{matching} photos have {rejection}")?;
            if *unscored > 0 {
                let column = &rejection.column;
                let fate = if self.reject_unscored { "removed" } else { "kept" };
                writeln!(
                    err,
                    "{unscored} photos have no {column}; they were {fate}{}",
                    cure(column)
                )?;
            }
        }
        for (list, name) in [(&self.keep_list, "keep list"), (&self.redundant, "table of pairs")] {
            let absent = list.as_ref().map_or(0, Listed::absent);
            if absent > 0 {
                writeln!(err, "{absent} photos in the {name} are not in this manifest")?;
            }
        }
        Ok(())
    }
}

/// What computes a missing score.
fn cure(column: &str) -> &'static str {
    match column {
        "photo_score" => "; planet dataset enrich --photo-score computes the scores",
        _ => "",
    }
}

/// Ids of photos, and which of them were met.
struct Listed {
    ids: HashSet<String>,
    met: HashSet<String>,
}

impl Listed {
    fn new(ids: HashSet<String>) -> Self {
        Self { ids, met: HashSet::new() }
    }

    /// A file of one id per line; empty lines are passed over.
    fn of_lines(path: &Path) -> Result<Self, Failure> {
        let lines = table::read_lines(path).map_err(Failure::new)?;
        Ok(Self::new(lines.into_iter().filter(|line| !line.is_empty()).collect()))
    }

    /// The column `b` of a table of pairs.
    fn of_pairs(path: &Path) -> Result<Self, Failure> {
        let reader = table::open_text(path).map_err(Failure::new)?;
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(reader);
        let name = path.display();
        let header = reader.headers().map_err(|error| Failure::new(format!("{name}: {error}")))?;
        let Some(column) = header.iter().position(|column| column == "b") else {
            let what = format!("{name}: the table has no column b");
            let hint = "planet dataset duplicates writes a table with this column";
            return Err(Failure::new(what).hint(hint));
        };
        let mut photos = HashSet::new();
        for row in reader.records() {
            let row = row.map_err(|error| Failure::new(format!("{name}: {error}")))?;
            photos.extend(row.get(column).map(str::to_owned));
        }
        Ok(Self::new(photos))
    }

    fn has(&mut self, photo: &str) -> bool {
        let has = self.ids.contains(photo);
        if has {
            self.met.insert(photo.to_owned());
        }
        has
    }

    fn absent(&self) -> usize {
        self.ids.len() - self.met.len()
    }
}

use std::{
    io::{self, Write},
    path::{self, PathBuf},
};

use clap::{Args, ValueEnum};
use planet_data::{DiskStore, Manifest, ResumeError, table::TableSource};
use planet_im2gps::{Index, IndexBuild, IndexError, IndexedPhoto, Version};

use super::failure;
use crate::{commands::problems::Problems, failure::Failure, progress::Progress};

/// `planet im2gps index M -o INDEX`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Photos with positions: a manifest (FILE or FILE:SPLIT)
    #[arg(value_name = "M")]
    photos: String,
    /// Folder that the manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Method, by the year of its publication
    #[arg(long = "version", value_enum, value_name = "YEAR", default_value_t = Method::Im2Gps2008)]
    method: Method,
    /// Seed of the random samples
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Index file to write
    #[arg(short, long, value_name = "INDEX")]
    output: PathBuf,
    /// Resume an interrupted index with the same photos and settings
    #[arg(long)]
    resume: bool,
    /// Exit with an error if any photo cannot be read
    #[arg(long)]
    strict: bool,
    /// Write a table of the photos that were skipped (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Hays and Efros 2008: tiny image, colour, textons, lines, gist and layout
    #[value(name = "2008")]
    Im2Gps2008,
    /// Hays and Efros 2014: also colour and textons of each kind of surface, and visual words
    #[value(name = "2014")]
    Im2Gps2014,
}

impl Method {
    const fn version(self) -> Version {
        match self {
            Self::Im2Gps2008 => Version::Im2Gps2008,
            Self::Im2Gps2014 => Version::Im2Gps2014,
        }
    }
}

/// Computes the descriptors of all photos with a position.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let source = TableSource::parse(&arguments.photos);
    let manifest = Manifest::load(&source, arguments.root.as_deref()).map_err(Failure::new)?;
    let photos: Vec<IndexedPhoto> = manifest
        .records
        .iter()
        .filter_map(|record| {
            let position = record.known_position()?;
            Some(IndexedPhoto { photo: record.photo.clone(), position })
        })
        .collect();
    let without = manifest.records.len() - photos.len();
    let mut problems = Problems::new(arguments.strict, arguments.problems.as_deref())?;
    let progress = Progress::new("photos");
    let build = IndexBuild {
        version: arguments.method.version(),
        root: path::absolute(&manifest.root).unwrap_or_else(|_| manifest.root.clone()),
        seed: arguments.seed,
        resume: arguments.resume,
    };
    let store = DiskStore::new(&manifest.root);
    let summary = build.run(&arguments.output, &photos, &store, &progress);
    progress.finish();
    let summary = summary.map_err(hinted)?;
    for unread in &summary.unread {
        let cure = "restore the file from a backup, or remove it from the manifest";
        problems.skip(&unread.photo, &unread.error.to_string(), cure)?;
    }
    problems.report()?;
    let index = Index::open(&arguments.output).map_err(failure)?;

    let mut out = io::stdout().lock();
    writeln!(out, "index       {}", arguments.output.display())?;
    writeln!(out, "version     {}", index.version().year())?;
    writeln!(out, "photos      {}", summary.photos)?;
    if summary.resumed > 0 {
        writeln!(out, "resumed     {}", summary.resumed)?;
    }
    writeln!(out, "unread      {}", summary.unread.len())?;
    writeln!(out, "unplaced    {without} (without a known position)")?;
    writeln!(out, "textons     {}", summary.textons)?;
    if index.version() == Version::Im2Gps2014 {
        let [coarse, fine] = summary.words;
        writeln!(out, "words       {coarse} coarse, {fine} fine")?;
    }
    writeln!(out, "memory      {:.1} kB per photo", index.bytes_per_photo() / 1e3)?;
    Ok(())
}

fn hinted(error: IndexError) -> Failure {
    let hint = match &error {
        IndexError::Cancelled => "run the same command with --resume to continue",
        IndexError::Resume(ResumeError::Interrupted { .. }) => {
            "continue with --resume, or remove this file to start again"
        }
        IndexError::Resume(ResumeError::OtherSettings { .. }) => {
            "resume with the original photos and settings, or remove this file to start again"
        }
        IndexError::Resume(ResumeError::NoSettings { .. }) => {
            "remove the .part file to start again"
        }
        IndexError::Empty => "planet dataset scan reads positions from photos",
        _ => return failure(error),
    };
    Failure::new(error).hint(hint)
}

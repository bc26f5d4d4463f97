use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet::contact_sheet;
use planet_data::{AtomicFile, DiskStore, Manifest, PhotoStore, sample, table::TableSource};

use crate::failure::Failure;

/// `planet dataset show M --sample 48 -o SHEET`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Manifest: CSV, TSV or Parquet; FILE:SPLIT selects the rows of one split
    #[arg(value_name = "M")]
    manifest: String,
    /// Number of photos to show
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=1000))]
    sample: u16,
    /// Seed that selects the photos
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Longer side of each photo on the sheet, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 160, value_parser = clap::value_parser!(u32).range(16..=640))]
    side: u32,
    /// Photos per row
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    columns: u32,
    /// Folder of the photos, if the manifest does not state it
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Image to write (.png)
    #[arg(short, long, value_name = "SHEET")]
    output: PathBuf,
}

/// Draws a contact sheet of some photos and lists them: row, column, id, position.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.output.extension().is_none_or(|ending| ending != "png") {
        return Err(Failure::usage("the name of a contact sheet must end in .png"));
    }
    let source = TableSource::parse(&arguments.manifest);
    let manifest = Manifest::load(&source, arguments.root.as_deref()).map_err(Failure::new)?;
    let chosen = sample(&manifest.records, usize::from(arguments.sample), arguments.seed);
    if chosen.is_empty() {
        return Err(Failure::new(format!("{source}: the manifest has no photos")));
    }
    let store = DiskStore::new(&manifest.root);
    let mut photos = Vec::with_capacity(chosen.len());
    let mut out = io::stdout().lock();
    for (place, &row) in chosen.iter().enumerate() {
        let record = &manifest.records[row];
        let photo = store.photo(&record.photo);
        if let Err(error) = &photo {
            writeln!(io::stderr(), "{}: {error}", record.photo)?;
        }
        photos.push((photo.ok(), record.photo.clone()));
        let columns = arguments.columns as usize;
        let (line, column) = (place / columns + 1, place % columns + 1);
        let position = record.position.map_or_else(|| "unknown".into(), |at| at.to_string());
        writeln!(out, "{line}\t{column}\t{}\t{position}", record.photo)?;
    }
    let sheet = contact_sheet(&photos, arguments.columns, arguments.side).map_err(Failure::new)?;
    AtomicFile::write_all_at(&arguments.output, &sheet).map_err(Failure::file(&arguments.output))
}

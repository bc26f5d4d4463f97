use std::{
    io::{self, Write},
    num::NonZero,
    path::PathBuf,
};

use clap::Args;
use planet::retrieval::{ClusterOptions, Index, cluster};

use crate::{failure::Failure, progress::Progress};

/// `planet retrieve cluster INDEX -o INDEX`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Index to divide
    index: PathBuf,
    /// Number of lists; by default the root of the number of vectors
    #[arg(long, value_name = "N")]
    lists: Option<NonZero<usize>>,
    /// Share of the ten nearest photos that a search is to find, above 0 and at most 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    recall: f64,
    /// Seed of the groups that are begun with
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Index file to write
    #[arg(short, long, value_name = "INDEX")]
    output: PathBuf,
}

/// Writes the index with its vectors in lists of similar ones.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let index = Index::open(&arguments.index)?;
    let Arguments { lists, recall, seed, output, .. } = arguments;
    let options = ClusterOptions { lists: *lists, recall: *recall, seed: *seed };
    let progress = Progress::new("steps");
    let divided = cluster(&index, &options, output, &progress);
    progress.finish();
    let info = divided?;
    let mut out = io::stdout().lock();
    writeln!(out, "index    {}", output.display())?;
    writeln!(out, "vectors  {}", index.info().vectors)?;
    writeln!(out, "lists    {}", info.count)?;
    writeln!(out, "read     {} lists in a search", info.probes)?;
    writeln!(out, "recall   {:.1} % of the ten nearest photos", 100.0 * info.recall)?;
    Ok(())
}

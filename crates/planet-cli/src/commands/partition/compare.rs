use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_geo::{Overlap, Partition};

use super::files;
use crate::failure::Failure;

/// `planet partition compare A B`
#[derive(Args, Debug)]
pub struct Arguments {
    /// First partition
    a: PathBuf,
    /// Second partition
    b: PathBuf,
}

/// Compares two partitions cell by cell.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (a, b) = (files::read(&arguments.a)?, files::read(&arguments.b)?);
    let (of_a, of_b) = (Overlap::of(&a, &b), Overlap::of(&b, &a));
    let photos = |partition: &Partition| -> u64 {
        partition.classes().iter().map(|class| class.photos).sum()
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{:<28}{:>14}{:>14}", "", "A", "B")?;
    let mut row = |name: &str, a: u64, b: u64| writeln!(out, "{name:<28}{a:>14}{b:>14}");
    row("classes", a.len() as u64, b.len() as u64)?;
    row("photos inside", photos(&a), photos(&b))?;
    row("cells", of_a.cells(), of_b.cells())?;
    row("  in both", of_a.same, of_b.same)?;
    row("  inside one of the other", of_a.finer, of_b.finer)?;
    row("  divided by the other", of_a.coarser, of_b.coarser)?;
    row("  outside the other", of_a.alone, of_b.alone)?;
    let verdict = if a.fingerprint() == b.fingerprint() {
        "same classes, same order, same points: a model of one can be used with the other"
    } else {
        "different: a model of one partition cannot be used with the other"
    };
    writeln!(out, "{verdict}")?;
    Ok(())
}

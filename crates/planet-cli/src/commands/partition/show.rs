use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use planet_geo::{ClassKind, Partition};
use serde::Serialize;

use super::files;
use crate::failure::Failure;

/// `planet partition show P [--json]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Partition file, in PlaNet's layout or one of three others; - is standard input
    partition: PathBuf,
    /// Print the description as JSON
    #[arg(long)]
    json: bool,
}

/// What there is to say about a partition.
#[derive(Serialize)]
struct Summary {
    scheme: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    split_above: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_more_than: Option<u64>,
    point: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    source: String,
    fingerprint: String,
    classes: usize,
    point_only: usize,
    other: usize,
    photos: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    photos_outside: Option<u64>,
    photos_median: u64,
    photos_most: u64,
    area_km2: f64,
    area_median_km2: f64,
    levels: BTreeMap<u8, Level>,
}

/// The cells of one level.
#[derive(Default, Serialize)]
struct Level {
    cells: u64,
    photos: u64,
}

/// Describes a partition.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let summary = Summary::of(&files::read(&arguments.partition)?);
    let mut out = io::stdout().lock();
    if arguments.json {
        let text = serde_json::to_string_pretty(&summary).map_err(Failure::new)?;
        writeln!(out, "{text}")?;
    } else {
        summary.print(&mut out)?;
    }
    Ok(())
}

impl Summary {
    fn of(partition: &Partition) -> Self {
        let info = partition.info();
        let classes = partition.classes();
        let count = |kind: &ClassKind| classes.iter().filter(|class| class.kind == *kind).count();
        let mut levels: BTreeMap<u8, Level> = BTreeMap::new();
        for class in classes {
            // The photos of a class of several cells are counted with its first.
            for (index, cell) in class.cells().iter().enumerate() {
                let level = levels.entry(cell.level().get()).or_default();
                level.cells += 1;
                level.photos += if index == 0 { class.photos } else { 0 };
            }
        }
        let mut photos: Vec<u64> = classes.iter().map(|class| class.photos).collect();
        photos.sort_unstable();
        let mut areas: Vec<f64> =
            classes.iter().flat_map(|class| class.cells()).map(|cell| cell.area_km2()).collect();
        areas.sort_unstable_by(f64::total_cmp);
        Self {
            scheme: info.scheme.clone(),
            split_above: info.split_above,
            keep_from: info.keep_from,
            keep_more_than: info.keep_more_than,
            point: info.point.name(),
            source: info.source.clone(),
            fingerprint: partition.fingerprint(),
            classes: classes.len(),
            point_only: count(&ClassKind::PointOnly),
            other: count(&ClassKind::Other),
            photos: photos.iter().sum(),
            photos_outside: info.photos_outside,
            photos_median: photos[photos.len() / 2],
            photos_most: photos[photos.len() - 1],
            area_km2: areas.iter().sum(),
            area_median_km2: areas.get(areas.len() / 2).copied().unwrap_or(0.0),
            levels,
        }
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "scheme          {}", self.scheme)?;
        let rules = [
            ("split above", self.split_above),
            ("keep from", self.keep_from),
            ("keep more than", self.keep_more_than),
        ];
        for (name, value) in rules {
            if let Some(value) = value {
                writeln!(out, "{name:<16}{value}")?;
            }
        }
        writeln!(out, "point           {}", self.point)?;
        if !self.source.is_empty() {
            writeln!(out, "source          {}", self.source)?;
        }
        writeln!(out, "fingerprint     {}", self.fingerprint)?;
        writeln!(out, "classes         {}", self.classes)?;
        for (name, count) in [("points only", self.point_only), ("other", self.other)] {
            if count > 0 {
                writeln!(out, "  {name:<14}{count}")?;
            }
        }
        let (median, most) = (self.photos_median, self.photos_most);
        writeln!(
            out,
            "photos inside   {} (per class: median {median}, maximum {most})",
            self.photos
        )?;
        if let Some(outside) = self.photos_outside {
            writeln!(out, "photos outside  {outside}")?;
        }
        let (area, median) = (self.area_km2, self.area_median_km2);
        let earth = 100.0 * area / EARTH_KM2;
        writeln!(out, "area            {area:.0} km² ({earth:.1} % of the earth)")?;
        writeln!(out, "median cell     {median:.1} km²")?;
        if !self.levels.is_empty() {
            writeln!(out, "\nlevel     cells      photos")?;
        }
        for (level, Level { cells, photos }) in &self.levels {
            writeln!(out, "{level:>5}{cells:>10}{photos:>12}")?;
        }
        Ok(())
    }
}

/// The sphere of 6371 km.
const EARTH_KM2: f64 =
    4.0 * std::f64::consts::PI * planet_geo::EARTH_RADIUS_KM * planet_geo::EARTH_RADIUS_KM;

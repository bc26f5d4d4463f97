use std::{
    fmt::Write as _,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use planet_data::{
    Manifest,
    table::{self, OutputFile, STANDARD_STREAM, TableSource},
};
use planet_geo::{Partition, Scale};
use planet_world::{AlbumCeiling, Ceiling, GivenPhotos, Share, World, WorldParameters};
use serde_json::{Value, json};

use super::failure;
use crate::{failure::Failure, progress::Progress};

/// `planet world ceiling DIR|M --partition P [--albums] [--json] [-o FILE]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// A world folder, or a manifest of its photos, `FILE` or `FILE:SPLIT`
    #[arg(value_name = "DIR|M")]
    photos: String,
    /// The world folder, where the manifest does not lie in it
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The partition
    #[arg(long, value_name = "P")]
    partition: PathBuf,
    /// Also what whole albums tell: forward, a step or two later, forward and backward
    #[arg(long)]
    albums: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Where to write
    #[arg(short, long, value_name = "FILE", default_value = STANDARD_STREAM)]
    output: PathBuf,
}

/// Reports the best possible accuracy on a synthetic library.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let manifest = manifest(&arguments.photos, arguments.root.as_deref())?;
    let parameters = WorldParameters::read(&manifest.root).map_err(failure)?;
    let world = World::draw(parameters).map_err(failure)?;
    let given = GivenPhotos::of(&manifest).map_err(failure)?;
    if !given.photos.iter().any(|photo| photo.scored) {
        return Err(Failure::new("there is no photo with a position"));
    }
    let partition = partition(&arguments.partition)?;
    let progress = Progress::new("photos");
    let single = Ceiling::of(&world, &partition, &given, &progress);
    progress.finish();
    let single = single.map_err(failure)?;
    let albums = match arguments.albums {
        false => Vec::new(),
        true => {
            let progress = Progress::new("albums");
            let albums = AlbumCeiling::of(&world, &partition, &given, &progress);
            progress.finish();
            albums.map_err(failure)?
        }
    };
    let report = match arguments.json {
        true => format!("{:#}\n", as_json(&partition, &single, &albums)),
        false => as_text(&partition, &given, &single, &albums),
    };
    save(&arguments.output, report.as_bytes())
}

fn save(path: &Path, report: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = OutputFile::create(path)?;
        file.write_all(report)?;
        file.finish()
    };
    write().map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::from(error),
        _ => Failure::new(format!("{}: {error}", path.display())),
    })
}

fn manifest(photos: &str, root: Option<&Path>) -> Result<Manifest, Failure> {
    let source = match Path::new(photos).is_dir() {
        true => TableSource { path: Path::new(photos).join("manifest.parquet"), split: None },
        false => TableSource::parse(photos),
    };
    Manifest::load(&source, root).map_err(Failure::new)
}

fn partition(path: &Path) -> Result<Partition, Failure> {
    let reader = table::open_text(path).map_err(Failure::new)?;
    Partition::read(reader, &path.to_string_lossy()).map_err(Failure::new)
}

fn as_text(
    partition: &Partition,
    given: &GivenPhotos,
    single: &Ceiling,
    albums: &[AlbumCeiling],
) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    let silent = given.photos.len() - single.photos;
    line(format!("photos     {} ({silent} more without a position)", single.photos));
    line(format!("non-photos {} left out", given.non_photos));
    line(format!("classes    {}", partition.len()));
    let outside = percent(single.outside as f64 / single.photos as f64);
    line(format!("outside    {} ({outside} %)", single.outside));
    line(format!("quadrature within {:.3} points", 100.0 * single.quadrature_error));
    line(String::new());
    line(header("percent of photos within"));
    for k in 0..planet_world::ANSWERS {
        line(row(
            &format!("ideal classifier, top {}", k + 1),
            single.scales.map(|s| s.ideal[k].mean),
        ));
    }
    line(row("  top 1, 95 % from", single.scales.map(|s| s.ideal[0].low)));
    line(row("  to", single.scales.map(|s| s.ideal[0].high)));
    line(row("  top 1, expected", single.scales.map(|s| s.ideal_expected)));
    line(row("upper bound, top 1", single.scales.map(|s| s.bound.mean)));
    line(row("  expected", single.scales.map(|s| s.bound_expected)));
    let (cell, expected) = (percent(single.cell.mean), percent(single.cell_expected));
    line(format!("most probable cell holds {cell} % of the photos, {expected} % expected"));
    let (loss, expected) = (single.log_loss, single.log_loss_expected);
    line(format!("log loss of the right cell {loss:.3} nats, {expected:.3} expected"));
    if !albums.is_empty() {
        line(String::new());
        line(header("ideal top 1, knowing of the album") + &format!("{:>12}", "cell"));
        for album in albums {
            let times = if album.times { ", times" } else { "" };
            let name = format!("{}{times}", album.view.name());
            let cell = format!("{:>12}", percent(album.cell.mean));
            line(row(&name, album.scales.map(|share| share.mean)) + &cell);
        }
    }
    text
}

fn header(title: &str) -> String {
    let mut header = format!("{title:<34}");
    for scale in Scale::ALL {
        let _ = write!(header, "{:>12}", scale.name());
    }
    header
}

fn row(name: &str, shares: [f64; 5]) -> String {
    let mut row = format!("{name:<34}");
    for share in shares {
        let _ = write!(row, "{:>12}", percent(share));
    }
    row
}

fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

fn as_json(partition: &Partition, single: &Ceiling, albums: &[AlbumCeiling]) -> Value {
    let share = |share: Share| json!({ "mean": share.mean, "low": share.low, "high": share.high });
    let scales: Vec<Value> = single
        .scales
        .iter()
        .map(|scale| {
            json!({
                "scale": scale.scale.name(),
                "km": scale.scale.radius().km(),
                "ideal": scale.ideal.map(share),
                "ideal_expected": scale.ideal_expected,
                "bound": share(scale.bound),
                "bound_expected": scale.bound_expected,
            })
        })
        .collect();
    let albums: Vec<Value> = albums
        .iter()
        .map(|album| {
            let scales = Scale::ALL.map(Scale::name).into_iter().map(str::to_owned);
            let by_scale: serde_json::Map<_, _> = scales.zip(album.scales.map(share)).collect();
            json!({
                "view": album.view.name(),
                "times": album.times,
                "scales": by_scale,
                "cell": share(album.cell),
                "cell_expected": album.cell_expected,
            })
        })
        .collect();
    json!({
        "photos": single.photos,
        "outside": single.outside,
        "classes": partition.len(),
        "quadrature_error": single.quadrature_error,
        "scales": scales,
        "cell": share(single.cell),
        "cell_expected": single.cell_expected,
        "log_loss": single.log_loss,
        "log_loss_expected": single.log_loss_expected,
        "albums": albums,
    })
}

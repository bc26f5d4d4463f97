use std::{
    fmt, fs,
    hint::black_box,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clap::Args;
use planet::{
    CellProbabilities, CodeModel, Engine, FeatureModel, LabelModel, ModelPackage, PackageError,
};
use planet_data::{Limits, Photo, PixelBatch, Preprocess};
use planet_engine::{Device, OnnxEngine, Signature};
use serde::{Deserialize, Serialize};

use super::maps::MapSpeed;
use crate::{
    engine_choice::{DeviceName, EngineChoice, EngineName},
    failure::Failure,
};

/// `planet engine bench MODEL [--photo PHOTO] [--explain PHOTO] [--batch N] [--seconds S]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package or ONNX file
    model: PathBuf,
    #[command(flatten)]
    choice: EngineChoice,
    /// Photos per batch for the measurement of throughput
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=512))]
    batch: u16,
    /// Duration of each measurement in seconds
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    seconds: f64,
    /// Also measure one photo from its file to its best classes (labels, code or features, where the package
    /// has these), including decoding (model packages only)
    #[arg(long, value_name = "PHOTO")]
    photo: Option<PathBuf>,
    /// Also measure occlusion maps of a photo, compared with the same number of prepared photos in
    /// batches (model packages only)
    #[arg(long, value_name = "PHOTO")]
    explain: Option<PathBuf>,
    /// Side of the photos in pixels, for models that do not state it
    #[arg(long, value_name = "PX")]
    side: Option<usize>,
    /// Measure only the selected engine, in this process, and print the results as JSON
    #[arg(long)]
    json: bool,
}

/// What one engine needs for one model.
#[derive(Debug, Serialize, Deserialize)]
struct Timing {
    engine: String,
    /// Loading the model.
    load_ms: f64,
    /// The first photo, when nothing is warm.
    first_ms: f64,
    /// One photo, the median: its pixels, or where a photo was named, its file.
    photo_ms: f64,
    /// In batches.
    photos_per_s: f64,
    /// Occlusion maps, where they were asked for.
    maps: Option<MapSpeed>,
    /// The process's greatest resident size, where the system says.
    peak_mb: Option<f64>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if arguments.json {
        let timing = measure(arguments)?;
        let text = serde_json::to_string(&timing).map_err(Failure::new)?;
        return Ok(writeln!(out, "{text}")?);
    }
    let batch = format!("photos/s, batch {}", arguments.batch);
    writeln!(
        out,
        "{:<30} {:>9} {:>10} {:>10} {:>14} {:>9}",
        "engine", "load ms", "first photo ms", "photo ms", batch, "peak MB"
    )?;
    let mut worked = false;
    for (engine, device) in candidates(&arguments.choice)? {
        match in_a_process_of_its_own(arguments, engine, &device) {
            Ok(it) => {
                worked = true;
                let peak = it.peak_mb.map_or("?".into(), |mb| format!("{mb:.0}"));
                writeln!(
                    out,
                    "{:<30} {:>9.0} {:>10.1} {:>10.1} {:>14.1} {:>9}",
                    it.engine, it.load_ms, it.first_ms, it.photo_ms, it.photos_per_s, peak
                )?;
                if let Some(maps) = it.maps {
                    writeln!(out, "  {maps}")?;
                }
            }
            Err(why) => writeln!(out, "{engine} {device}: {why}")?,
        }
    }
    if worked { Ok(()) } else { Err(Failure::new("no engine can run the model")) }
}

/// Every engine and device that is here, or the one that was asked for.
fn candidates(choice: &EngineChoice) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut all = Vec::new();
    for (engine, name) in [(EngineName::Native, "native"), (EngineName::Rten, "rten")] {
        if choice.engine == EngineName::Auto || choice.engine == engine {
            all.push((name, "cpu".to_owned()));
        }
    }
    if matches!(choice.engine, EngineName::Auto | EngineName::Onnxruntime)
        && let Some(runtime) = choice.runtime()?
    {
        let devices = runtime.devices().into_iter().filter(|device| match choice.device {
            DeviceName::Auto => !matches!(device, Device::TensorRt(_)),
            DeviceName::Only(only) => *device == only,
        });
        all.extend(devices.map(|device| ("onnxruntime", device.to_string())));
    }
    Ok(all)
}

/// A fresh process, so that one engine's memory and warm caches are not another's.
fn in_a_process_of_its_own(
    arguments: &Arguments,
    engine: &str,
    device: &str,
) -> Result<Timing, String> {
    let start = crate::START.get().and_then(|start| start.split_first());
    let (program, before) = start.ok_or("the path of the running program is unknown")?;
    let mut command = Command::new(program);
    command
        .args(before)
        .args(["engine", "bench", "--json", "--engine", engine, "--device", device]);
    command.arg(&arguments.model).stderr(Stdio::piped());
    command.args(["--batch", &arguments.batch.to_string()]);
    command.args(["--seconds", &arguments.seconds.to_string()]);
    if let Some(photo) = &arguments.photo {
        command.arg("--photo").arg(photo);
    }
    if let Some(photo) = &arguments.explain {
        command.arg("--explain").arg(photo);
    }
    if let Some(side) = arguments.side {
        command.args(["--side", &side.to_string()]);
    }
    if let Some(threads) = arguments.choice.threads {
        command.args(["--threads", &threads.to_string()]);
    }
    if let Some(library) = &arguments.choice.onnxruntime {
        command.arg("--onnxruntime").arg(library);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

fn measure(arguments: &Arguments) -> Result<Timing, Failure> {
    let began = Instant::now();
    let subject = Subject::open(&arguments.model)?;
    let mut engine = arguments.choice.open(&subject.onnx, &subject.signature)?;
    let load = began.elapsed();
    let said = engine.size().or(subject.preprocess.as_ref().map(|it| it.size));
    let size = said.or(arguments.side.map(|side| [side; 2])).ok_or_else(|| {
        Failure::usage("the model does not state the size of its input")
            .hint("state it with --side PX")
    })?;
    let ramp = pixels(1, size);
    let mut one = || match &arguments.photo {
        Some(photo) => subject.answer(&mut engine, photo),
        None => engine.run(&ramp).map(|_| ()).map_err(Failure::new),
    };
    let began = Instant::now();
    one()?;
    let first = began.elapsed();
    let mut laps = timed(one, arguments.seconds)?;
    laps.sort_unstable();

    let many = pixels(usize::from(arguments.batch), size);
    engine.run(&many).map_err(Failure::new)?;
    let batches = timed(|| engine.run(&many).map(|_| ()).map_err(Failure::new), arguments.seconds)?;
    let whole: Duration = batches.iter().sum();
    let maps = match &arguments.explain {
        None => None,
        Some(photo) => Some(MapSpeed::measure(
            &arguments.model,
            &mut engine,
            photo,
            arguments.batch.into(),
            arguments.seconds,
        )?),
    };
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Ok(Timing {
        engine: engine.name().to_owned(),
        load_ms: ms(load),
        first_ms: ms(first),
        photo_ms: ms(laps[laps.len() / 2]),
        photos_per_s: (batches.len() * many.photos()) as f64 / whole.as_secs_f64(),
        maps,
        peak_mb: peak_mb(),
    })
}

/// What is measured: a package, or a graph alone.
struct Subject {
    onnx: PathBuf,
    signature: Signature,
    /// How a package prepares photos.
    preprocess: Option<Preprocess>,
    /// Whether the scores are of classes that are places.
    has_places: bool,
}

impl Subject {
    fn open(model: &Path) -> Result<Self, Failure> {
        if !model.is_dir() {
            let (onnx, signature) = (model.to_owned(), Signature::default());
            return Ok(Self { onnx, signature, preprocess: None, has_places: false });
        }
        let mut has_places = false;
        let (onnx, signature, preprocess) = match ModelPackage::open(model) {
            Err(PackageError::NoClasses { .. }) => {
                let it = FeatureModel::open(model).map_err(Failure::new)?;
                (it.model(), Signature::of_features(), it.preprocess().clone())
            }
            Err(PackageError::NoPlaces { .. }) => {
                let it = LabelModel::open(model).map_err(Failure::new)?;
                let description = it.description();
                let signature = Signature::of_labels(description);
                (it.model(), signature, description.preprocess.clone())
            }
            Err(PackageError::OnlyCodes { .. }) => {
                let it = CodeModel::open(model).map_err(Failure::new)?;
                (it.model(), Signature::of_codes(), it.description().preprocess.clone())
            }
            package => {
                let package = package.map_err(Failure::new)?;
                has_places = true;
                let description = package.description();
                let signature = Signature::of(description);
                (package.model(), signature, description.preprocess.clone())
            }
        };
        Ok(Self { onnx, signature, preprocess: Some(preprocess), has_places })
    }

    /// From a photo's file to its five best classes, or to the other scores that the package gives.
    fn answer(&self, engine: &mut OnnxEngine, path: &Path) -> Result<(), Failure> {
        let preprocess = self.preprocess.as_ref().ok_or_else(|| {
            Failure::usage(
                "--photo requires a model package, because a package defines the preprocessing",
            )
        })?;
        let failed =
            |error: &dyn fmt::Display| Failure::new(format!("{}: {error}", path.display()));
        let bytes = fs::read(path).map_err(|error| failed(&error))?;
        let photo = Photo::decode_for(&bytes, &Limits::default(), preprocess);
        let photo = photo.map_err(|error| failed(&error))?;
        let [height, width] = preprocess.size;
        let mut batch = PixelBatch::with_capacity(1, height, width);
        batch.push(&preprocess.apply(&photo));
        let found = engine.run(&batch).map_err(Failure::new)?;
        let scores = found.logits_of(0);
        if self.has_places {
            let found = CellProbabilities::from_logits(scores, 1.0).map_err(Failure::new)?;
            black_box(found.top(5));
        }
        black_box(scores);
        Ok(())
    }
}

/// How long each of as many runs took as there is time for, three at least.
fn timed(
    mut run: impl FnMut() -> Result<(), Failure>,
    seconds: f64,
) -> Result<Vec<Duration>, Failure> {
    let mut laps = Vec::new();
    let began = Instant::now();
    while laps.len() < 3 || began.elapsed().as_secs_f64() < seconds {
        let lap = Instant::now();
        run()?;
        laps.push(lap.elapsed());
    }
    Ok(laps)
}

/// A colour ramp: what the pixels are does not matter, but zeros would be skipped by some.
pub(super) fn pixels(photos: usize, [height, width]: [usize; 2]) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(photos, height, width);
    let photo: Vec<f32> =
        (0..3 * height * width).map(|at| (at % 255) as f32 / 127.0 - 1.0).collect();
    (0..photos).for_each(|_| batch.push(&photo));
    batch
}

/// Linux keeps the greatest resident size of a process.
fn peak_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kb / 1024.0)
}

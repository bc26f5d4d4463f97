use std::{
    collections::HashMap,
    io::{self, BufRead},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet::ModelPackage;
use planet_data::{
    DiskStore, Manifest, PathStore, PhotoFacts, PhotoFormat, PhotoRecord, PhotoStore, photos_below,
    table::{self, TableSource},
};
use planet_geo::LatLng;

use crate::failure::Failure;

/// What a model is, and how to get one.
const WAYS_TO_A_MODEL: &str = "a model is a folder with a network and its cells; name it with \
     --model FOLDER. None for real photos is included. There are three ways to one:
      planet demo                          makes one from synthetic photos in minutes (demo/model)
      planet train --photos DIR -o RUN     trains one on your own photos with positions;
                                           planet export RUN -o MODEL writes it
      planet model import FILE.onnx …      imports a network of another system";

/// Photos, and the model that looks at them.
#[derive(Args, Debug)]
pub struct SourceArguments {
    #[command(flatten)]
    photos: PhotoArguments,
    /// Model package. No model for real photos is included: train one on your own photos (planet
    /// train --photos), import an ONNX classifier (planet model import), or make a model of synthetic
    /// photos (planet demo)
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
}

/// Photos.
#[derive(Args, Debug)]
pub struct PhotoArguments {
    /// Photos, folders, one manifest (FILE or FILE:SPLIT), or - to read paths from standard input
    #[arg(required = true, value_name = "PHOTO|DIR|M|-")]
    photos: Vec<String>,
    /// Folder that a manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl PhotoArguments {
    /// Finds the photos.
    pub fn gather(&self) -> Result<Sources, Failure> {
        Sources::gather(&self.photos, self.root.as_deref())
    }
}

impl SourceArguments {
    /// Finds the photos; the model's folder.
    pub fn gather(&self) -> Result<(Sources, &Path), Failure> {
        let Some(folder) = &self.model else {
            return Err(Failure::usage("no model was specified").hint(WAYS_TO_A_MODEL));
        };
        Ok((self.photos.gather()?, folder))
    }

    /// Finds the photos, then opens the model package: a wrong name is told before a large model
    /// is read.
    pub fn open(&self) -> Result<(Sources, ModelPackage), Failure> {
        let (sources, folder) = self.gather()?;
        Ok((sources, ModelPackage::open(folder).map_err(Failure::new)?))
    }
}

/// The photos that are asked for, by id, and where they can be had.
pub struct Sources {
    ids: Vec<String>,
    /// Known positions; `None` in whole where each file says its own.
    truths: Option<Vec<Option<LatLng>>>,
    store: Arc<dyn PhotoStore>,
    root: PathBuf,
}

impl Sources {
    /// Collects photos, folders and paths on standard input, or the rows of one manifest.
    pub fn gather(given: &[String], root: Option<&Path>) -> Result<Self, Failure> {
        if let [only] = given
            && is_manifest(only)
        {
            return Self::of_manifest(only, root);
        }
        let mut ids = Vec::new();
        for text in given {
            if text == "-" {
                for line in io::stdin().lock().lines() {
                    let line =
                        line.map_err(|error| Failure::new(format!("standard input: {error}")))?;
                    if !line.trim().is_empty() {
                        ids.push(line);
                    }
                }
            } else if Path::new(text).is_dir() {
                let found = photos_below(Path::new(text)).map_err(Failure::new)?;
                if found.is_empty() {
                    return Err(Failure::new(format!("no photos in {text}")));
                }
                ids.extend(found);
            } else if is_manifest(text) {
                let what = format!("{text}: a manifest cannot be combined with other photos");
                return Err(Failure::usage(what).hint("name only the manifest"));
            } else {
                check_name(text)?;
                ids.push(text.clone());
            }
        }
        if ids.is_empty() {
            return Err(Failure::new("no photos were specified"));
        }
        let store = Arc::new(PathStore);
        Ok(Self { ids, truths: None, store, root: PathBuf::new() })
    }

    fn of_manifest(text: &str, root: Option<&Path>) -> Result<Self, Failure> {
        let source = TableSource::parse(text);
        check_name(text)?;
        if !source.is_standard_input() && !source.path.exists() {
            let what = format!("{}: no such manifest", source.path.display());
            return Err(Failure::new(what).hint(HOW_TO_MAKE));
        }
        let manifest = Manifest::load(&source, root).map_err(Failure::new)?;
        if manifest.records.is_empty() {
            return Err(Failure::new(format!("{source} has no photos")));
        }
        let truths = manifest.records.iter().map(PhotoRecord::known_position).collect();
        let ids = manifest.records.into_iter().map(|record| record.photo).collect();
        let store = Arc::new(DiskStore::new(&manifest.root));
        Ok(Self { ids, truths: Some(truths), store, root: manifest.root })
    }

    /// Leaves out photos that have their answer already, so many of each id. Gives an id that
    /// is not among the photos, if there is one.
    pub fn leave_out(&mut self, mut done: HashMap<String, u64>) -> Option<String> {
        let mut is_left = |id: &String| match done.get_mut(id) {
            Some(times) if *times > 0 => {
                *times -= 1;
                false
            }
            _ => true,
        };
        self.keep(&mut is_left);
        done.into_iter().find(|(_, times)| *times > 0).map(|(id, _)| id)
    }

    /// Keeps the photos that `wanted` says yes to, asked once each, in order.
    pub fn keep(&mut self, wanted: impl FnMut(&String) -> bool) {
        let kept: Vec<bool> = self.ids.iter().map(wanted).collect();
        let mut rows = kept.iter();
        self.ids.retain(|_| *rows.next().expect("one a photo"));
        if let Some(truths) = &mut self.truths {
            let mut rows = kept.iter();
            truths.retain(|_| *rows.next().expect("one a photo"));
        }
    }

    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn store(&self) -> Arc<dyn PhotoStore> {
        Arc::clone(&self.store)
    }

    /// The folder that ids are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a photo is known to have been taken.
    pub fn truth(&self, row: usize) -> Option<LatLng> {
        match &self.truths {
            Some(truths) => truths[row],
            // A photo that cannot be read has said so already.
            None => {
                let facts = PhotoFacts::read(Path::new(&self.ids[row])).ok()?;
                facts.into_record(String::new()).known_position()
            }
        }
    }
}

const HOW_TO_MAKE: &str = "planet dataset scan FOLDER -o photos.csv creates a manifest of a folder";

/// Refuses what is no photo and will not become one, before a model is loaded for it.
fn check_name(text: &str) -> Result<(), Failure> {
    if text.contains("://") {
        let what = format!("{text}: planet does not download files");
        return Err(Failure::usage(what).hint("download the file first, and name the local file"));
    }
    let ending = Path::new(text).extension().and_then(|ending| ending.to_str());
    let is_photo = ending.is_some_and(|ending| {
        PhotoFormat::EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(ending))
    });
    // A photo that is missing among others has a line of its own that says so.
    if is_photo || is_manifest(text) || Path::new(text).exists() {
        return Ok(());
    }
    let what = format!("{text}: no such photo, folder or manifest");
    Err(Failure::new(what).hint(HOW_TO_MAKE))
}

/// Whether a name is that of a table.
fn is_manifest(text: &str) -> bool {
    table::Format::of(&TableSource::parse(text).path).is_ok()
}

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::columns::with_sources;
use crate::{Column, DataError, PhotoRecord, manifest::Draft, time};

/// Largest `json` file of a photo that is read, in bytes.
const LARGEST_JSON: u64 = 1 << 20;

/// Files of one photo that may wait for their other half; in a shard they stand side by side.
const WAITING: usize = 10_000;

/// Tar shards being read, one after the other: `key.jpg` beside `key.json`.
pub(super) struct Imported {
    shards: VecDeque<PathBuf>,
    root: PathBuf,
    ready: VecDeque<Result<PhotoRecord, DataError>>,
}

/// One shard, or every `.tar` in a folder, by name.
pub(super) fn read(path: &Path) -> Result<Imported, DataError> {
    let (root, shards) = shards(path, "tar")?;
    Ok(Imported { shards: shards.into(), root, ready: VecDeque::new() })
}

/// The root of the photos, and one shard or every file of this ending in a folder, by name.
pub(super) fn shards(path: &Path, ending: &str) -> Result<(PathBuf, Vec<PathBuf>), DataError> {
    if !std::fs::metadata(path).map_err(DataError::file(path))?.is_dir() {
        return Ok((path.parent().unwrap_or(Path::new("")).to_owned(), vec![path.to_owned()]));
    }
    let mut shards = Vec::new();
    for entry in std::fs::read_dir(path).map_err(DataError::file(path))? {
        let shard = entry.map_err(DataError::file(path))?.path();
        if shard.extension().is_some_and(|its| its.eq_ignore_ascii_case(ending)) {
            shards.push(shard);
        }
    }
    if shards.is_empty() {
        let what = format!("the folder contains no .{ending} shard");
        return Err(DataError::table(path.to_string_lossy(), what));
    }
    shards.sort();
    Ok((path.to_owned(), shards))
}

impl Iterator for Imported {
    type Item = Result<PhotoRecord, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(record);
            }
            let shard = self.shards.pop_front()?;
            let name = shard.strip_prefix(&self.root).unwrap_or(&shard).to_string_lossy();
            self.ready = read_shard(&shard, &name);
        }
    }
}

/// The halves of one photo as they come.
#[derive(Default)]
struct Halves {
    photo: Option<String>,
    facts: Option<Value>,
}

fn read_shard(path: &Path, name: &str) -> VecDeque<Result<PhotoRecord, DataError>> {
    let mut ready = VecDeque::new();
    let mut waiting: HashMap<String, Halves> = HashMap::new();
    if let Err(what) = walk(path, name, &mut waiting, &mut ready) {
        ready.push_back(Err(DataError::item(path.to_string_lossy(), what)));
    }
    // Photos without facts are photos all the same; facts without a photo are named.
    let mut rest: Vec<(String, Halves)> = waiting.into_iter().collect();
    rest.sort_by(|a, b| a.0.cmp(&b.0));
    for (key, halves) in rest {
        ready.push_back(match halves.photo {
            Some(photo) => Ok(PhotoRecord { photo, ..PhotoRecord::default() }),
            None => {
                let what = format!("{key}.json has no photo with the same key");
                Err(DataError::item(path.to_string_lossy(), what))
            }
        });
    }
    ready
}

fn walk(
    path: &Path,
    name: &str,
    waiting: &mut HashMap<String, Halves>,
    ready: &mut VecDeque<Result<PhotoRecord, DataError>>,
) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 18, file));
    let cut = |error: std::io::Error| format!("the shard is truncated or damaged ({error})");
    for entry in archive.entries().map_err(cut)? {
        let mut entry = entry.map_err(cut)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let member = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((key, ending)) = key_of(&member) else { continue };
        let halves = waiting.entry(key.to_owned()).or_default();
        match ending.to_ascii_lowercase().as_str() {
            "json" => {
                let mut text = Vec::new();
                entry.by_ref().take(LARGEST_JSON).read_to_end(&mut text).map_err(cut)?;
                halves.facts = Some(serde_json::from_slice(&text).unwrap_or(Value::Null));
            }
            "jpg" | "jpeg" | "png" | "webp" => halves.photo = Some(format!("{name}!{member}")),
            _ => {}
        }
        if let Halves { photo: Some(photo), facts: Some(facts) } = halves {
            let record = record_of_json(photo, facts);
            let file = format!("{}!{key}.json", path.to_string_lossy());
            ready.push_back(record.map_err(|what| DataError::item(file, what)));
            waiting.remove(key);
        }
        if waiting.len() > WAITING {
            return Err(format!(
                "{WAITING} files have no partner with the same key; is this a WebDataset?"
            ));
        }
    }
    Ok(())
}

/// WebDataset's rule: the key ends at the first dot of the file's name.
fn key_of(member: &str) -> Option<(&str, &str)> {
    let name = member.rfind('/').map_or(0, |slash| slash + 1);
    let dot = name + member[name..].find('.')?;
    Some((&member[..dot], member[dot..].rsplit('.').next()?))
}

fn record_of_json(photo: &str, facts: &Value) -> Result<PhotoRecord, String> {
    let Value::Object(facts) = facts else { return Err("is not a JSON object".into()) };
    let texts = facts.iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name.clone(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Some((name.clone(), value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    record(photo, texts)
}

/// A photo with what stands beside it, by the usual names.
pub(super) fn record(
    photo: &str,
    facts: impl IntoIterator<Item = (String, String)>,
) -> Result<PhotoRecord, String> {
    let mut draft = Draft::default();
    draft.put(Column::Photo, photo)?;
    for (name, text) in facts {
        match known(&name) {
            Some(Column::Time) => {
                draft.put(Column::Time, &time::from_iso(&text).unwrap_or_default())?
            }
            Some(column) => draft.put(column, &text)?,
            None => draft.keep(&name, &text),
        }
    }
    draft.finish().map(with_sources)
}

fn known(name: &str) -> Option<Column> {
    match name.to_ascii_lowercase().as_str() {
        "lat" | "latitude" => Some(Column::Lat),
        "lng" | "lon" | "long" | "longitude" => Some(Column::Lng),
        "time" | "datetime" | "date_taken" => Some(Column::Time),
        "author" | "user" | "user_id" => Some(Column::Author),
        "album" | "sequence" => Some(Column::Album),
        "country" | "country_code" => Some(Column::Country),
        "category" => Some(Column::Category),
        "camera" => Some(Column::Camera),
        "width" => Some(Column::Width),
        "height" => Some(Column::Height),
        _ => None,
    }
}

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
    time::SystemTime,
};

use planet_data::{Monitor, PhotoFacts};
use planet_geo::Distance;
use rayon::prelude::*;

use super::{
    Action, Change, ExifTool, Journal, PlannedWrite, Proposal, SkipReason, WriteError,
    image_data::image_data_hash,
    only_position::only_position_differs,
    sidecar_writer::{READ_BACK_M, change_of, is_written, remove_unfinished, writable},
};

/// Tags that exiftool writes into every EXIF block that it begins.
const MANDATORY: [&str; 5] =
    ["XResolution", "YResolution", "ResolutionUnit", "YCbCrPositioning", "ExifVersion"];
/// More that belong to a new EXIF block, or to the extended header that a WebP gets with it.
const OF_NEW_BLOCKS: [&str; 6] = [
    "ComponentsConfiguration",
    "FlashpixVersion",
    "ColorSpace",
    "ExifByteOrder",
    "ImageWidth",
    "ImageHeight",
];
/// What exiftool reports of a file's structure: which chunks a WebP has, and how much data a HEIC.
const STRUCTURE: [&str; 2] = ["WebP_Flags", "MediaDataSize"];

/// Groups that tell of the file and of exiftool itself, and that of the position.
const IGNORED_GROUPS: [&str; 4] = ["System", "File", "ExifTool", "GPS"];

/// Photos that are written before the journal is brought to the disk, for each thread.
const EACH: usize = 16;

/// Writes positions into photos themselves, through one exiftool for each processor.
///
/// exiftool works on a copy beside the photo. The copy takes the photo's place only where its
/// compressed image data has the same hash and every tag that is no position is as before.
pub struct PhotoWriter {
    root: PathBuf,
    located: Option<SystemTime>,
    program: PathBuf,
    /// Those that no thread uses now.
    free: Mutex<Vec<ExifTool>>,
}

impl PhotoWriter {
    /// For the library in a folder, whose photos were located at this time, and a running
    /// exiftool; more of the same program are started where they have work.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn new(root: &Path, located: Option<SystemTime>, exiftool: ExifTool) -> io::Result<Self> {
        let program = exiftool.program().to_owned();
        let free = Mutex::new(vec![exiftool]);
        Ok(Self { root: root.canonicalize()?, located, program, free })
    }

    /// What would become of a proposal; nothing is changed.
    pub fn plan(&self, proposal: Proposal) -> PlannedWrite {
        let action = self.action(&proposal).unwrap_or_else(Action::Skip);
        PlannedWrite { proposal, action }
    }

    fn action(&self, proposal: &Proposal) -> Result<Action, SkipReason> {
        let (photo, facts) = writable(&self.root, self.located, proposal)?;
        if is_written(&facts, proposal) {
            return Ok(Action::Written(photo));
        }
        let unreadable = |error: io::Error| SkipReason::Unreadable(error.to_string());
        let bytes = fs::read(&photo).map_err(unreadable)?;
        match image_data_hash(&bytes) {
            Some(_) => Ok(Action::Change(photo)),
            None => Err(SkipReason::Format),
        }
    }

    /// Makes the changes of a plan, each after it stands in the journal. `time` and `command` go
    /// into the journal; `on_result` hears what became of each change.
    ///
    /// # Errors
    /// As [`super::SidecarWriter::apply`].
    pub fn apply(
        &self,
        planned: &[PlannedWrite],
        journal: &mut Journal,
        (time, command): (&str, &str),
        monitor: &dyn Monitor,
        mut on_result: impl FnMut(&PlannedWrite, Result<(), WriteError>),
    ) -> Result<(), WriteError> {
        monitor.expect(planned.len() as u64);
        remove_unfinished(planned.iter().filter_map(|planned| planned.action.target()));
        for batch in planned.chunks(EACH * rayon::current_num_threads()) {
            if monitor.cancelled() {
                return Err(WriteError::Cancelled);
            }
            let kept = &*journal;
            let made: Vec<_> = batch
                .par_iter()
                .map(|planned| self.prepare(planned, kept, (time, command)))
                .collect();
            let mut begun = Vec::new();
            for (planned, made) in batch.iter().zip(made) {
                match made {
                    Ok(None) => {}
                    Ok(Some(Prepared { change, copy })) => {
                        journal.begin(&change)?;
                        begun.push((planned, change.file, copy));
                    }
                    Err(error @ WriteError::Journal(_)) => return Err(error),
                    Err(error) => on_result(planned, Err(error)),
                }
            }
            journal.sync()?;
            for (planned, photo, copy) in begun {
                let placed = copy.persist(&photo);
                let failed = |error: tempfile::PathPersistError| WriteError::File {
                    path: photo.clone(),
                    source: error.error,
                };
                on_result(planned, placed.map_err(failed));
            }
            monitor.advance(batch.len() as u64);
        }
        Ok(())
    }

    /// The change as it is to be made, its old bytes kept beside the journal; `None` where
    /// nothing is to be done.
    fn prepare(
        &self,
        planned: &PlannedWrite,
        journal: &Journal,
        about: (&str, &str),
    ) -> Result<Option<Prepared>, WriteError> {
        let Action::Change(photo) = &planned.action else { return Ok(None) };
        let failed = |source| WriteError::File { path: photo.clone(), source };
        let free = self.free.lock().ok().and_then(|mut free| free.pop());
        let mut exiftool = match free {
            Some(exiftool) => exiftool,
            None => ExifTool::start(&self.program).map_err(failed)?,
        };
        let copied = copy(&mut exiftool, photo, &planned.proposal);
        if let Ok(mut free) = self.free.lock() {
            free.push(exiftool);
        }
        let Copied { before, after, copy } = copied?;
        let bytes = (Some(before.as_slice()), after.as_slice());
        let change = change_of([&self.root, photo, photo], &planned.proposal, bytes, about);
        journal.keep(&change, Some(&before))?;
        Ok(Some(Prepared { change, copy }))
    }
}

/// A copy of the photo with the position in it, checked.
fn copy(exiftool: &mut ExifTool, photo: &Path, proposal: &Proposal) -> Result<Copied, WriteError> {
    let failed = |source| WriteError::File { path: photo.to_owned(), source };
    let before = fs::read(photo).map_err(failed)?;
    let about = fs::metadata(photo).map_err(failed)?;
    let mut suffix = OsString::from(".tmp");
    if let Some(ending) = photo.extension() {
        suffix = OsString::from(".");
        suffix.push(ending);
        suffix.push(".tmp");
    }
    let folder = photo.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let copy = builder.prefix(".planet-").suffix(&suffix).tempfile_in(folder);
    let copy = copy.map_err(failed)?.into_temp_path();
    fs::write(&copy, &before).map_err(failed)?;
    exiftool.run(arguments(proposal, &copy)).map_err(failed)?;
    let after = fs::read(&copy).map_err(failed)?;
    let changed = |what: &str| WriteError::Changed { path: photo.to_owned(), what: what.into() };
    if image_data_hash(&before) != image_data_hash(&after) {
        return Err(changed("its image data"));
    }
    // To read both files takes exiftool as long as to write one.
    if !only_position_differs(&before, &after)
        && let Some(tag) = other_tag(exiftool, photo, &copy).map_err(failed)?
    {
        return Err(changed(&format!("the tag {tag}")));
    }
    let facts = PhotoFacts::from_reader(io::Cursor::new(&after), after.len() as u64);
    let found = facts.ok().and_then(|facts| facts.position);
    let near = Distance::from_m(READ_BACK_M);
    if found.is_none_or(|found| found.distance_to(proposal.position) > near) {
        return Err(changed("not its position, which exiftool did not write"));
    }
    let file = fs::File::options().write(true).open(&copy).map_err(failed)?;
    if let Ok(modified) = about.modified() {
        file.set_modified(modified).map_err(failed)?;
    }
    fs::set_permissions(&copy, about.permissions()).map_err(failed)?;
    file.sync_data().map_err(failed)?;
    Ok(Copied { before, after, copy })
}

/// A tag that is no position and differs between a photo and its copy.
fn other_tag(exiftool: &mut ExifTool, photo: &Path, copy: &Path) -> io::Result<Option<String>> {
    // Without composite tags, and with all groups: to compute or leave them out would double the time.
    let options = ["-j", "-G1", "-a", "-s", "-n", "-b", "-e"].map(OsStr::new);
    let printed = exiftool.run(options.into_iter().chain([photo.as_os_str(), copy.as_os_str()]))?;
    let both: Vec<BTreeMap<String, serde_json::Value>> =
        serde_json::from_str(&printed).map_err(io::Error::other)?;
    let [before, after] = &both[..] else {
        return Err(io::Error::other("exiftool did not read it"));
    };
    let names: Vec<&String> = before.keys().chain(after.keys()).collect();
    let differs = |name: &&&String| {
        let (group, tag) = name.split_once(':').unwrap_or(("", name));
        // Where something stands in the file is no property of the photo.
        let is_place = ["Offset", "Offsets", "Start"].iter().any(|end| tag.ends_with(end));
        let is_new = !before.contains_key(**name);
        let belongs = MANDATORY.contains(&tag) || OF_NEW_BLOCKS.contains(&tag);
        let ignored = IGNORED_GROUPS.contains(&group)
            || is_place
            || STRUCTURE.contains(&tag)
            || tag == "SourceFile"
            || (is_new && belongs);
        !ignored && before.get(**name) != after.get(**name)
    };
    Ok(names.iter().find(differs).map(|name| (*name).clone()))
}

/// A change, and the copy that takes the photo's place.
struct Prepared {
    change: Change,
    copy: tempfile::TempPath,
}

struct Copied {
    before: Vec<u8>,
    after: Vec<u8>,
    copy: tempfile::TempPath,
}

fn arguments(proposal: &Proposal, copy: &Path) -> Vec<OsString> {
    let (lat, lng) = (proposal.position.lat(), proposal.position.lng());
    let tags = [
        ("GPSVersionID", "2.3.0.0".to_owned()),
        ("GPSLatitude", format!("{:.9}", lat.abs())),
        ("GPSLatitudeRef", if lat < 0.0 { "S" } else { "N" }.to_owned()),
        ("GPSLongitude", format!("{:.9}", lng.abs())),
        ("GPSLongitudeRef", if lng < 0.0 { "W" } else { "E" }.to_owned()),
        ("GPSMapDatum", "WGS-84".to_owned()),
        ("GPSProcessingMethod", one_line(&proposal.method())),
    ];
    let accuracy =
        proposal.accuracy_m.map(|it| ("GPSHPositioningError", format!("{:.0}", it.ceil())));
    let tags = tags.into_iter().chain(accuracy);
    let mut arguments: Vec<OsString> = vec!["-overwrite_original".into(), "-P".into()];
    arguments.extend(tags.map(|(tag, value)| format!("-EXIF:{tag}={value}").into()));
    arguments.push(copy.into());
    arguments
}

fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
    time::SystemTime,
};

use planet_data::{AtomicFile, Monitor, PhotoFacts, PositionSource, sidecar_paths};
use planet_geo::{Distance, LatLng};
use rayon::prelude::*;
use thiserror::Error;

use super::{
    Change, Journal, JournalError, Pair, Proposal, ProposalSource, SidecarError, SidecarValues,
    Tags, edit_sidecar, journal::hash,
};

/// Changes that are written down and made at once.
const BATCH: usize = 256;
/// Largest sidecar that is changed, in bytes; real ones are a few thousand.
const LARGEST: u64 = 16 << 20;
/// How far what is read back may lie from what was written, in metres.
pub(super) const READ_BACK_M: f64 = 0.02;

/// How new sidecars are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SidecarName {
    /// `photo.jpg.xmp`, as digiKam, darktable and Immich do.
    #[default]
    WithExtension,
    /// `photo.xmp`, as Lightroom and Capture One do; impossible where two files share a stem.
    Adobe,
}

/// What would become of a proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWrite {
    /// The position.
    pub proposal: Proposal,
    /// What is done.
    pub action: Action,
}

/// What is done about a photo.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A new sidecar is written here.
    Create(PathBuf),
    /// This sidecar is changed.
    Change(PathBuf),
    /// This sidecar holds exactly this already.
    Written(PathBuf),
    /// Nothing, for this reason.
    Skip(SkipReason),
}

impl Action {
    /// The sidecar that is written or changed.
    pub(super) fn target(&self) -> Option<&Path> {
        match self {
            Self::Create(target) | Self::Change(target) => Some(target),
            Self::Written(_) | Self::Skip(_) => None,
        }
    }
}

/// Why nothing is written for a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// There is no such photo below the library's folder.
    Missing,
    /// The photo or its sidecar lies outside the library: a symbolic link or `..` leads there.
    Outside,
    /// It has a position.
    Known,
    /// The photo was changed after it was located.
    Changed,
    /// The sidecar's name would be that of another file's sidecar too.
    SharedStem,
    /// Its sidecar is left alone.
    Sidecar(SidecarError),
    /// Photos of its format are not written into; a sidecar is possible.
    Format,
    /// It cannot be read.
    Unreadable(String),
}

impl SkipReason {
    /// For a table, alike for alike reasons.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing => "photo not found",
            Self::Outside => "outside the library",
            Self::Known => "has a position",
            Self::Changed => "changed since it was located",
            Self::SharedStem => "two files share its name",
            Self::Sidecar(_) => "sidecar left alone",
            Self::Format => "format without --into photos",
            Self::Unreadable(_) => "cannot be read",
        }
    }
}

/// Why a change was not made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The journal cannot be written: nothing more is changed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The sidecar cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The sidecar.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// The sidecar changed into something that is left alone.
    #[error("{}: {source}", path.display())]
    Sidecar {
        /// The sidecar.
        path: PathBuf,
        /// Why.
        source: SidecarError,
    },
    /// What is read back is not what was written; the old sidecar stands there again.
    #[error("{}: the position that is read back is another one; the change was taken back", path.display())]
    ReadBack {
        /// The sidecar.
        path: PathBuf,
    },
    /// exiftool would have changed more than the position; the photo is as it was.
    #[error("{}: writing would change {what}; the photo was left as it is", path.display())]
    Changed {
        /// The photo.
        path: PathBuf,
        /// What else would change.
        what: String,
    },
    /// The monitor ended it; what was changed so far stands in the journal.
    #[error("cancelled")]
    Cancelled,
}

/// Writes positions into the sidecars of a library.
pub struct SidecarWriter {
    root: PathBuf,
    name: SidecarName,
    /// When the photos were located; younger ones are left alone.
    located: Option<SystemTime>,
    /// By folder, how many files that are no sidecars have each stem.
    stems: Mutex<HashMap<PathBuf, HashMap<OsString, usize>>>,
}

/// A change that is ready to be made.
struct Ready {
    photo: PathBuf,
    target: PathBuf,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
    position: LatLng,
}

impl SidecarWriter {
    /// For the library in a folder, whose photos were located at this time.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn new(root: &Path, name: SidecarName, located: Option<SystemTime>) -> io::Result<Self> {
        let root = root.canonicalize()?;
        Ok(Self { root, name, located, stems: Mutex::default() })
    }

    /// What would become of a proposal; nothing is changed.
    pub fn plan(&self, proposal: Proposal) -> PlannedWrite {
        let action = self.action(&proposal).unwrap_or_else(Action::Skip);
        PlannedWrite { proposal, action }
    }

    fn action(&self, proposal: &Proposal) -> Result<Action, SkipReason> {
        let (photo, _) = writable(&self.root, self.located, proposal)?;
        let target = self.sidecar(&photo)?;
        let before = read(&target).map_err(|error| SkipReason::Unreadable(error.to_string()))?;
        if before.is_some() && !is_inside(&self.root, &target) {
            return Err(SkipReason::Outside);
        }
        let after = edit_sidecar(before.as_deref(), &values(proposal));
        let after = after.map_err(SkipReason::Sidecar)?;
        Ok(match before {
            None => Action::Create(target),
            Some(before) if before == after => Action::Written(target),
            Some(_) => Action::Change(target),
        })
    }

    /// The sidecar of a photo: one that is there, else the name of a new one.
    fn sidecar(&self, photo: &Path) -> Result<PathBuf, SkipReason> {
        let paths = sidecar_paths(photo);
        let (appended, replaced) = paths.split_at(paths.len() / 2);
        if let Some(existing) = appended.iter().find(|it| it.exists()) {
            return Ok(existing.clone());
        }
        let is_shared = self.is_shared(photo);
        if let Some(existing) = replaced.iter().find(|it| it.exists()) {
            match (is_shared, self.name) {
                (false, _) => return Ok(existing.clone()),
                (true, SidecarName::Adobe) => return Err(SkipReason::SharedStem),
                // It may be another file's: this photo gets one of its own.
                (true, SidecarName::WithExtension) => {}
            }
        }
        match (self.name, is_shared) {
            (SidecarName::WithExtension, _) => Ok(appended[0].clone()),
            (SidecarName::Adobe, false) => Ok(replaced[0].clone()),
            (SidecarName::Adobe, true) => Err(SkipReason::SharedStem),
        }
    }

    /// Whether another file that is no sidecar has the photo's stem.
    fn is_shared(&self, photo: &Path) -> bool {
        let (Some(folder), Some(stem)) = (photo.parent(), photo.file_stem()) else { return false };
        let Ok(mut stems) = self.stems.lock() else { return true };
        let counts = stems.entry(folder.to_owned()).or_insert_with(|| count_stems(folder));
        counts.get(stem).is_some_and(|files| *files > 1)
    }

    /// Makes the changes of a plan, each after it stands in the journal. `time` and `command` go
    /// into the journal; `on_result` hears what became of each change.
    ///
    /// # Errors
    /// The journal cannot be written, or the monitor ended it; what was changed until then stands
    /// in the journal, and the same call goes on from there.
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
        for batch in planned.chunks(BATCH) {
            if monitor.cancelled() {
                return Err(WriteError::Cancelled);
            }
            let ready: Vec<_> = batch.par_iter().map(|planned| self.ready(planned)).collect();
            let mut begun = Vec::new();
            for (planned, ready) in batch.iter().zip(ready) {
                match ready {
                    Ok(None) => {}
                    Ok(Some(ready)) => {
                        let Ready { photo, target, before, after, .. } = &ready;
                        let bytes = (before.as_deref(), after.as_slice());
                        let files = [self.root.as_path(), photo, target];
                        let change = change_of(files, &planned.proposal, bytes, (time, command));
                        journal.keep(&change, before.as_deref())?;
                        journal.begin(&change)?;
                        begun.push((planned, ready));
                    }
                    Err(error) => on_result(planned, Err(error)),
                }
            }
            journal.sync()?;
            let made: Vec<_> = begun.par_iter().map(|(_, ready)| ready.make()).collect();
            for ((planned, _), result) in begun.into_iter().zip(made) {
                on_result(planned, result);
            }
            monitor.advance(batch.len() as u64);
        }
        Ok(())
    }

    /// A change as it is to be made now; `None` where nothing is to be done.
    fn ready(&self, planned: &PlannedWrite) -> Result<Option<Ready>, WriteError> {
        let Some(target) = planned.action.target() else { return Ok(None) };
        let target = target.to_owned();
        let before =
            read(&target).map_err(|source| WriteError::File { path: target.clone(), source })?;
        let after = edit_sidecar(before.as_deref(), &values(&planned.proposal));
        let after = after.map_err(|source| WriteError::Sidecar { path: target.clone(), source })?;
        if before.as_ref() == Some(&after) {
            return Ok(None);
        }
        let photo = self.root.join(&planned.proposal.photo);
        let position = planned.proposal.position;
        Ok(Some(Ready { photo, target, before, after, position }))
    }
}

impl Ready {
    /// Puts the new sidecar in its place and reads it back.
    fn make(&self) -> Result<(), WriteError> {
        let failed = |source| WriteError::File { path: self.target.clone(), source };
        let permissions = fs::metadata(&self.target).ok().map(|about| about.permissions());
        AtomicFile::write_all_at(&self.target, &self.after).map_err(failed)?;
        if let Some(permissions) = permissions {
            fs::set_permissions(&self.target, permissions).map_err(failed)?;
        }
        let found = PhotoFacts::read(&self.photo).ok().and_then(|facts| facts.position);
        let near = Distance::from_m(READ_BACK_M);
        if found.is_some_and(|found| found.distance_to(self.position) <= near) {
            return Ok(());
        }
        match &self.before {
            Some(before) => AtomicFile::write_all_at(&self.target, before).map_err(failed)?,
            None => fs::remove_file(&self.target).map_err(failed)?,
        }
        Err(WriteError::ReadBack { path: self.target.clone() })
    }
}

fn is_inside(root: &Path, path: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path.starts_with(root))
}

/// A photo that may be written to, and its metadata: it lies in the library, has not changed since
/// it was located, and has no position but an estimate, Takeout's where that is to be written, or
/// the one that is proposed.
pub(super) fn writable(
    root: &Path,
    located: Option<SystemTime>,
    proposal: &Proposal,
) -> Result<(PathBuf, PhotoFacts), SkipReason> {
    let photo = root.join(&proposal.photo);
    let about = fs::metadata(&photo).map_err(|_| SkipReason::Missing)?;
    if !is_inside(root, &photo) {
        return Err(SkipReason::Outside);
    }
    let changed = about.modified().ok().zip(located);
    if changed.is_some_and(|(changed, located)| changed > located) {
        return Err(SkipReason::Changed);
    }
    let facts = PhotoFacts::read(&photo);
    let facts = facts.map_err(|error| SkipReason::Unreadable(error.to_string()))?;
    let is_free = match facts.position_source {
        None | Some(PositionSource::Estimate) => true,
        Some(PositionSource::Takeout) => proposal.source == ProposalSource::Takeout,
        _ => is_written(&facts, proposal),
    };
    if is_free { Ok((photo, facts)) } else { Err(SkipReason::Known) }
}

/// Whether a photo states the position of a proposal already.
pub(super) fn is_written(facts: &PhotoFacts, proposal: &Proposal) -> bool {
    let near = Distance::from_m(READ_BACK_M);
    let is_there = facts.position.is_some_and(|it| it.distance_to(proposal.position) <= near);
    is_there && facts.processing_method.as_ref() == Some(&proposal.method())
}

/// The change of a library's file, for the journal: `[library, photo, file]`, its bytes before and
/// after, when and by which command.
pub(super) fn change_of(
    [root, photo, file]: [&Path; 3],
    proposal: &Proposal,
    (before, after): (Option<&[u8]>, &[u8]),
    (time, command): (&str, &str),
) -> Change {
    Change {
        file: file.to_owned(),
        root: Some(root.to_owned()),
        tags: Pair { before: tags_before(photo), after: Some(tags_after(proposal)) },
        hash: Pair { before: before.map(hash), after: Some(hash(after)) },
        modified_ns: before.and_then(|_| modified_ns(file)),
        time: time.to_owned(),
        command: command.to_owned(),
    }
}

/// When a file was last modified, in nanoseconds since 1970.
fn modified_ns(file: &Path) -> Option<u64> {
    let modified = fs::metadata(file).and_then(|about| about.modified()).ok()?;
    modified.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos().try_into().ok()
}

/// The position that a photo states now.
fn tags_before(photo: &Path) -> Option<Tags> {
    let facts = PhotoFacts::read(photo).ok()?;
    let position = facts.position?;
    Some(Tags {
        lat: position.lat(),
        lng: position.lng(),
        accuracy_m: facts.accuracy_m,
        method: facts.processing_method,
    })
}

/// What it says once the proposal is written.
fn tags_after(proposal: &Proposal) -> Tags {
    Tags {
        lat: proposal.position.lat(),
        lng: proposal.position.lng(),
        accuracy_m: proposal.accuracy_m,
        method: Some(proposal.method()),
    }
}

fn values(proposal: &Proposal) -> SidecarValues {
    SidecarValues {
        position: proposal.position,
        accuracy_m: proposal.accuracy_m,
        method: proposal.method(),
        keywords: proposal.source == ProposalSource::Estimate,
        names: proposal.names.clone(),
    }
}

/// A file's bytes; `None` where there is none.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(about) if about.len() > LARGEST => {
            Err(io::Error::other(format!("larger than {} MiB", LARGEST >> 20)))
        }
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes what a process that was killed left half written beside these files. The library is
/// locked, so that no other process is writing.
pub(super) fn remove_unfinished<'p>(files: impl Iterator<Item = &'p Path>) {
    let folders: HashSet<&Path> = files.filter_map(Path::parent).collect();
    for entry in folders.into_iter().filter_map(|it| fs::read_dir(it).ok()).flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && name.starts_with(".planet-") && name.ends_with(".tmp") {
            // A file that stays does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn count_stems(folder: &Path) -> HashMap<OsString, usize> {
    let mut counts = HashMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = PathBuf::from(entry.file_name());
        let is_sidecar = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("xmp"));
        if let Some(stem) = path.file_stem().map(OsStr::to_owned).filter(|_| !is_sidecar) {
            *counts.entry(stem).or_insert(0) += 1;
        }
    }
    counts
}

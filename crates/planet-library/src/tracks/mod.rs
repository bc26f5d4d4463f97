//! Tracks: a person's positions as their GPS receiver or telephone recorded them.
//!
//! | format | file |
//! |---|---|
//! | GPX 1.0 and 1.1 | `.gpx`: track points, route points and waypoints with a time |
//! | Google's location history | `Records.json`, a month's `timelineObjects`, Android's `semanticSegments` and `rawSignals`, an iPhone's array |
//! | KML | `.kml`: `gx:Track`, placemarks with a time or a time span |
//! | GeoJSON | `.json`, `.geojson`: lines with `coordTimes` or `times`, points with a `time` |

mod collect;
mod json;
mod position;
mod time;
mod xml;

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use planet_geo::LatLng;
use walkdir::WalkDir;

use collect::Collector;
pub use position::{TrackLimits, TrackPosition};

/// Endings of files that a folder of tracks is searched for.
const ENDINGS: [&str; 4] = ["gpx", "kml", "json", "geojson"];

/// One recorded position.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fix {
    /// Seconds since 1970-01-01T00:00:00Z.
    time: i64,
    /// Ten-millionths of a degree, about a centimetre.
    lat: i32,
    lng: i32,
    /// Metres.
    accuracy: f32,
}

impl Fix {
    fn position(&self) -> LatLng {
        LatLng::new(f64::from(self.lat) / 1e7, f64::from(self.lng) / 1e7).expect("checked")
    }

    fn accuracy(&self) -> f64 {
        f64::from(self.accuracy)
    }
}

/// A stay at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Visit {
    /// The place; its time is when the stay began.
    place: Fix,
    /// When it ended.
    until: i64,
}

/// What tracks contained, and what of it was not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackCounts {
    /// Files that were read.
    pub files: u64,
    /// JSON files of a folder that are no tracks.
    pub other_files: u64,
    /// XML files that end too early, as after a loss of power; what stands in them was read.
    pub truncated: u64,
    /// Positions with a time.
    pub fixes: u64,
    /// Stays at a place.
    pub visits: u64,
    /// Points without a time before the year 10,000, or without coordinates: passed over.
    pub incomplete: u64,
    /// Times before GPS began, such as 1970: passed over.
    pub before_gps: u64,
    /// Positions at 0, 0: passed over.
    pub null_island: u64,
    /// Positions outside the valid range: passed over.
    pub off_earth: u64,
    /// Positions with an error above 100 km: passed over.
    pub inaccurate: u64,
    /// Positions that cannot be reached and left in the time between their neighbours: not used.
    pub jumps: u64,
    /// Times without a zone: read as UTC.
    pub without_zone: u64,
}

impl fmt::Display for TrackCounts {
    /// `files 2, positions 31200, visits 14; ignored: 3 at 0, 0, 1 with a time before 1980`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "files {}, positions {}, visits {}", self.files, self.fixes, self.visits)?;
        if self.other_files > 0 {
            write!(f, ", other JSON files {}", self.other_files)?;
        }
        let rest = [
            (self.incomplete, "without a time or coordinates"),
            (self.before_gps, "with a time before 1980"),
            (self.null_island, "at 0, 0"),
            (self.off_earth, "outside the valid range"),
            (self.inaccurate, "with an error above 100 km"),
            (self.jumps, "that cannot be reached in the time"),
        ];
        let mut separator = "; ignored: ";
        for (count, what) in rest.into_iter().filter(|it| it.0 > 0) {
            write!(f, "{separator}{count} {what}")?;
            separator = ", ";
        }
        if self.truncated > 0 {
            write!(f, "; files that end too early: {}", self.truncated)?;
        }
        if self.without_zone > 0 {
            write!(f, "; times without a zone, read as UTC: {}", self.without_zone)?;
        }
        Ok(())
    }
}

/// Why tracks cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is no track.
    #[error("{}: {what}", .path.display())]
    Other {
        /// Which.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// A damaged file.
    #[error("{}: {what}", .path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A folder without a track.
    #[error("{}: holds no file of the types {}", .path.display(), ENDINGS.join(", "))]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

/// A person's recorded positions and stays in order of time.
///
/// ```
/// use planet_library::{TrackLimits, Tracks};
///
/// let gpx = r#"<gpx><trk><trkseg>
///     <trkpt lat="48.0" lon="11.0"><time>2024-05-01T10:00:00Z</time></trkpt>
///     <trkpt lat="48.0" lon="11.02"><time>2024-05-01T10:10:00Z</time></trkpt>
/// </trkseg></trk></gpx>"#;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("walk.gpx");
/// std::fs::write(&path, gpx)?;
/// let tracks = Tracks::read(&[path])?;
/// // 10:05:00.
/// let found = tracks.at(1_714_557_900, TrackLimits::default()).expect("within ten minutes");
/// assert!((found.position.lng() - 11.01).abs() < 1e-4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Tracks {
    fixes: Vec<Fix>,
    visits: Vec<Visit>,
    /// Longest stay in seconds: no visit that began earlier can reach a time.
    longest_visit: i64,
    counts: TrackCounts,
}

impl Tracks {
    /// Reads files, and every track below folders. Files are streamed: memory is taken for
    /// positions at least five seconds apart, 24 bytes each.
    ///
    /// # Errors
    /// A file or folder that cannot be read; a file that is no track or is damaged. Below a folder,
    /// JSON files that are no tracks are counted and passed over.
    pub fn read(paths: &[PathBuf]) -> Result<Self, TrackError> {
        let mut collector = Collector::default();
        for path in paths {
            match path.is_dir() {
                true => read_folder(path, &mut collector)?,
                false => read_file(path, &mut collector)?,
            }
        }
        Ok(Self::of(collector))
    }

    fn of(collector: Collector) -> Self {
        let Collector { mut fixes, mut visits, mut counts } = collector;
        // Of several at one time the most accurate stays.
        fixes.sort_unstable_by(|a, b| a.time.cmp(&b.time).then(a.accuracy.total_cmp(&b.accuracy)));
        fixes.dedup_by_key(|fix| fix.time);
        counts.jumps = position::without_jumps(&mut fixes);
        visits.sort_unstable_by_key(|visit| visit.place.time);
        let longest_visit = visits.iter().map(|it| it.until - it.place.time).max().unwrap_or(0);
        Self { fixes, visits, longest_visit, counts }
    }

    /// What was read, and what of it was not used.
    pub fn counts(&self) -> &TrackCounts {
        &self.counts
    }

    /// Whether there is neither a position nor a stay.
    pub fn is_empty(&self) -> bool {
        self.fixes.is_empty() && self.visits.is_empty()
    }
}

/// Why a file's content is not taken, in words.
enum Refused {
    /// It is no track.
    Other(String),
    /// It is damaged; what stood before the damage was taken.
    Damaged(String),
}

fn read_folder(folder: &Path, collector: &mut Collector) -> Result<(), TrackError> {
    let before = collector.counts.files;
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| TrackError::File {
            path: error.path().unwrap_or(folder).to_owned(),
            source: error.into(),
        })?;
        let ending = entry.path().extension().and_then(|it| it.to_str()).unwrap_or_default();
        let ending = ending.to_ascii_lowercase();
        if !entry.file_type().is_file() || !ENDINGS.contains(&ending.as_str()) {
            continue;
        }
        match read_file(entry.path(), collector) {
            // An export holds many other files of JSON, such as those beside photos.
            Err(TrackError::Other { .. }) if ending.ends_with("json") => {
                collector.counts.other_files += 1;
            }
            read => read?,
        }
    }
    match collector.counts.files == before {
        true => Err(TrackError::Empty { path: folder.to_owned() }),
        false => Ok(()),
    }
}

fn read_file(path: &Path, collector: &mut Collector) -> Result<(), TrackError> {
    let file = |source| TrackError::File { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(1 << 16, File::open(path).map_err(file)?);
    let read = match first_character(&mut input).map_err(file)? {
        Some(b'<') => xml::read(input, collector),
        Some(b'{' | b'[') => json::read(input, collector),
        Some(_) => Err(Refused::Other("is neither XML nor JSON".to_owned())),
        None => Err(Refused::Other("is empty".to_owned())),
    };
    let path = path.to_owned();
    read.map_err(|refused| match refused {
        Refused::Other(what) => TrackError::Other { path, what },
        Refused::Damaged(what) => TrackError::Damaged { path, what },
    })?;
    collector.counts.files += 1;
    Ok(())
}

/// The first character that is no space, without taking it; a byte order mark is taken.
fn first_character(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = input.fill_buf()?;
        let mark = b"\xEF\xBB\xBF";
        let skipped = match bytes.strip_prefix(mark) {
            Some(_) => mark.len(),
            None => match bytes.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(0) => return Ok(Some(bytes[0])),
                Some(at) => at,
                None if bytes.is_empty() => return Ok(None),
                None => bytes.len(),
            },
        };
        input.consume(skipped);
    }
}

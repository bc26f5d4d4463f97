use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader, ErrorKind, Read, Seek},
    path::{Path, PathBuf},
};

use planet_geo::LatLng;

use super::{
    PhotoError, PhotoFormat,
    exif::Block,
    headers::Headers,
    note::{Note, Problem},
    orientation::Orientation,
    tags::Tags,
    takeout, xmp,
};
use crate::{PhotoRecord, PositionSource, TimeSource};

/// Positions of two sources that are farther apart than this say two different places: cameras
/// and programs round to less.
const SAME_PLACE_KM: f64 = 1.0;

/// Endings of sidecars. Where a disk tells cases apart, some programs write the upper one.
const SIDECAR_ENDINGS: [&str; 3] = ["xmp", "XMP", "Xmp"];

/// Largest sidecar that is read, in bytes; real ones are a few thousand.
const LARGEST_SIDECAR: u64 = 4 << 20;

/// A photo's metadata, from its headers and its sidecars alone: no pixel is decoded.
///
/// The XMP sidecar wins over EXIF, EXIF over XMP inside the file, and the file over the JSON that
/// Google Takeout writes beside it; but a position that is marked as an estimate is taken only
/// where no other is. What was found and not used stands in `notes`, also
/// a position that lost to another one more than 1 km away. XMP inside GIF, HEIC and AVIF is not
/// read.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoFacts {
    /// Format of the file.
    pub format: PhotoFormat,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Where it was taken.
    pub position: Option<LatLng>,
    /// Where the position was found.
    pub position_source: Option<PositionSource>,
    /// Error of the position in metres, as its source states it.
    pub accuracy_m: Option<f64>,
    /// How the position was found (GPS, network, or an estimate), as its source states it.
    pub processing_method: Option<String>,
    /// When it was taken, ISO 8601; without a zone where none is known.
    pub time: Option<String>,
    /// Where the time was found.
    pub time_source: Option<TimeSource>,
    /// Camera's make and model.
    pub camera: Option<String>,
    /// The author or creator that the file names.
    pub author: Option<String>,
    /// Values that were found, are invalid or contradictory, and are ignored.
    pub notes: Vec<Note>,
}

impl PhotoFacts {
    /// Reads the headers of a photo on disk and the sidecar beside it: `photo.jpg.xmp`
    /// (digiKam, darktable, Immich) before `photo.xmp` (Lightroom, Capture One), and Google
    /// Takeout's `photo.jpg.json` under each of its names.
    ///
    /// # Errors
    /// The file cannot be read, is empty or no photo, or ends before its size is told.
    pub fn read(path: &Path) -> Result<Self, PhotoError> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let reader = BufReader::with_capacity(16 << 10, file);
        let mut facts = Self::of(reader, bytes, first_of(&sidecar_paths(path)))?;
        match first_of(&takeout::sidecars(path)) {
            Some(Ok(json)) => facts.take(takeout::read(&json), PositionSource::Takeout),
            Some(Err(problem)) => facts.note(problem, PositionSource::Takeout),
            None => {}
        }
        Ok(facts)
    }

    /// Reads the headers of a photo in memory or within a shard, `bytes` long.
    ///
    /// # Errors
    /// As [`PhotoFacts::read`].
    pub fn from_reader(reader: impl BufRead + Seek, bytes: u64) -> Result<Self, PhotoError> {
        Self::of(reader, bytes, None)
    }

    fn of(
        reader: impl BufRead + Seek,
        bytes: u64,
        sidecar: Option<Result<Vec<u8>, Problem>>,
    ) -> Result<Self, PhotoError> {
        let headers = Headers::read(reader)?;
        let mut facts = Self::bare(&headers, bytes);
        match sidecar {
            Some(Ok(packet)) => facts.take(xmp::read(&packet), PositionSource::Sidecar),
            Some(Err(problem)) => facts.note(problem, PositionSource::Sidecar),
            None => {}
        }
        match headers.exif.map(Block::parse) {
            Some(Ok(block)) => {
                let turn = match headers.format {
                    // These turn their own pixels; their size is upright already.
                    PhotoFormat::Heic | PhotoFormat::Avif => Orientation::default(),
                    _ => block.orientation(),
                };
                (facts.width, facts.height) = turn.upright(headers.width, headers.height);
                facts.take(block.tags(), PositionSource::Exif);
            }
            Some(Err(problem)) => facts.note(problem, PositionSource::Exif),
            None => {}
        }
        // Their orientation does not count, as the decoder does not know them.
        for block in headers.more_exif {
            match Block::parse(block) {
                Ok(block) => facts.take(block.tags(), PositionSource::Exif),
                Err(problem) => facts.note(problem, PositionSource::Exif),
            }
        }
        for packet in headers.xmp {
            let mut tags = xmp::read(&packet);
            // Room that a program left for others to write into is nothing to complain of.
            tags.problems.retain(|problem| *problem != Problem::NoXmp);
            facts.take(tags, PositionSource::Xmp);
        }
        Ok(facts)
    }

    fn bare(headers: &Headers, bytes: u64) -> Self {
        let damaged = |reason: &String| Note {
            found_in: PositionSource::Exif,
            problem: Problem::Damaged(reason.clone()),
        };
        Self {
            format: headers.format,
            width: headers.width,
            height: headers.height,
            bytes,
            position: None,
            position_source: None,
            accuracy_m: None,
            processing_method: None,
            time: None,
            time_source: None,
            camera: None,
            author: None,
            notes: headers.skipped.iter().map(damaged).collect(),
        }
    }

    /// Takes from this source whatever no earlier one had.
    fn take(&mut self, tags: Tags, source: PositionSource) {
        // An estimate never hides a measured position, wherever the two stand.
        let is_estimate = tags.is_estimate();
        let has_estimate = self.position_source == Some(PositionSource::Estimate);
        let is_better = self.position.is_none() || (has_estimate && !is_estimate);
        if let (Some(own), Some(taken), Some(position)) =
            (self.position, self.position_source, tags.position)
            && !is_better
            && !is_estimate
        {
            let km = own.distance_to(position).km();
            if km > SAME_PLACE_KM {
                self.note(Problem::Elsewhere { position, taken, km }, source);
            }
        }
        if is_better && tags.position.is_some() {
            self.position = tags.position;
            self.position_source =
                Some(if is_estimate { PositionSource::Estimate } else { source });
            self.accuracy_m = tags.accuracy_m;
            self.processing_method = tags.method;
        }
        if self.time.is_none() && tags.time.is_some() {
            self.time = tags.time;
            self.time_source = Some(source);
        }
        self.camera = self.camera.take().or(tags.camera);
        self.author = self.author.take().or(tags.author);
        for problem in tags.problems {
            self.note(problem, source);
        }
    }

    fn note(&mut self, problem: Problem, source: PositionSource) {
        self.notes.push(Note { found_in: source, problem });
    }

    /// A manifest's row for the photo of this id.
    pub fn into_record(self, photo: String) -> PhotoRecord {
        PhotoRecord {
            photo,
            position: self.position,
            time: self.time,
            author: self.author,
            camera: self.camera,
            width: Some(self.width),
            height: Some(self.height),
            bytes: Some(self.bytes),
            accuracy_m: self.accuracy_m,
            position_source: self.position_source,
            time_source: self.time_source,
            ..PhotoRecord::default()
        }
    }
}

/// Where a photo's XMP sidecar may be, in the order in which the files are taken: the first three
/// names have the photo's extension (`photo.jpg.xmp`), the last three replace it (`photo.xmp`).
pub fn sidecar_paths(photo: &Path) -> [PathBuf; 6] {
    let appended = SIDECAR_ENDINGS.map(|ending| {
        let mut name = OsString::from(photo);
        name.push(".");
        name.push(ending);
        PathBuf::from(name)
    });
    let [a, b, c] = appended;
    let [d, e, f] = SIDECAR_ENDINGS.map(|ending| photo.with_extension(ending));
    [a, b, c, d, e, f]
}

/// The bytes of the first of these files that is there.
fn first_of(paths: &[PathBuf]) -> Option<Result<Vec<u8>, Problem>> {
    paths.iter().find_map(|path| match File::open(path) {
        Ok(file) => {
            let mut packet = Vec::new();
            let read = file.take(LARGEST_SIDECAR).read_to_end(&mut packet);
            Some(read.map(|_| packet).map_err(|error| Problem::Damaged(error.to_string())))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidFilename) => {
            None
        }
        Err(error) => Some(Err(Problem::Damaged(error.to_string()))),
    })
}

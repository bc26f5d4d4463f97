use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    path::{Path, PathBuf},
};

use crate::photo::takeout;

/// A kind of file that a scan of photos passes over, told by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A video of its own.
    Video,
    /// The moving part of a photo that stands beside it under the same name.
    LivePhoto,
    /// What a camera's sensor saw, which has to be developed first.
    Raw,
    /// JPEG XL.
    JpegXl,
    /// A picture in a format that is not read.
    OtherPicture,
    /// JSON, such as Google Takeout writes; beside a photo it is read with it.
    Json,
    /// An XMP file; beside a photo it is read with it.
    Sidecar,
    /// Anything else.
    Other,
}

const VIDEOS: &[&str] = &[
    "mp4", "mov", "m4v", "avi", "mkv", "webm", "3gp", "3g2", "mts", "m2ts", "mpg", "mpeg", "wmv",
    "flv", "vob", "mp", "mxf", "insv", "lrv", "360", "ogv", "asf", "dv", "mod",
];
const RAWS: &[&str] = &[
    "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "srw", "raf", "orf", "ori",
    "rw2", "rwl", "raw", "pef", "3fr", "fff", "iiq", "x3f", "mrw", "kdc", "dcr", "dcs", "erf",
    "mef", "mos", "gpr", "cap", "eip", "bay", "insp",
];
const PICTURES: &[&str] = &[
    "bmp", "psd", "psb", "svg", "jp2", "j2k", "jpx", "jpf", "jxr", "hdp", "wdp", "ico", "tga",
    "exr", "hdr", "pbm", "pgm", "ppm", "pnm", "pcx", "xcf", "ai", "eps", "qoi", "mpo", "jps",
    "apng", "dcm", "fits", "kra", "afphoto",
];

impl FileKind {
    /// The kind that a file's ending stands for.
    pub fn of(path: &Path) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let ending = ending.to_ascii_lowercase();
        let is_one_of = |endings: &[&str]| endings.contains(&ending.as_str());
        match ending.as_str() {
            "jxl" => Self::JpegXl,
            "json" => Self::Json,
            "xmp" => Self::Sidecar,
            _ if is_one_of(VIDEOS) => Self::Video,
            _ if is_one_of(RAWS) => Self::Raw,
            _ if is_one_of(PICTURES) => Self::OtherPicture,
            _ => Self::Other,
        }
    }

    /// What so many files of this kind are called.
    const fn noun(self, one: bool) -> &'static str {
        match (self, one) {
            (Self::Video, true) => "video",
            (Self::Video, false) => "videos",
            (Self::LivePhoto, true) => "video of a Live Photo",
            (Self::LivePhoto, false) => "videos of Live Photos",
            (Self::Raw, true) => "RAW file",
            (Self::Raw, false) => "RAW files",
            (Self::JpegXl, true) => "JPEG XL file",
            (Self::JpegXl, false) => "JPEG XL files",
            (Self::OtherPicture, true) => "image in an unsupported format",
            (Self::OtherPicture, false) => "images in unsupported formats",
            (Self::Json, true) => "JSON file",
            (Self::Json, false) => "JSON files",
            (Self::Sidecar, true) => "sidecar without a photo",
            (Self::Sidecar, false) => "sidecars without a photo",
            (Self::Other, true) => "other file",
            (Self::Other, false) => "other files",
        }
    }
}

/// How many files of each kind a scan of photos passed over. Hidden files and folders, and the
/// thumbnails of other programs, are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    counts: BTreeMap<FileKind, u64>,
    /// Sidecars that stand beside a photo, and were read with it.
    sidecars: u64,
}

impl LeftOut {
    /// How many of this kind.
    pub fn of(&self, kind: FileKind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// How many in all. Sidecars that were read are none of them.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Sidecars that stand beside a photo, and were read with it.
    pub fn sidecars(&self) -> u64 {
        self.sidecars
    }

    fn add(&mut self, kind: FileKind) {
        *self.counts.entry(kind).or_default() += 1;
    }
}

impl fmt::Display for LeftOut {
    /// `312 videos, 40 RAW files and 1 JSON file`; empty where there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.counts.len().saturating_sub(1);
        for (place, (kind, &count)) in self.counts.iter().enumerate() {
            let between = match place {
                0 => "",
                _ if place == last => " and ",
                _ => ", ",
            };
            write!(f, "{between}{count} {}", kind.noun(count == 1))?;
        }
        Ok(())
    }
}

/// The files beside photos, gathered on the way through the folders.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    left_out: LeftOut,
    /// What belongs to a photo of the same name, if there is one.
    videos: Vec<PathBuf>,
    sidecars: Vec<PathBuf>,
    json: HashSet<PathBuf>,
}

impl Beside {
    pub(crate) fn add(&mut self, path: &Path) {
        match FileKind::of(path) {
            FileKind::Video => self.videos.push(path.to_owned()),
            FileKind::Sidecar => self.sidecars.push(path.to_owned()),
            FileKind::Json => {
                self.json.insert(path.to_owned());
            }
            kind => self.left_out.add(kind),
        }
    }

    /// The counts, once all photos are known.
    pub(crate) fn count(mut self, photos: &HashSet<PathBuf>) -> LeftOut {
        let stems: HashSet<PathBuf> = photos.iter().map(|photo| photo.with_extension("")).collect();
        for video in self.videos {
            let is_live = stems.contains(&video.with_extension(""));
            self.left_out.add(if is_live { FileKind::LivePhoto } else { FileKind::Video });
        }
        for sidecar in self.sidecars {
            // `a.jpg.xmp` or `a.xmp`.
            let bare = sidecar.with_extension("");
            match photos.contains(&bare) || stems.contains(&bare) {
                true => self.left_out.sidecars += 1,
                false => self.left_out.add(FileKind::Sidecar),
            }
        }
        for photo in photos {
            let own = takeout::sidecars(photo);
            if own.iter().any(|path| self.json.remove(path)) {
                self.left_out.sidecars += 1;
            }
        }
        self.json.iter().for_each(|_| self.left_out.add(FileKind::Json));
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn videos_and_sidecars_of_photos_are_told_from_others() {
        let photos = ["d/IMG_1.HEIC", "d/a.jpg"].map(PathBuf::from).into();
        let mut beside = Beside::default();
        let files = [
            "d/IMG_1.MOV",
            "e/IMG_1.MOV",
            "d/a.jpg.xmp",
            "d/a.XMP",
            "d/b.xmp",
            "d/a.CR2",
            "d/a.jpg.supplemental-metadata.json",
            "d/metadata.json",
            "x.jxl",
            "Thumbs.db",
            "README",
        ];
        for file in files {
            beside.add(Path::new(file));
        }
        let left_out = beside.count(&photos);
        assert_eq!(left_out.sidecars(), 3);
        assert_eq!(left_out.total(), 8);
        assert_eq!(
            left_out.to_string(),
            "1 video, 1 video of a Live Photo, 1 RAW file, 1 JPEG XL file, 1 JSON file, \
             1 sidecar without a photo and 2 other files"
        );
        assert_eq!(LeftOut::default().to_string(), "");
    }
}

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use half::{f16, slice::HalfFloatSliceExt};
use memmap2::Mmap;
use rayon::prelude::*;

use super::{BEGIN, END, FORMAT, IndexInfo, IndexedPhoto, MAGIC};
use crate::{
    FeatureModel,
    retrieval::{Descriptor, RetrievalError, Whitening, lists::Lists},
};

/// Descriptors of many photos in a memory-mapped file, to be searched.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    map: Mmap,
    info: IndexInfo,
    photos: Vec<IndexedPhoto>,
    /// The first vector of each photo, and the end of the last one's.
    starts: Vec<usize>,
    whitening: Option<Whitening>,
    lists: Option<Lists>,
    /// Squared length of each vector.
    squares: Vec<f32>,
}

impl Index {
    /// Whether a file begins as an index does.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_one(path: &Path) -> io::Result<bool> {
        let mut beginning = Vec::new();
        File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut beginning)?;
        Ok(beginning == MAGIC)
    }

    /// Opens an index and checks all of it against its hashes.
    ///
    /// # Errors
    /// A file that cannot be read, is no index, was cut off or changed.
    #[allow(
        unsafe_code,
        reason = "an index of a million photos does not fit every memory; it is replaced by \
                  renaming, never changed in place, so the mapped bytes stay"
    )]
    pub fn open(path: &Path) -> Result<Self, RetrievalError> {
        let file = File::open(path).map_err(RetrievalError::file(path))?;
        // SAFETY: see the reason above.
        let map = unsafe { Mmap::map(&file) }.map_err(RetrievalError::file(path))?;
        let wrong =
            |what: &str| RetrievalError::Index { path: path.to_owned(), what: what.to_owned() };
        let parts = Parts::of(&map).map_err(wrong)?;
        let Parts { info, vectors, whitening, photos, lists } = parts;
        let photos = read_photos(photos).ok_or_else(|| wrong("its list of photos is damaged"))?;
        let mut starts: Vec<usize> = vec![0];
        for photo in &photos {
            let next = starts[starts.len() - 1].checked_add(photo.vectors);
            starts.push(next.ok_or_else(|| wrong("its list of photos is damaged"))?);
        }
        if starts[photos.len()] != info.vectors {
            return Err(wrong("it has another number of vectors than its photos"));
        }
        let whitening = match info.recipe.whitening {
            0 => None,
            outputs => {
                let found = Whitening::from_bytes(whitening, info.pooled, outputs);
                Some(found.ok_or_else(|| wrong("its whitening is damaged"))?)
            }
        };
        let lists = match &info.lists {
            None => None,
            Some(stated) => {
                let vectors = photos.iter().map(|photo| photo.vectors);
                let found = Lists::from_bytes(stated.clone(), lists, info.dimensions, vectors);
                Some(found.ok_or_else(|| wrong("its lists are damaged"))?)
            }
        };
        let square = |vector: &[u8]| {
            let mut numbers = vec![0.0; vector.len() / 2];
            widen(vector, &mut numbers);
            numbers.iter().map(|x| x * x).sum()
        };
        let squares =
            vectors.par_chunks_exact(info.dimensions.saturating_mul(2)).map(square).collect();
        Ok(Self { path: path.to_owned(), info, photos, starts, whitening, lists, squares, map })
    }

    /// Its description.
    pub fn info(&self) -> &IndexInfo {
        &self.info
    }

    /// Length of its file.
    pub fn bytes(&self) -> usize {
        self.map.len()
    }

    /// All photos, those that could not be decoded too.
    pub fn photos(&self) -> &[IndexedPhoto] {
        &self.photos
    }

    /// The whitening that its vectors went through.
    pub fn whitening(&self) -> Option<&Whitening> {
        self.whitening.as_ref()
    }

    /// The lists that its vectors stand in, where it is divided into lists.
    pub fn lists(&self) -> Option<&Lists> {
        self.lists.as_ref()
    }

    /// A photo's vectors; `None` where it has none.
    pub fn descriptor(&self, photo: usize) -> Option<Descriptor> {
        let vectors = self.starts[photo]..self.starts[photo + 1];
        if vectors.is_empty() {
            return None;
        }
        let mut values = vec![0.0; vectors.len() * self.info.dimensions];
        self.read(vectors.start, &mut values);
        Some(Descriptor::new(self.info.dimensions, values))
    }

    /// Checks that descriptors of this model may be compared with the index's.
    ///
    /// # Errors
    /// They may not.
    pub fn check_model(&self, model: &FeatureModel) -> Result<(), RetrievalError> {
        if self.info.fingerprint == model.fingerprint() {
            return Ok(());
        }
        Err(RetrievalError::OtherModel {
            path: self.path.clone(),
            made_with: self.info.model.clone(),
            model: model.name().to_owned(),
        })
    }

    /// The first vector of each photo, and the end of the last one's.
    pub(in crate::retrieval) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// Squared length of each vector.
    pub(in crate::retrieval) fn squares(&self) -> &[f32] {
        &self.squares
    }

    /// Vectors from `first` on, as many as there is room for.
    pub(in crate::retrieval) fn read(&self, first: usize, to: &mut [f32]) {
        let bytes = &self.map[BEGIN + 2 * first * self.info.dimensions..][..2 * to.len()];
        widen(bytes, to);
    }
}

/// Numbers of 16 bits in 32. `bytes` holds two for each of `to`.
fn widen(bytes: &[u8], to: &mut [f32]) {
    /// Numbers that are converted by one call, which asks the processor for its instructions.
    const AT_ONCE: usize = 64;
    let mut halves = [f16::ZERO; AT_ONCE];
    let pairs = bytes.as_chunks::<2>().0;
    for (to, pairs) in to.chunks_mut(AT_ONCE).zip(pairs.chunks(AT_ONCE)) {
        let halves = &mut halves[..pairs.len()];
        halves.iter_mut().zip(pairs).for_each(|(half, pair)| *half = f16::from_le_bytes(*pair));
        halves.convert_to_f32_slice(to);
    }
}

fn read_photos(bytes: &[u8]) -> Option<Vec<IndexedPhoto>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The parts of a file that was checked.
struct Parts<'a> {
    info: IndexInfo,
    vectors: &'a [u8],
    whitening: &'a [u8],
    photos: &'a [u8],
    lists: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, &'static str> {
        const CUT: &str = "the file is no index, or was cut off";
        const CHANGED: &str = "the file was changed since it was written";
        let end = bytes.len().checked_sub(END).filter(|end| *end >= BEGIN).ok_or(CUT)?;
        let (length, rest) = bytes[end..].split_at(8);
        let (hash, magic) = rest.split_at(32);
        if magic != MAGIC || !bytes.starts_with(MAGIC) {
            return Err(CUT);
        }
        let length: [u8; 8] = length.try_into().expect("eight bytes were taken");
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| CUT)?;
        let begin = end.checked_sub(length).filter(|begin| *begin >= BEGIN).ok_or(CUT)?;
        let info = &bytes[begin..end];
        if blake3::hash(info).as_bytes() != hash {
            return Err(CHANGED);
        }
        let info: IndexInfo = serde_json::from_slice(info).map_err(|_| CHANGED)?;
        if info.format != FORMAT {
            return Err("the index is of another version of PlaNet");
        }
        let mut rest = &bytes[BEGIN..begin];
        let mut parts = [&[][..]; 4];
        let stated = info.parts.iter().chain(info.lists.as_ref().map(|lists| &lists.part));
        for (part, stated) in parts.iter_mut().zip(stated) {
            (*part, rest) = rest.split_at_checked(stated.bytes).ok_or(CUT)?;
            let mut hasher = blake3::Hasher::new();
            let found = hasher.update(part).finalize().to_hex();
            if found.as_str() != stated.blake3 {
                return Err(CHANGED);
            }
        }
        let [vectors, whitening, photos, lists] = parts;
        let wanted = info.vectors.checked_mul(info.dimensions).and_then(|it| it.checked_mul(2));
        let dimensions = match info.recipe.whitening {
            0 => info.pooled,
            whitened => whitened,
        };
        if !rest.is_empty()
            || wanted != Some(vectors.len())
            || info.dimensions == 0
            || info.dimensions != dimensions
        {
            return Err(CHANGED);
        }
        Ok(Self { info, vectors, whitening, photos, lists })
    }
}

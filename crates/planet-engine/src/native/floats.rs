use std::{
    collections::HashMap,
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use memmap2::Mmap;
use planet_net::{GraphNode, GraphTensor, OnnxModel};

/// An array of f32: held in memory, or in a mapped file.
#[derive(Debug)]
pub(super) enum Floats {
    Held(Vec<f32>),
    /// Bytes of a file that are f32 as they lie.
    Mapped(Arc<Mmap>, Range<usize>),
}

impl Floats {
    pub(super) fn values(&self) -> &[f32] {
        match self {
            Self::Held(values) => values,
            Self::Mapped(map, bytes) => bytemuck::cast_slice(&map[bytes.clone()]),
        }
    }

    pub(super) fn into_held(self) -> Vec<f32> {
        match self {
            Self::Held(values) => values,
            Self::Mapped(..) => self.values().to_vec(),
        }
    }
}

/// How the files beside a graph are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Copied: another program may write into them at any time.
    Copy,
    /// Mapped: they stay as they are.
    Map,
}

/// The constant arrays of a graph, those among them that lie in 16 bits under the name of the f32 that a
/// Cast makes of them.
pub(super) struct Constants<'a> {
    model: &'a OnnxModel,
    access: Access,
    widened: HashMap<&'a str, &'a GraphTensor>,
    maps: Mutex<HashMap<PathBuf, Arc<Mmap>>>,
}

impl<'a> Constants<'a> {
    pub(super) fn new(model: &'a OnnxModel, access: Access) -> Self {
        let widened = model.nodes().iter().filter_map(|node| match node.outputs() {
            [output] => Some((output.as_str(), model.widened(node)?)),
            _ => None,
        });
        Self { model, access, widened: widened.collect(), maps: Mutex::default() }
    }

    /// Whether a node only makes f32 of a constant, which is done here when it is read.
    pub(super) fn has_read(&self, node: &GraphNode) -> bool {
        matches!(node.outputs(), [output] if self.widened.contains_key(output.as_str()))
            && self.model.widened(node).is_some()
    }

    fn tensor(&self, name: &str) -> Option<&'a GraphTensor> {
        self.widened.get(name).copied().or_else(|| self.model.tensor(name))
    }

    /// A constant array of f32 with as many axes; f16 become f32.
    ///
    /// # Errors
    /// An input that is no such constant, or whose values cannot be read.
    pub(super) fn array<const AXES: usize>(
        &self,
        name: Option<&str>,
    ) -> Result<([usize; AXES], Floats), String> {
        let tensor = name.and_then(|name| self.tensor(name));
        let tensor = tensor.ok_or("needs a weight that is a constant")?;
        let shape = tensor.shape().try_into();
        let shape = shape.map_err(|_| format!("has a weight of {} axes", tensor.shape().len()))?;
        Ok((shape, self.floats(tensor).map_err(|error| error.to_string())?))
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.tensor(name).is_some()
    }

    fn floats(&self, tensor: &GraphTensor) -> io::Result<Floats> {
        match tensor.in_file() {
            Some((file, from, _)) if self.access == Access::Map && tensor.is_of_floats() => {
                let map = self.map(file)?;
                let place = place(tensor, from, map.len()).ok_or_else(|| truncated(file))?;
                // A file of another program may not keep to the alignment of f32.
                if bytemuck::try_cast_slice::<u8, f32>(&map[place.clone()]).is_ok()
                    && cfg!(target_endian = "little")
                {
                    return Ok(Floats::Mapped(map, place));
                }
                tensor.floats().map(Floats::Held)
            }
            _ => tensor.floats().map(Floats::Held),
        }
    }

    #[allow(
        unsafe_code,
        reason = "mapping is what makes a 300 MB model start at once; a package's files are \
                  replaced by renaming, never changed in place, so the mapped bytes stay"
    )]
    fn map(&self, path: &Path) -> io::Result<Arc<Mmap>> {
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = maps.get(path) {
            return Ok(map.clone());
        }
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(named)?;
        // SAFETY: see the reason above.
        let map = Arc::new(unsafe { Mmap::map(&file) }.map_err(named)?);
        maps.insert(path.to_owned(), map.clone());
        Ok(map)
    }
}

/// Where an array lies in a file of this length; `None` if the file is too short or states another
/// length.
fn place(tensor: &GraphTensor, from: u64, file: usize) -> Option<Range<usize>> {
    let bytes = tensor.count()?.checked_mul(size_of::<f32>())?;
    let from = usize::try_from(from).ok()?;
    let end = from.checked_add(bytes)?;
    let stated = tensor.in_file()?.2.is_none_or(|stated| stated == bytes as u64);
    (end <= file && stated).then_some(from..end)
}

fn truncated(file: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("{}: truncated", file.display()))
}

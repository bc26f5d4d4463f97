use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
    path::{Component, Path, PathBuf},
};

use half::{f16, slice::HalfFloatSliceExt};

use super::{
    data::ExternalData,
    fields::{Fields, Malformed, Value},
    message::Message,
};

/// ONNX's numbers for types of elements.
pub(super) const FLOAT: i64 = 1;
pub(super) const UINT8: i64 = 2;
pub(super) const INT8: i64 = 3;
pub(super) const INT32: i64 = 6;
pub(super) const FLOAT16: i64 = 10;

/// New arrays of fewer bytes stay inside the graph.
const SMALL: usize = 1024;

/// Numbers that are converted at once: the instructions for it need many.
const PIECE: usize = 1 << 12;

/// A constant array of a graph: its shape at hand, its values where they lie.
#[derive(Clone, Debug)]
pub struct GraphTensor {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) element_type: i64,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    /// The `TensorProto` as it stands in the graph, its values within.
    Inside(Vec<u8>),
    /// Made here: elements in order, little-endian.
    New(Vec<u8>),
    /// In a file beside the graph.
    External { file: PathBuf, offset: u64, length: Option<u64> },
}

impl GraphTensor {
    /// A new array of elements in order, little-endian.
    pub(super) fn new(name: String, shape: Vec<usize>, element_type: i64, bytes: Vec<u8>) -> Self {
        Self { name, shape, element_type, data: Data::New(bytes) }
    }

    /// A new array of f32.
    pub(super) fn of_floats(name: String, shape: Vec<usize>, values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::new(name, shape, FLOAT, bytes)
    }

    /// A new array of f16.
    pub(super) fn of_halves(name: String, shape: Vec<usize>, values: &[f32]) -> Self {
        let mut bytes = Vec::with_capacity(2 * values.len());
        let mut piece = [f16::ZERO; PIECE];
        for values in values.chunks(PIECE) {
            let piece = &mut piece[..values.len()];
            piece.convert_from_f32_slice(values);
            bytes.extend(piece.iter().flat_map(|value| value.to_le_bytes()));
        }
        Self::new(name, shape, FLOAT16, bytes)
    }

    /// From a `TensorProto` of a graph in this folder.
    pub(super) fn read(bytes: &[u8], folder: &Path) -> Result<Self, Malformed> {
        let (mut name, mut shape, mut element_type) = (String::new(), Vec::new(), 0);
        let (mut location, mut offset, mut length) = (None, 0, None);
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => shape.extend(value.integers()?),
                (2, value) => element_type = value.integer()?,
                (8, value) => name = value.text()?,
                (13, value) => match entry(value.bytes()?)? {
                    (key, value) if key == "location" => location = Some(value),
                    (key, value) if key == "offset" => {
                        offset = value.parse().map_err(|_| Malformed)?;
                    }
                    (key, value) if key == "length" => {
                        length = Some(value.parse().map_err(|_| Malformed)?);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        let shape = shape.into_iter().map(|axis| usize::try_from(axis).map_err(|_| Malformed));
        let shape = shape.collect::<Result<_, _>>()?;
        let data = match location {
            Some(location) => Data::External { file: beside(folder, &location)?, offset, length },
            None => Data::Inside(bytes.to_vec()),
        };
        Ok(Self { name, shape, element_type, data })
    }

    /// Lengths of its axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether its elements are f32.
    pub fn is_of_floats(&self) -> bool {
        self.element_type == FLOAT
    }

    /// Whether its elements are f16.
    pub fn is_of_halves(&self) -> bool {
        self.element_type == FLOAT16
    }

    /// The file beside the graph that has its values, with the first byte and their number, which
    /// the file may be too short for; `None` where they are in the graph itself.
    pub fn in_file(&self) -> Option<(&Path, u64, Option<u64>)> {
        match &self.data {
            Data::External { file, offset, length } => Some((file, *offset, *length)),
            Data::Inside(_) | Data::New(_) => None,
        }
    }

    /// Number of elements; `None` beyond what can be counted.
    pub fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis))
    }

    /// The values of an array of f32, or of f16, of which each is an f32 too.
    ///
    /// # Errors
    /// Another type, a file that cannot be read, another number of values than the shape states.
    pub fn floats(&self) -> io::Result<Vec<f32>> {
        let number = match self.element_type {
            FLOAT => Number::Single,
            FLOAT16 => Number::Half,
            _ => return Err(self.wrong("is not an array of 32-bit floating-point numbers")),
        };
        let values = match &self.data {
            Data::Inside(bytes) => inside(bytes, number).map_err(malformed)?,
            Data::New(bytes) => number.all(bytes),
            Data::External { file, .. } => {
                let (part, length) = self.external()?;
                read_floats(part, length, number).map_err(|error| {
                    let what = format!("{}: {error} at the array '{}'", file.display(), self.name);
                    io::Error::new(error.kind(), what)
                })?
            }
        };
        if Some(values.len()) == self.count() {
            Ok(values)
        } else {
            Err(self.wrong("does not have as many values as its shape states"))
        }
    }

    /// The part of the file beside the graph, and its length in bytes.
    fn external(&self) -> io::Result<(io::Take<File>, u64)> {
        let Data::External { file, offset, length } = &self.data else {
            return Err(self.wrong("is not in a file of its own"));
        };
        let named = |error| io::Error::other(format!("{}: {error}", file.display()));
        let mut opened = File::open(file).map_err(named)?;
        let whole = opened.metadata().map_err(named)?.len();
        let length = length.unwrap_or(whole.saturating_sub(*offset));
        if offset.checked_add(length).is_none_or(|end| end > whole) {
            let what = format!("{}: truncated at the array '{}'", file.display(), self.name);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        opened.seek(SeekFrom::Start(*offset)).map_err(named)?;
        Ok((opened.take(length), length))
    }

    /// `TensorProto`; large values go into the file of weights.
    pub(super) fn write<W: Write>(&self, data: &mut ExternalData<W>) -> io::Result<Message> {
        let Self { name, shape, element_type, .. } = self;
        match &self.data {
            Data::Inside(bytes) => Ok(Message::of(bytes.clone())),
            Data::New(bytes) if bytes.len() < SMALL => Ok(Message::default()
                .each(shape, |message, &axis| message.integer(1, axis as i64))
                .integer(2, *element_type)
                .string(8, name)
                .bytes(9, bytes)),
            Data::New(bytes) => {
                data.copy(name, shape, *element_type, bytes.len() as u64, Cursor::new(bytes))
            }
            Data::External { .. } => {
                let (part, length) = self.external()?;
                data.copy(name, shape, *element_type, length, part)
            }
        }
    }

    fn wrong(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("the array '{}' {what}", self.name))
    }
}

/// A file that an ONNX graph refers to, which lies in the graph's folder or below.
fn beside(folder: &Path, location: &str) -> Result<PathBuf, Malformed> {
    let location = Path::new(location);
    let is_below = location.components().all(|it| matches!(it, Component::Normal(_)));
    if is_below { Ok(folder.join(location)) } else { Err(Malformed) }
}

/// Key and value of a `StringStringEntryProto`.
fn entry(bytes: &[u8]) -> Result<(String, String), Malformed> {
    let (mut key, mut text) = (String::new(), String::new());
    for field in Fields::of(bytes) {
        match field? {
            (1, value) => key = value.text()?,
            (2, value) => text = value.text()?,
            _ => {}
        }
    }
    Ok((key, text))
}

/// A type of elements that are numbers of f32, or fit into them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Single,
    Half,
}

impl Number {
    fn bytes(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Half => 2,
        }
    }

    /// Elements in order, little-endian.
    fn all(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Single => floats(bytes),
            Self::Half => halves(bytes),
        }
    }
}

/// The numbers of a `TensorProto` of f32 or f16: in `raw_data`, or one by one in `float_data` or, of
/// f16, as their bits in `int32_data`.
fn inside(bytes: &[u8], number: Number) -> Result<Vec<f32>, Malformed> {
    let mut values = Vec::new();
    for field in Fields::of(bytes) {
        match field? {
            (9, value) => values = number.all(value.bytes()?),
            (4, Value::Bytes(packed)) => values.extend(floats(packed)),
            (4, value) => values.push(value.float()?),
            (5, value) if number == Number::Half => {
                let bits = |it: i64| u16::try_from(it).map_err(|_| Malformed);
                for it in value.integers()? {
                    values.push(f16::from_bits(bits(it)?).to_f32());
                }
            }
            _ => {}
        }
    }
    Ok(values)
}

/// So many bytes of numbers, piece by piece: an array of hundreds of megabytes is held once.
fn read_floats(mut from: impl Read, length: u64, number: Number) -> io::Result<Vec<f32>> {
    let mut piece = vec![0; 1 << 16];
    let mut left = usize::try_from(length).map_err(io::Error::other)?;
    let mut values = Vec::with_capacity(left / number.bytes());
    while left > 0 {
        let here = &mut piece[..left.min(1 << 16)];
        from.read_exact(here)?;
        values.extend(number.all(here));
        left -= here.len();
    }
    Ok(values)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let four = bytes.chunks_exact(4);
    four.map(|it| f32::from_le_bytes(it.try_into().expect("four bytes"))).collect()
}

fn halves(bytes: &[u8]) -> Vec<f32> {
    let two = bytes.chunks_exact(2);
    let halves: Vec<f16> =
        two.map(|it| f16::from_le_bytes(it.try_into().expect("two bytes"))).collect();
    halves.to_f32_vec()
}

fn malformed(error: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

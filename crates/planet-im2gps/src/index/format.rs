//! The layout of an index file. All numbers are little-endian.
//!
//! | part | content |
//! |---|---|
//! | head, 64 bytes | magic, format, version, numbers per row, textons, bytes of the words, zeros |
//! | textons | f32 `[textons, 32]` |
//! | words | as [`crate::Vocabulary::to_bytes`] writes them; none in an index of 2008 |
//! | rows | u32 number of the photo in the list that was indexed, f32 `[numbers]` |
//! | description | JSON: program, folder of the photos, descriptors with their deviations, photos, positions |
//! | tail, 64 bytes | magic, rows, place and length of the description, BLAKE3 of all before |

use planet_data::PhotoError;
use serde::{Deserialize, Serialize};

use crate::Descriptor;

#[cfg(target_endian = "big")]
compile_error!("an index is mapped as it is stored, in little-endian numbers");

/// Form of the file; another one is refused.
pub const FORMAT: u32 = 2;
pub const HEAD: usize = 64;
pub const TAIL: usize = 64;
const MAGIC: &[u8; 16] = b"PLANET-IM2GPS\r\n\0";
const END: &[u8; 8] = b"I2G-END\n";

/// The beginning of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub format: u32,
    /// Year of the method's version.
    pub version: u32,
    /// Numbers of a row.
    pub values: u32,
    pub textons: u32,
    /// Bytes of the words.
    pub words: u32,
}

impl Head {
    pub fn to_bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..16].copy_from_slice(MAGIC);
        let Self { format, version, values, textons, words } = self;
        for (at, number) in [format, version, values, textons, words].into_iter().enumerate() {
            bytes[16 + 4 * at..][..4].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// `None` where it is not that of an index.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<16>()?;
        let numbers = rest.as_chunks::<4>().0.first_chunk::<5>()?;
        let [format, version, values, textons, words] = numbers.map(u32::from_le_bytes);
        (magic == MAGIC).then_some(Self { format, version, values, textons, words })
    }

    /// Bytes before the rows.
    pub fn begin(self) -> usize {
        HEAD + 4 * 32 * self.textons as usize + self.words as usize
    }
}

/// The end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    pub rows: u64,
    /// Where the description begins, and its length in bytes.
    pub description: [u64; 2],
    /// Of all bytes before it.
    pub hash: [u8; 32],
}

impl Tail {
    /// What stands before the hash, which covers it too.
    pub fn hashed(rows: u64, description: [u64; 2]) -> [u8; TAIL - 32] {
        let mut bytes = [0; TAIL - 32];
        bytes[..8].copy_from_slice(END);
        for (at, number) in [rows, description[0], description[1]].into_iter().enumerate() {
            bytes[8 + 8 * at..][..8].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// `None` where it is not that of an index.
    pub fn of(bytes: &[u8; TAIL]) -> Option<Self> {
        let (eights, _) = bytes[..32].as_chunks::<8>();
        let [rows, at, length] = [1, 2, 3].map(|place| u64::from_le_bytes(eights[place]));
        let hash = *bytes.last_chunk()?;
        (eights[0] == *END).then_some(Self { rows, description: [at, length], hash })
    }
}

/// What stands behind the rows.
#[derive(Debug, Serialize, Deserialize)]
pub struct Description {
    /// Version of the program that wrote it.
    pub program: String,
    /// Folder that the photos' ids are relative to.
    pub root: String,
    pub descriptors: Vec<DescriptorInfo>,
    /// Ids, in the order of the rows.
    pub photos: Vec<String>,
    /// Latitude and longitude in degrees.
    pub positions: Vec<[f64; 2]>,
}

/// One descriptor of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DescriptorInfo {
    pub name: Descriptor,
    pub values: usize,
    /// Standard deviation of its distances between photos of the index.
    pub deviation: f32,
}

/// A photo that could not be indexed, and why.
#[derive(Debug)]
pub struct UnreadPhoto {
    /// Its id.
    pub photo: String,
    /// Why.
    pub error: PhotoError,
}

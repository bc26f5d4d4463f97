use super::fields::{Fields, Malformed, Value};

/// An input or output of a graph.
#[derive(Clone, Debug)]
pub struct GraphValue {
    pub(super) name: String,
    /// `ValueInfoProto` as it was read.
    pub(super) bytes: Vec<u8>,
}

impl GraphValue {
    pub(super) fn new(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), bytes }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let name = field(bytes, 1)?.map_or(Ok(String::new()), Value::text)?;
        Ok(Self { name, bytes: bytes.to_vec() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lengths of the axes, `None` for those that are free; `None` for all where the graph does
    /// not say.
    pub fn shape(&self) -> Option<Vec<Option<usize>>> {
        // TypeProto, its tensor type, that one's shape.
        let within = |bytes, number| field(bytes, number).ok().flatten()?.bytes().ok();
        let axes = within(within(within(&self.bytes, 2)?, 1)?, 2)?;
        let lengths = Fields::of(axes).filter_map(Result::ok).filter(|(number, _)| *number == 1);
        lengths
            .map(|(_, axis)| {
                let length = field(axis.bytes().ok()?, 1).ok()?;
                Some(length.and_then(|it| usize::try_from(it.integer().ok()?).ok()))
            })
            .collect()
    }
}

/// The last field of this number, which is the one that counts.
fn field(bytes: &[u8], wanted: u64) -> Result<Option<Value<'_>>, Malformed> {
    let mut found = None;
    for field in Fields::of(bytes) {
        match field? {
            (number, value) if number == wanted => found = Some(value),
            _ => {}
        }
    }
    Ok(found)
}

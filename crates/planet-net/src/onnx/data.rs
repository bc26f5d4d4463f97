use std::io::{self, Read, Write};

use super::{message::Message, tensor::FLOAT};

/// The file beside the model that holds its weights, so that engines map it.
pub(super) struct ExternalData<W> {
    out: W,
    /// Name of the file, relative to the model.
    location: String,
    position: u64,
}

/// From this size on an array begins where every system can map it.
const LARGE: u64 = 1 << 20;

impl<W: Write> ExternalData<W> {
    pub(super) fn new(out: W, location: &str) -> Self {
        Self { out, location: location.into(), position: 0 }
    }

    /// Writes an array of f32 and gives the `TensorProto` that refers to it.
    pub(super) fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[f32],
    ) -> io::Result<Message> {
        let length = size_of_val(values);
        let offset = self.align(length as u64)?;
        for chunk in values.chunks(1 << 14) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|value| value.to_le_bytes()).collect();
            self.out.write_all(&bytes)?;
        }
        Ok(self.refer(name, shape, FLOAT, offset, length as u64))
    }

    /// Copies `length` bytes of an array of any type and gives the `TensorProto` that refers to it.
    pub(super) fn copy(
        &mut self,
        name: &str,
        shape: &[usize],
        element_type: i64,
        length: u64,
        from: impl Read,
    ) -> io::Result<Message> {
        let offset = self.align(length)?;
        if io::copy(&mut from.take(length), &mut self.out)? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.refer(name, shape, element_type, offset, length))
    }

    /// Fills up to where an array of so many bytes begins.
    fn align(&mut self, length: u64) -> io::Result<u64> {
        // Windows maps at multiples of 64 KiB; vector loads want 64 bytes.
        let alignment = if length >= LARGE { 1 << 16 } else { 64 };
        let offset = self.position.next_multiple_of(alignment);
        let gap = vec![0; usize::try_from(offset - self.position).expect("under 64 KiB")];
        self.out.write_all(&gap)?;
        self.position = offset + length;
        Ok(offset)
    }

    fn refer(
        &self,
        name: &str,
        shape: &[usize],
        element_type: i64,
        offset: u64,
        length: u64,
    ) -> Message {
        let entry = |key: &str, value: &str| Message::default().string(1, key).string(2, value);
        Message::default()
            .each(shape, |message, &axis| message.integer(1, axis as i64))
            .integer(2, element_type)
            .string(8, name)
            .message(13, &entry("location", &self.location))
            .message(13, &entry("offset", &offset.to_string()))
            .message(13, &entry("length", &length.to_string()))
            .integer(14, 1) // EXTERNAL
    }
}

/// A short list of whole numbers, inside the model.
pub(super) fn integers(name: &str, values: &[i64]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Message::default()
        .integer(1, values.len() as i64)
        .integer(2, 7) // INT64
        .string(8, name)
        .bytes(9, &bytes)
}

/// One number without axes, inside the model.
pub(super) fn scalar(name: &str, value: f32) -> Message {
    Message::default()
        .integer(2, 1) // FLOAT
        .string(8, name)
        .bytes(9, &value.to_le_bytes())
}

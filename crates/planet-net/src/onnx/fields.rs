use std::fmt;

use super::message::Message;

/// The value of one field of a protocol-buffers message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// A whole number of any type.
    Varint(u64),
    /// Eight bytes.
    Fixed64(&'a [u8]),
    /// Text, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// Four bytes: an f32.
    Fixed32(&'a [u8]),
}

/// Bytes that are no protocol-buffers message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an ONNX model, or a truncated one")
    }
}

impl<'a> Value<'a> {
    /// The bytes of text, a message or packed numbers.
    pub(super) fn bytes(self) -> Result<&'a [u8], Malformed> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(Malformed) }
    }

    /// Text.
    pub(super) fn text(self) -> Result<String, Malformed> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Malformed)
    }

    /// A whole number.
    pub(super) fn integer(self) -> Result<i64, Malformed> {
        if let Self::Varint(value) = self { Ok(value.cast_signed()) } else { Err(Malformed) }
    }

    /// A number of 32 bits.
    pub(super) fn float(self) -> Result<f32, Malformed> {
        let Self::Fixed32(bytes) = self else { return Err(Malformed) };
        Ok(f32::from_le_bytes(bytes.try_into().map_err(|_| Malformed)?))
    }

    /// Whole numbers, packed or a single one.
    pub(super) fn integers(self) -> Result<Vec<i64>, Malformed> {
        let Self::Bytes(mut bytes) = self else { return Ok(vec![self.integer()?]) };
        let mut values = Vec::new();
        while !bytes.is_empty() {
            values.push(varint(&mut bytes)?.cast_signed());
        }
        Ok(values)
    }
}

/// The fields of a message in their order: number and value.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn read(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let tag = varint(&mut self.0)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut self.0)?),
            1 => Value::Fixed64(self.take(8)?),
            2 => {
                let length = varint(&mut self.0)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.take(4)?),
            _ => return Err(Malformed),
        };
        Ok((tag >> 3, value))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.0 = &[];
        }
        Some(read)
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Malformed)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

impl Message {
    /// A field as it was read.
    pub(super) fn field(self, field: u64, value: Value<'_>) -> Self {
        match value {
            Value::Varint(value) => self.integer(field, value.cast_signed()),
            Value::Fixed64(bytes) => self.fixed64(field, bytes),
            Value::Bytes(bytes) => self.bytes(field, bytes),
            Value::Fixed32(bytes) => self.fixed32(field, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_written_again() {
        let message = Message::default().integer(1, -1).float(2, 0.5).string(3, "é");
        let bytes = message.into_bytes();
        let fields: Vec<_> = Fields::of(&bytes).map(|it| it.expect("sound")).collect();
        assert_eq!(fields[0].1.integer(), Ok(-1));
        assert_eq!(fields[1].1.float(), Ok(0.5));
        assert_eq!(fields[2].1.text(), Ok("é".to_owned()));
        let again = fields.iter().fold(Message::default(), |it, (n, value)| it.field(*n, *value));
        assert_eq!(again.into_bytes(), bytes);
    }

    #[test]
    fn truncated_bytes_are_an_error_and_end_the_fields() {
        for bytes in [&[0x08][..], &[0x0A, 5, 1], &[0x0F, 1], &[0x80; 12], &[0x0D, 1, 2]] {
            let read: Vec<_> = Fields::of(bytes).collect();
            assert_eq!(read, [Err(Malformed)], "{bytes:?}");
        }
    }
}

/// A protocol-buffers message in the making; the few wire types that ONNX uses.
/// Field numbers are those of onnx.proto, format version IR 8.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// Wire types of the protocol-buffers encoding.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

impl Message {
    /// Fields that are encoded already.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// With further fields that are encoded already.
    pub(super) fn joined(mut self, fields: &[u8]) -> Self {
        self.0.extend(fields);
        self
    }

    pub(super) fn integer(mut self, field: u64, value: i64) -> Self {
        self.key(field, VARINT);
        self.varint(value.cast_unsigned());
        self
    }

    pub(super) fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, FIXED32);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Four bytes as they stand.
    pub(super) fn fixed32(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, FIXED32);
        self.0.extend(value);
        self
    }

    /// Eight bytes as they stand.
    pub(super) fn fixed64(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, FIXED64);
        self.0.extend(value);
        self
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(super) fn string(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// The same with a list's entries one after the other, in the same field.
    pub(super) fn each<T>(
        self,
        entries: impl IntoIterator<Item = T>,
        add: impl Fn(Self, T) -> Self,
    ) -> Self {
        entries.into_iter().fold(self, add)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_protocol_buffers_documentation() {
        assert_eq!(Message::default().integer(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        let testing = [0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g'];
        assert_eq!(Message::default().string(2, "testing").into_bytes(), testing);
        let minus_one = Message::default().integer(1, -1).into_bytes();
        assert_eq!(minus_one, [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
        assert_eq!(Message::default().float(20, 1.0).into_bytes(), [0xa5, 1, 0, 0, 0x80, 0x3f]);
    }
}

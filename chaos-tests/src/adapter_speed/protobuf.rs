//! As much of protobuf as it takes to write the messages of two protocols.

/// A message under construction.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;

impl Message {
    pub(super) fn varint(mut self, field: u64, value: u64) -> Message {
        self.number(field << 3 | VARINT);
        self.number(value);
        self
    }

    pub(super) fn fixed(mut self, field: u64, value: u64) -> Message {
        self.number(field << 3 | FIXED_64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Message {
        self.number(field << 3 | BYTES);
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Message {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u64, value: &Message) -> Message {
        self.bytes(field, &value.0)
    }

    pub(super) fn end(self) -> Vec<u8> {
        self.0
    }

    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_specification_shows_them() {
        // The two examples of protobuf's own description of its encoding.
        assert_eq!(Message::default().varint(1, 150).end(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").end(), b"\x12\x07testing");
    }
}

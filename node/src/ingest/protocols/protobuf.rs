//! Reads the Protocol Buffers wire format (protobuf.dev/programming-guides/encoding) in place: fields of a message, borrowed
//! from its bytes. Writes the few bytes that answers need.
//!
//! Knows no message. Why not a library: those that are kept make a tree of owned strings of every request.

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the message ends inside a field")]
    CutOff,
    #[error("a number has more than 64 bits")]
    LongNumber,
    #[error("field {0} has a wire type that does not exist any more")]
    UnknownType(u32),
    #[error("a field has the number 0")]
    NoField,
    #[error("field {0} is not of the type it must have")]
    WrongType(u32),
    #[error("field {0} is not UTF-8")]
    NotUtf8(u32),
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::ingest) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::ingest) struct Field<'a> {
    pub number: u32,
    pub value: Wire<'a>,
}

impl<'a> Field<'a> {
    /// A text, a message or bytes.
    pub(in crate::ingest) fn bytes(self) -> Result<&'a [u8], WireError> {
        match self.value {
            Wire::Bytes(bytes) => Ok(bytes),
            _ => Err(WireError::WrongType(self.number)),
        }
    }

    pub(in crate::ingest) fn text(self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::NotUtf8(self.number))
    }

    /// A number of any of the numeric types.
    pub(in crate::ingest) fn number(self) -> Result<u64, WireError> {
        match self.value {
            Wire::Varint(number) | Wire::Fixed64(number) => Ok(number),
            Wire::Fixed32(number) => Ok(u64::from(number)),
            Wire::Bytes(_) => Err(WireError::WrongType(self.number)),
        }
    }
}

/// The fields of a message, in their order.
#[derive(Clone, Copy, Debug)]
pub(in crate::ingest) struct Message<'a> {
    rest: &'a [u8],
}

impl<'a> Message<'a> {
    pub(in crate::ingest) fn new(bytes: &'a [u8]) -> Message<'a> {
        Message { rest: bytes }
    }

    /// The bytes behind the fields read so far.
    pub(in crate::ingest) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next field; `None` at the end.
    #[inline]
    pub(in crate::ingest) fn next(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| WireError::LongNumber)?;
        if number == 0 {
            return Err(WireError::NoField);
        }
        let value = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| WireError::CutOff)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.fixed()?)),
            _ => return Err(WireError::UnknownType(number)),
        };
        Ok(Some(Field { number, value }))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0;
        for at in 0..10 {
            let [byte] = self.fixed()?;
            // The tenth byte has room for one bit.
            if at == 9 && byte > 1 {
                return Err(WireError::LongNumber);
            }
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(WireError::LongNumber)
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(WireError::CutOff)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(WireError::CutOff)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Appends a varint field.
pub(crate) fn put_number(message: &mut Vec<u8>, field: u32, number: u64) {
    put_varint(message, u64::from(field) << 3);
    put_varint(message, number);
}

/// Appends a field of bytes: a text, a message.
pub(crate) fn put_bytes(message: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_varint(message, u64::from(field) << 3 | 2);
    put_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

fn put_varint(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_written_are_read_again() {
        let mut bytes = Vec::new();
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            put_number(&mut bytes, 7, number);
        }
        put_bytes(&mut bytes, 2_000, "zwölf".as_bytes());
        bytes.extend([0x39, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x45, 2, 0, 0, 0]);
        let mut message = Message::new(&bytes);
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(message.next(), Ok(Some(Field { number: 7, value: Wire::Varint(number) })));
        }
        assert_eq!(message.next().unwrap().unwrap().text(), Ok("zwölf"));
        assert_eq!(
            message.next(),
            Ok(Some(Field { number: 7, value: Wire::Fixed64(0x8000_0000_0000_0001) }))
        );
        assert_eq!(message.next(), Ok(Some(Field { number: 8, value: Wire::Fixed32(2) })));
        assert_eq!(message.next(), Ok(None));
    }

    #[test]
    fn what_is_no_message_is_told_so() {
        for (bytes, error) in [
            (&[0x0a, 5, 1][..], WireError::CutOff),
            (&[0x0a], WireError::CutOff),
            (&[0x09, 1, 2], WireError::CutOff),
            (&[0x08, 0xff], WireError::CutOff),
            (&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], WireError::LongNumber),
            (&[0x0b], WireError::UnknownType(1)),
            (&[0x00, 1], WireError::NoField),
            (&[0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], WireError::CutOff),
        ] {
            assert_eq!(Message::new(bytes).next(), Err(error), "{bytes:?}");
        }
        let field = Field { number: 3, value: Wire::Bytes(&[0xff]) };
        assert_eq!(field.text(), Err(WireError::NotUtf8(3)));
        assert_eq!(field.number(), Err(WireError::WrongType(3)));
    }
}

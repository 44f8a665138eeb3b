//! The layout of one frame, and the decoder that finds frames in what a connection delivers.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | length of all that follows this field |
//! | 4..8 | CRC32C of all that follows this field |
//! | 8 | frame type |
//! | 9 | kind of the call |
//! | 10..12 | group |
//! | 12..20 | call id, chosen by the caller, repeated in the answer |
//! | 20..24 | milliseconds the caller waits |
//! | 24.. | payload |
//!
//! All numbers are little-endian.

use bytes::{Buf, Bytes, BytesMut};

/// Size of all fields before the payload.
pub(super) const FRAME_HEADER_BYTES: usize = 24;
/// Of these, the length does not count itself.
const LENGTH_BYTES: usize = 4;
/// Length and checksum.
const UNCHECKED_BYTES: usize = 8;
/// Asked of the system at once: some hundred small frames, or one Raft entry.
const READ_BYTES: usize = 128 << 10;
/// With less room than this a read is not worth its call.
const READ_ROOM_BYTES_MIN: usize = 16 << 10;
/// Shorter payloads are copied out, so that a kept one does not hold a whole read buffer in memory.
const COPIED_PAYLOAD_BYTES_MAX: usize = 4 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameType {
    Call,
    Answer,
    /// The handler's error text instead of an answer.
    Failure,
    /// The answering side is working on calls or still receiving one.
    Alive,
}

impl FrameType {
    fn to_byte(self) -> u8 {
        match self {
            Self::Call => 1,
            Self::Answer => 2,
            Self::Failure => 3,
            Self::Alive => 4,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Call,
            2 => Self::Answer,
            3 => Self::Failure,
            4 => Self::Alive,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) frame_type: FrameType,
    pub(super) kind: u8,
    pub(super) group: u16,
    pub(super) call_id: u64,
    pub(super) deadline_ms: u32,
    pub(super) payload: Bytes,
}

impl Frame {
    pub(super) fn answer(frame_type: FrameType, call_id: u64, payload: Bytes) -> Self {
        Self { frame_type, kind: 0, group: 0, call_id, deadline_ms: 0, payload }
    }

    pub(super) fn bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.payload.len()
    }

    /// Everything before the payload. The frame must have been checked against the limit, which is below 4 GiB.
    pub(super) fn encode_header(&self) -> [u8; FRAME_HEADER_BYTES] {
        let length = u32::try_from(self.bytes() - LENGTH_BYTES);
        assert!(length.is_ok(), "a frame over the limit must be refused before it is encoded");
        let mut checked = [0; FRAME_HEADER_BYTES - UNCHECKED_BYTES];
        checked[0] = self.frame_type.to_byte();
        checked[1] = self.kind;
        checked[2..4].copy_from_slice(&self.group.to_le_bytes());
        checked[4..12].copy_from_slice(&self.call_id.to_le_bytes());
        checked[12..].copy_from_slice(&self.deadline_ms.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&checked), &self.payload);
        let mut header = [0; FRAME_HEADER_BYTES];
        header[..LENGTH_BYTES].copy_from_slice(&length.unwrap_or_default().to_le_bytes());
        header[LENGTH_BYTES..UNCHECKED_BYTES].copy_from_slice(&crc.to_le_bytes());
        header[UNCHECKED_BYTES..].copy_from_slice(&checked);
        header
    }
}

/// Why a connection cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameFault {
    #[error("a frame of {bytes} bytes is shorter than its header")]
    Short { bytes: usize },
    #[error("a frame of {bytes} bytes is over the limit of {bytes_max}")]
    Long { bytes: usize, bytes_max: usize },
    #[error("a frame fails its checksum")]
    Checksum,
    #[error("a frame is of unknown type {0}; upgrade the older node")]
    UnknownType(u8),
    #[error("a frame came that the other side may not send")]
    Unexpected,
}

/// Collects bytes and cuts frames from them. Holds at most one frame and one read.
#[derive(Debug)]
pub(super) struct FrameDecoder {
    bytes: BytesMut,
    frame_bytes_max: usize,
}

impl FrameDecoder {
    pub(super) fn new(frame_bytes_max: usize) -> Self {
        Self { bytes: BytesMut::new(), frame_bytes_max }
    }

    /// Where to read to, with room for the rest of a frame whose length is known and allowed.
    pub(super) fn room(&mut self) -> &mut BytesMut {
        let missing = self.frame_bytes().ok().flatten().unwrap_or(0).saturating_sub(self.bytes.len());
        if self.bytes.capacity() - self.bytes.len() < missing.max(READ_ROOM_BYTES_MIN) {
            self.bytes.reserve(missing.max(READ_BYTES));
        }
        &mut self.bytes
    }

    /// The next whole frame, or None: more has to be read. After a fault the connection is of no use.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, FrameFault> {
        let Some(frame_bytes) = self.frame_bytes()? else { return Ok(None) };
        if self.bytes.len() < frame_bytes {
            return Ok(None);
        }
        let mut frame = if frame_bytes > COPIED_PAYLOAD_BYTES_MAX {
            self.bytes.split_to(frame_bytes).freeze()
        } else {
            let copy = Bytes::copy_from_slice(self.bytes.get(..frame_bytes).unwrap_or_default());
            self.bytes.advance(frame_bytes);
            copy
        };
        if crc32c::crc32c(frame.get(UNCHECKED_BYTES..).unwrap_or_default()) != read_crc(&frame) {
            return Err(FrameFault::Checksum);
        }
        frame.advance(UNCHECKED_BYTES);
        let type_byte = frame.get_u8();
        Ok(Some(Frame {
            frame_type: FrameType::from_byte(type_byte).ok_or(FrameFault::UnknownType(type_byte))?,
            kind: frame.get_u8(),
            group: frame.get_u16_le(),
            call_id: frame.get_u64_le(),
            deadline_ms: frame.get_u32_le(),
            payload: frame,
        }))
    }

    /// The whole length of the frame at the front, checked, once its first bytes are here.
    fn frame_bytes(&self) -> Result<Option<usize>, FrameFault> {
        let Some(length) = self.bytes.first_chunk() else { return Ok(None) };
        let bytes = (u32::from_le_bytes(*length) as usize).saturating_add(LENGTH_BYTES);
        match bytes {
            _ if bytes < FRAME_HEADER_BYTES => Err(FrameFault::Short { bytes }),
            _ if bytes > self.frame_bytes_max => {
                Err(FrameFault::Long { bytes, bytes_max: self.frame_bytes_max })
            }
            _ => Ok(Some(bytes)),
        }
    }
}

fn read_crc(frame: &Bytes) -> u32 {
    let after_length = frame.get(LENGTH_BYTES..).and_then(<[u8]>::first_chunk);
    after_length.map_or(0, |crc| u32::from_le_bytes(*crc))
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 64 << 10;

    fn encoded(frames: &[Frame]) -> Vec<u8> {
        frames.iter().flat_map(|frame| [&frame.encode_header(), &frame.payload[..]].concat()).collect()
    }

    /// Feeds `bytes` in pieces and gives back the frames before the first fault.
    fn decode(bytes: &[u8], piece_bytes: usize) -> (Vec<Frame>, Option<FrameFault>) {
        let mut decoder = FrameDecoder::new(LIMIT);
        let mut frames = Vec::new();
        for piece in bytes.chunks(piece_bytes) {
            decoder.room().put_slice(piece);
            let held = decoder.bytes.capacity();
            assert!(held <= 2 * (LIMIT + READ_BYTES), "the decoder holds {held} bytes");
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(fault) => return (frames, Some(fault)),
                }
            }
        }
        (frames, None)
    }

    fn any_frame() -> impl Strategy<Value = Frame> {
        let payload = prop_oneof![0..200_usize, 0..LIMIT - FRAME_HEADER_BYTES]
            .prop_flat_map(|bytes| prop::collection::vec(any::<u8>(), bytes));
        (1..=4_u8, any::<u8>(), any::<u16>(), any::<u64>(), any::<u32>(), payload).prop_map(
            |(type_byte, kind, group, call_id, deadline_ms, payload)| Frame {
                frame_type: FrameType::from_byte(type_byte).unwrap(),
                kind,
                group,
                call_id,
                deadline_ms,
                payload: payload.into(),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn frames_come_out_as_they_went_in(
            frames in prop::collection::vec(any_frame(), 0..6),
            piece_bytes in 1..100_000_usize,
        ) {
            prop_assert_eq!(decode(&encoded(&frames), piece_bytes), (frames, None));
        }

        #[test]
        fn a_changed_bit_is_never_taken_for_a_frame(
            frame in any_frame(),
            place in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let mut bytes = encoded(std::slice::from_ref(&frame));
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let (frames, _) = decode(&bytes, LIMIT);
            prop_assert!(frames.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic_nor_allocate_past_the_limit(
            bytes in prop::collection::vec(any::<u8>(), 0..4096),
            length in any::<u32>(),
            piece_bytes in 1..5000_usize,
        ) {
            decode(&bytes, piece_bytes);
            let with_length = [&length.to_le_bytes(), &bytes[..]].concat();
            decode(&with_length, piece_bytes);
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_memory_is_taken() {
        let mut decoder = FrameDecoder::new(LIMIT);
        decoder.room().put_slice(&u32::MAX.to_le_bytes());
        decoder.room();
        assert!(decoder.bytes.capacity() <= 2 * READ_BYTES);
        assert!(matches!(decoder.next_frame(), Err(FrameFault::Long { .. })));
    }

    #[test]
    fn a_frame_of_another_version_is_named() {
        let frame = Frame::answer(FrameType::Answer, 7, Bytes::from_static(b"x"));
        let mut bytes = encoded(&[frame]);
        bytes[UNCHECKED_BYTES] = 9;
        let crc = crc32c::crc32c(&bytes[UNCHECKED_BYTES..]);
        bytes[LENGTH_BYTES..UNCHECKED_BYTES].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(decode(&bytes, LIMIT).1, Some(FrameFault::UnknownType(9)));
    }
}

//! What anybody may send to a peer's address, read for the fuzz targets: nothing panics, and what is read is written alike.

use super::frame::FrameDecoder;
use super::hello::{Hello, PREFIX_BYTES, Prefix, refusal, refusal_reason};

const FRAME_BYTES_MAX: usize = 1 << 20;

/// The messages of the handshake.
pub(crate) fn read_hello(input: &[u8]) {
    if let Some((prefix, body)) = input.split_first_chunk::<PREFIX_BYTES>()
        && let Some(prefix) = Prefix::decode(*prefix)
    {
        let is_known = prefix.message_type().is_some();
        assert!(is_known || !matches!(input.get(6), Some(1..=3)), "a known type is known");
        read_body(body);
    }
    read_body(input);
}

fn read_body(body: &[u8]) {
    if let Some(hello) = Hello::decode(body) {
        assert!(Hello::decode(&hello.encode()) == Some(hello), "a hello is written alike");
    }
    let reason = refusal_reason(body);
    assert!(!reason.chars().any(char::is_control), "a reason fits a line");
    assert!(refusal(&reason).len() >= PREFIX_BYTES, "a refusal has a prefix");
}

/// Frames as they come: the first byte says in pieces of which length.
pub(crate) fn read_frames(input: &[u8]) {
    let Some((piece, bytes)) = input.split_first() else { return };
    let mut decoder = FrameDecoder::new(FRAME_BYTES_MAX);
    for piece in bytes.chunks(usize::from(*piece).max(1)) {
        decoder.room().extend_from_slice(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => assert!(frame.bytes() <= FRAME_BYTES_MAX, "a frame keeps to its bound"),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

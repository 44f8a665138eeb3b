//! How the values of a column become bytes: a few encodings per type, the smallest wins.
//!
//! Every stream begins with its [`Tag`]; streams nest (a dictionary holds a stream of texts and one of
//! codes; `Zstd` holds any other stream). How many values a stream holds is known from outside.
//! Decoding takes any bytes: it never panics and allocates in proportion to the count it was told.

mod cursor;
mod floats;
mod integers;
mod packed;
mod picking;
mod rows;
mod text_decoding;
mod texts;

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

pub(super) use cursor::{Cursor, put_varint};
pub(super) use floats::decode_floats;
pub(super) use integers::{decode_codes_below, decode_integers};
pub(super) use picking::{pick_floats, pick_integers, pick_texts};
pub(super) use rows::decode_rows;
pub(super) use text_decoding::decode_texts;
pub(super) use texts::{Distinct, HashedKey};

/// Fast, and on sorted columns close to the higher levels.
const ZSTD_LEVEL: i32 = 1;
/// Below this zstd's own header eats the gain.
const ZSTD_BYTES_MIN: usize = 48;
/// Largest stream after decompression: bounds what damaged bytes can make a node allocate.
const STREAM_BYTES_MAX: usize = 512 << 20;

/// Bytes that are no stream of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DamagedChunk(pub(super) &'static str);

pub(super) type Decoded<T> = Result<T, DamagedChunk>;

/// First byte of every stream. Numbers are the disk form and never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    /// Another stream, compressed: length of the stream, length of the frame, frame.
    Zstd = 0,
    /// One value for all: the value.
    Constant = 1,
    /// Integers: base, scale, then (value - base) / scale bit-packed in groups.
    Packed = 2,
    /// As `Packed`, but of the differences from value to value.
    Delta = 3,
    /// At most 256 different values: their count, the values, one byte per value.
    Codes = 4,
    /// Floats that are decimal fractions: digits, integers stream.
    Decimal = 5,
    /// Floats as they are, byte planes one after another.
    Planes = 6,
    /// Texts as they are: lengths, bytes.
    Plain = 7,
    /// Few different texts: their count, texts stream, codes.
    Dictionary = 8,
    /// Texts that are lower-case hex of even length: lengths, half as many bytes.
    Hex = 9,
    /// Texts that are UUIDs in lower case: 16 bytes each.
    Uuid = 10,
    /// Texts that are integers as a machine prints them: integers stream.
    Number = 11,
    /// Texts that begin and end alike: the beginning, the end, texts stream of what is between.
    Affixed = 12,
    /// Rows: all of them.
    AllRows = 13,
    /// Rows: one bit per row.
    Bitmap = 14,
    /// Rows: integers stream.
    RowList = 15,
    /// Bytes of no further structure: length, bytes.
    Opaque = 16,
    /// Texts that are decimal fractions: digits behind the point, how many of them each shows, integers stream.
    DecimalText = 17,
}

impl Tag {
    const ALL: [Tag; 18] = [
        Tag::Zstd,
        Tag::Constant,
        Tag::Packed,
        Tag::Delta,
        Tag::Codes,
        Tag::Decimal,
        Tag::Planes,
        Tag::Plain,
        Tag::Dictionary,
        Tag::Hex,
        Tag::Uuid,
        Tag::Number,
        Tag::Affixed,
        Tag::AllRows,
        Tag::Bitmap,
        Tag::RowList,
        Tag::Opaque,
        Tag::DecimalText,
    ];

    fn from_number(number: u8) -> Decoded<Tag> {
        Tag::ALL.get(usize::from(number)).copied().ok_or(DamagedChunk("an unknown encoding"))
    }
}

/// Encodes columns; keeps the compressor's tables from column to column.
pub(super) struct Encoder {
    zstd: Compressor<'static>,
}

impl Encoder {
    pub(super) fn new() -> std::io::Result<Encoder> {
        Ok(Encoder { zstd: Compressor::new(ZSTD_LEVEL)? })
    }

    /// The stream, or its compressed form if that is smaller.
    pub(super) fn compressed(&mut self, stream: Vec<u8>) -> Vec<u8> {
        if stream.len() < ZSTD_BYTES_MIN || stream.len() > STREAM_BYTES_MAX {
            return stream;
        }
        // A compressor that fails costs space, never data: the stream itself is stored.
        let Ok(frame) = self.zstd.compress(&stream) else { return stream };
        let mut out = Vec::with_capacity(frame.len() + 12);
        out.push(Tag::Zstd as u8);
        cursor::put_varint(&mut out, stream.len() as u64);
        cursor::put_varint(&mut out, frame.len() as u64);
        out.extend_from_slice(&frame);
        if out.len() < stream.len() { out } else { stream }
    }
}

impl Encoder {
    /// Appends a stream of bytes that have a form of their own.
    pub(super) fn opaque(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut stream = vec![Tag::Opaque as u8];
        put_varint(&mut stream, bytes.len() as u64);
        stream.extend_from_slice(bytes);
        out.extend_from_slice(&self.compressed(stream));
    }
}

/// The bytes of [`Encoder::opaque`].
pub(super) fn decode_opaque(cursor: &mut Cursor<'_>) -> Decoded<Vec<u8>> {
    decode_stream(cursor, |tag, cursor| match tag {
        Tag::Opaque => {
            let length = cursor.length()?;
            Ok(cursor.take(length)?.to_vec())
        }
        _ => Err(DamagedChunk("a stream of bytes has another encoding")),
    })
}

/// Reads a stream: hands its tag and content to `read`, decompressed if need be.
pub(super) fn decode_stream<T>(
    cursor: &mut Cursor<'_>,
    read: impl FnOnce(Tag, &mut Cursor<'_>) -> Decoded<T>,
) -> Decoded<T> {
    let tag = Tag::from_number(cursor.u8()?)?;
    if tag != Tag::Zstd {
        return read(tag, cursor);
    }
    let bytes = inflate(cursor)?;
    let mut inner = Cursor::new(&bytes);
    match Tag::from_number(inner.u8()?)? {
        Tag::Zstd => Err(DamagedChunk("a stream is compressed twice")),
        tag => {
            let value = read(tag, &mut inner)?;
            inner.expect_end()?;
            Ok(value)
        }
    }
}

/// Passes over a stream that is compressed; false, with nothing read, where it is not.
fn pass_frame(cursor: &mut Cursor<'_>) -> Decoded<bool> {
    let mut ahead = cursor.clone();
    if Tag::from_number(ahead.u8()?)? != Tag::Zstd {
        return Ok(false);
    }
    ahead.length()?;
    let frame_length = ahead.length()?;
    ahead.take(frame_length)?;
    *cursor = ahead;
    Ok(true)
}

/// With the tables of the thread: to make them takes as long as to inflate a small stream.
fn decompress(frame: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|held| {
        let decompressor = match held {
            Some(decompressor) => decompressor,
            None => held.insert(Decompressor::new()?),
        };
        decompressor.decompress(frame, length)
    })
}

fn inflate(cursor: &mut Cursor<'_>) -> Decoded<Vec<u8>> {
    let length = cursor.length()?;
    if length > STREAM_BYTES_MAX {
        return Err(DamagedChunk("a compressed stream is too long"));
    }
    let frame_length = cursor.length()?;
    let frame = cursor.take(frame_length)?;
    let bytes = decompress(frame, length).map_err(|_| DamagedChunk("a compressed stream cannot be read"))?;
    if bytes.len() == length { Ok(bytes) } else { Err(DamagedChunk("a compressed stream is too short")) }
}

//! Passwords, service tokens, signed tokens and secrets: pure functions. Random bytes come as arguments; who exists is
//! kept by the replicated control state, who may do what by the model.

pub(crate) mod admin_password;
pub mod password;
mod secret;
pub mod signed;
pub mod token;

pub use secret::Secret;

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// So many bytes from twice as many lower-case hex digits.
pub fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_writes_two_digits_a_byte() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
        assert_eq!(unhex("000fa5ff"), Some([0x00, 0x0f, 0xa5, 0xff]));
        for wrong in ["", "000fa5f", "000fa5ff0", "000fa5ff00", "000FA5FF", "000fa5fg", "000fa5f\u{e9}"] {
            assert_eq!(unhex::<4>(wrong), None, "{wrong:?}");
        }
    }
}

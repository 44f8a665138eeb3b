//! Texts that are numbers in disguise: hex ids, UUIDs, decimal integers.

/// The 16 bytes of a UUID in its usual form, lower case.
pub(super) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 36 {
        return None;
    }
    let mut bytes = [0; 16];
    let mut digits = text.iter().enumerate().filter(|(at, _)| !is_dash_place(*at)).map(|(_, digit)| *digit);
    for byte in &mut bytes {
        *byte = nibble(digits.next()?)? << 4 | nibble(digits.next()?)?;
    }
    let dashed = text.iter().enumerate().all(|(at, byte)| is_dash_place(at) == (*byte == b'-'));
    dashed.then_some(bytes)
}

/// Appends a UUID in its usual form.
pub(super) fn push_uuid(bytes: &[u8], out: &mut Vec<u8>) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        push_hex(&[*byte], out);
    }
}

fn is_dash_place(at: usize) -> bool {
    matches!(at, 8 | 13 | 18 | 23)
}

/// Appends the bytes of a text in lower-case hex of even length; false, and nothing of use, if it is not.
pub(super) fn hex_bytes(text: &str, out: &mut Vec<u8>) -> bool {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return false;
    }
    for [high, low] in pairs {
        match (nibble(*high), nibble(*low)) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => return false,
        }
    }
    true
}

/// Appends bytes as lower-case hex.
pub(super) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The integer a text is, if printing the integer gives the text again.
pub(super) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" && digits.len() == text.len() || !digits.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_taken_as_an_id_prints_the_same(text in "[0-9a-fA-F-]{0,40}|-?[0-9]{1,20}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
            if let Some(integer) = integer(&text) {
                prop_assert_eq!(integer.to_string(), text.clone());
            }
            if let Some(bytes) = uuid_bytes(&text) {
                let mut out = Vec::new();
                push_uuid(&bytes, &mut out);
                prop_assert_eq!(&out, text.as_bytes());
            }
            let mut bytes = Vec::new();
            if hex_bytes(&text, &mut bytes) {
                let mut out = Vec::new();
                push_hex(&bytes, &mut out);
                prop_assert_eq!(&out, text.as_bytes());
            }
        }
    }

    #[test]
    fn only_canonical_forms_are_taken() {
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
        for text in ["", "-", "-0", "007", "+1", "9223372036854775808", "1.0"] {
            assert_eq!(integer(text), None, "{text}");
        }
        assert!(uuid_bytes("7e57d004-2b97-0e7a-b45f-5387367791cd").is_some());
        assert!(uuid_bytes("7E57d004-2b97-0e7a-b45f-5387367791cd").is_none());
        assert!(!hex_bytes("abc", &mut Vec::new()) && !hex_bytes("AB", &mut Vec::new()));
    }
}

//! Texts that are numbers in disguise: hex ids, UUIDs, decimal integers and fractions.

/// The 16 bytes of a UUID in its usual form, lower case.
pub(crate) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
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
pub(crate) fn push_uuid(bytes: &[u8], out: &mut String) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        push_hex(&[*byte], out);
    }
}

fn is_dash_place(at: usize) -> bool {
    matches!(at, 8 | 13 | 18 | 23)
}

/// Appends the bytes of a text in lower-case hex of even length; false, and nothing of use, if it is not.
pub(crate) fn hex_bytes(text: &str, out: &mut Vec<u8>) -> bool {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return false;
    }
    let digit = |byte: &u8| HEX_DIGITS.get(usize::from(*byte)).copied().unwrap_or(NO_DIGIT);
    for [high, low] in pairs {
        let (high, low) = (digit(high), digit(low));
        if (high | low) == NO_DIGIT {
            return false;
        }
        out.push(high << 4 | low);
    }
    true
}

/// The value of each byte as a lower-case hex digit. No digit has all bits set, and so has what is joined with it.
const HEX_DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = u8::MAX;

/// Appends bytes as lower-case hex.
pub(crate) fn push_hex(bytes: &[u8], out: &mut String) {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The integer a text is, if printing the integer gives the text again.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !is_negative => return Some(0),
        [] | [b'0', ..] => return None,
        _ if digits.len() > DIGITS_SAFE => {
            return digits.iter().all(u8::is_ascii_digit).then(|| text.parse().ok()).flatten();
        }
        _ => {}
    }
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    Some(if is_negative { -number } else { number })
}

/// So many decimal digits fit into an `i64`, whatever they are.
const DIGITS_SAFE: usize = 18;

/// Digits behind the point of a decimal: microseconds in seconds, and no more than an `i64` can scale.
pub(crate) const DECIMAL_DIGITS_MAX: u32 = 9;

/// The digits of a decimal without its point, and how many of them are behind it. Only what
/// [`push_decimal`] prints again: no sign, no zero in front of another digit.
pub(crate) fn decimal(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits <= DECIMAL_DIGITS_MAX)?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(fraction)
        || !is_digits(whole)
        || whole.is_empty()
        || (whole.len() > 1 && whole.starts_with('0'))
    {
        return None;
    }
    let add = |number: i64, digit: u8| number.checked_mul(10)?.checked_add(i64::from(digit - b'0'));
    whole.bytes().chain(fraction.bytes()).try_fold(0, add).map(|number| (number, digits))
}

/// Appends a decimal that is kept as an integer of `scale` digits behind the point, of which `digits` are shown.
pub(crate) fn push_decimal(scaled: i64, scale: u32, digits: u32, out: &mut String) {
    let unit = 10i64.pow(scale.min(DECIMAL_DIGITS_MAX));
    let (whole, fraction) = (scaled.unsigned_abs() / unit as u64, scaled.unsigned_abs() % unit as u64);
    let digits = digits.min(scale).min(DECIMAL_DIGITS_MAX);
    push_digits(whole, 1, out);
    if digits > 0 {
        out.push('.');
        push_digits(fraction / 10u64.pow(scale.min(DECIMAL_DIGITS_MAX) - digits), digits as usize, out);
    }
}

/// Appends an integer as a machine prints it: some times as fast as the formatting of the standard library,
/// which counts where a message is put together.
pub(crate) fn push_integer(integer: i64, out: &mut String) {
    if integer < 0 {
        out.push('-');
    }
    push_digits(integer.unsigned_abs(), 1, out);
}

/// Appends a number with zeros in front of it up to `width` digits.
fn push_digits(number: u64, width: usize, out: &mut String) {
    let mut digits = [b'0'; 20];
    let (mut left, mut count) = (number, 0);
    for digit in digits.iter_mut().rev() {
        if left == 0 && count >= width {
            break;
        }
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
        count += 1;
    }
    let shown = digits.get(digits.len() - count..).unwrap_or(&[]);
    out.push_str(std::str::from_utf8(shown).unwrap_or(""));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_taken_as_an_id_prints_the_same(text in "[0-9a-fA-F-]{0,40}|-?[0-9]{1,20}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
            if let Some(integer) = integer(&text) {
                let mut out = String::new();
                push_integer(integer, &mut out);
                prop_assert_eq!(&out, &text);
            }
            if let Some(bytes) = uuid_bytes(&text) {
                let mut out = String::new();
                push_uuid(&bytes, &mut out);
                prop_assert_eq!(&out, &text);
            }
            let mut bytes = Vec::new();
            if hex_bytes(&text, &mut bytes) {
                let mut out = String::new();
                push_hex(&bytes, &mut out);
                prop_assert_eq!(&out, &text);
            }
        }

        #[test]
        fn what_is_taken_as_a_decimal_prints_the_same(text in "[0-9]{1,12}(\\.[0-9]{0,10})?|[0-9.]{0,6}", more in 0u32..4) {
            if let Some((number, digits)) = decimal(&text) {
                let scale = (digits + more).min(DECIMAL_DIGITS_MAX);
                if let Some(scaled) = number.checked_mul(10i64.pow(scale - digits)) {
                    let mut out = String::new();
                    push_decimal(scaled, scale, digits, &mut out);
                    prop_assert_eq!(out, text);
                }
            }
        }
    }

    #[test]
    fn only_canonical_forms_are_taken() {
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
        let mut out = String::new();
        push_integer(i64::MIN, &mut out);
        assert_eq!(out, "-9223372036854775808");
        for text in ["", "-", "-0", "007", "+1", "9223372036854775808", "1.0"] {
            assert_eq!(integer(text), None, "{text}");
        }
        assert!(uuid_bytes("7e57d004-2b97-0e7a-b45f-5387367791cd").is_some());
        assert!(uuid_bytes("7E57d004-2b97-0e7a-b45f-5387367791cd").is_none());
        assert!(!hex_bytes("abc", &mut Vec::new()) && !hex_bytes("AB", &mut Vec::new()));
    }
}

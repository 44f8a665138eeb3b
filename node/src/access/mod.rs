//! Passwords, service tokens and secrets: pure functions. Random bytes come as arguments; who exists is
//! kept by the replicated control state, who may do what by the model.

pub(crate) mod admin_password;
pub mod password;
mod secret;
pub mod token;

pub use secret::Secret;

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_writes_two_digits_a_byte() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
    }
}

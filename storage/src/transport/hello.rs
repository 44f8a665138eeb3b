//! The messages of the handshake and the proofs that both sides know the secret.
//!
//! Caller and answerer exchange hellos, then proofs; either may send a refusal instead. A message is magic (4),
//! protocol version (2), message type (1), length of the body (2), body; numbers are little-endian. This layout
//! and that of a refusal stay the same in all versions, so that nodes of different versions can say so.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Lane, PeerIdentity};

pub(super) const MAGIC: [u8; 4] = *b"IHPT";
/// Raised when a node of the version before could not understand a frame or a message.
pub(super) const PROTOCOL_VERSION: u16 = 1;
pub(super) const PREFIX_BYTES: usize = 9;
/// Above any hello (two texts of 255 bytes) and any reason.
pub(super) const BODY_BYTES_MAX: usize = 1024;
/// Lengths of texts are one byte.
pub(super) const TEXT_BYTES_MAX: usize = 255;
pub(super) const NONCE_BYTES: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageType {
    Hello,
    Proof,
    Refusal,
}

impl MessageType {
    fn to_byte(self) -> u8 {
        match self {
            Self::Hello => 1,
            Self::Proof => 2,
            Self::Refusal => 3,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Hello,
            2 => Self::Proof,
            3 => Self::Refusal,
            _ => return None,
        })
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Lane(Lane),
    /// One call of a node that may be of no or of another cluster.
    Visit,
}

impl Purpose {
    fn to_byte(self) -> u8 {
        match self {
            Self::Lane(Lane::Urgent) => 1,
            Self::Lane(Lane::Bulk) => 2,
            Self::Lane(Lane::Request) => 3,
            Self::Visit => 4,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Lane(Lane::Urgent),
            2 => Self::Lane(Lane::Bulk),
            3 => Self::Lane(Lane::Request),
            4 => Self::Visit,
            _ => return None,
        })
    }
}

/// The front of a message, as far as every version understands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) version: u16,
    message_type: u8,
    pub(super) body_bytes: usize,
}

impl Prefix {
    /// None: the other side is no node of ours.
    pub(super) fn decode(bytes: [u8; PREFIX_BYTES]) -> Option<Self> {
        let [a, b, c, d, version_low, version_high, message_type, body_low, body_high] = bytes;
        let body_bytes = usize::from(u16::from_le_bytes([body_low, body_high]));
        let ours = [a, b, c, d] == MAGIC && body_bytes <= BODY_BYTES_MAX;
        let version = u16::from_le_bytes([version_low, version_high]);
        ours.then_some(Self { version, message_type, body_bytes })
    }

    pub(super) fn message_type(self) -> Option<MessageType> {
        MessageType::from_byte(self.message_type)
    }
}

/// A whole message. The body is one of ours and therefore within the bound.
pub(super) fn message(message_type: MessageType, body: &[u8]) -> Vec<u8> {
    assert!(body.len() <= BODY_BYTES_MAX, "a handshake message is longer than its bound");
    let mut out = Vec::with_capacity(PREFIX_BYTES + body.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&PROTOCOL_VERSION.to_le_bytes());
    out.push(message_type.to_byte());
    out.extend_from_slice(&(body.len() as u16).to_le_bytes());
    out.extend_from_slice(body);
    out
}

/// Reasons cross the wire cut to the bound and without what would disturb a log line.
pub(super) fn refusal(reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(BODY_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    message(MessageType::Refusal, reason.get(..end).unwrap_or_default().as_bytes())
}

pub(super) fn refusal_reason(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Who speaks, what for, and a number never used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub(super) purpose: Purpose,
    pub(super) has_secret: bool,
    pub(super) nonce: [u8; NONCE_BYTES],
    pub(super) identity: PeerIdentity,
}

impl Hello {
    /// The body. Texts were checked when they became this node's identity.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.purpose.to_byte(), u8::from(self.has_secret)];
        out.extend_from_slice(&self.nonce);
        put_text(&mut out, self.identity.cluster_id.as_deref().unwrap_or_default());
        out.push(u8::from(self.identity.node_id.is_some()));
        out.extend_from_slice(&self.identity.node_id.unwrap_or_default().to_le_bytes());
        put_text(&mut out, &self.identity.name);
        out
    }

    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let mut rest = body;
        let [purpose, has_secret] = take(&mut rest)?;
        let nonce = take(&mut rest)?;
        let cluster_id = take_text(&mut rest)?;
        let [has_node_id] = take(&mut rest)?;
        let node_id = u64::from_le_bytes(take(&mut rest)?);
        let name = take_text(&mut rest)?;
        let plain = has_secret <= 1 && has_node_id <= 1 && rest.is_empty() && is_name(&name);
        plain.then_some(Self {
            purpose: Purpose::from_byte(purpose)?,
            has_secret: has_secret == 1,
            nonce,
            identity: PeerIdentity {
                cluster_id: Some(cluster_id).filter(|id| !id.is_empty()),
                node_id: (has_node_id == 1).then_some(node_id),
                name,
            },
        })
    }
}

/// Names end up in logs and on pages.
pub(super) fn is_name(name: &str) -> bool {
    (1..=TEXT_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes().get(..TEXT_BYTES_MAX).unwrap_or(text.as_bytes());
    out.push(text.len() as u8);
    out.extend_from_slice(text);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let [bytes] = take(rest)?;
    let (text, left) = rest.split_at_checked(usize::from(bytes))?;
    *rest = left;
    let text = std::str::from_utf8(text).ok()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// Which end of a connection proves itself; a proof of one is none of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Caller,
    Answerer,
}

/// HMAC-SHA256 over role and both hellos, which hold both nonces and both identities.
fn mac(secret: &[u8], role: Role, caller: &[u8], answerer: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(b"insighthub peer handshake 1 ");
    mac.update(match role {
        Role::Caller => b"caller  ",
        Role::Answerer => b"answerer",
    });
    for hello in [caller, answerer] {
        mac.update(&(hello.len() as u64).to_le_bytes());
        mac.update(hello);
    }
    Some(mac)
}

/// Empty without a secret.
pub(super) fn prove(secret: Option<&[u8]>, role: Role, caller: &[u8], answerer: &[u8]) -> Vec<u8> {
    let mac = secret.and_then(|secret| mac(secret, role, caller, answerer));
    mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
}

/// Compares in constant time.
pub(super) fn is_proof(
    proof: &[u8],
    secret: Option<&[u8]>,
    role: Role,
    caller: &[u8],
    answerer: &[u8],
) -> bool {
    let Some(secret) = secret else { return proof.is_empty() };
    mac(secret, role, caller, answerer).is_some_and(|mac| mac.verify_slice(proof).is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_hello() -> impl Strategy<Value = Hello> {
        let text = "[a-z0-9-]{1,60}";
        (1..=4_u8, any::<bool>(), any::<[u8; 32]>(), prop::option::of(text), any::<Option<u64>>(), text)
            .prop_map(|(purpose, has_secret, nonce, cluster_id, node_id, name)| Hello {
                purpose: Purpose::from_byte(purpose).unwrap(),
                has_secret,
                nonce,
                identity: PeerIdentity { cluster_id, node_id, name },
            })
    }

    proptest! {
        #[test]
        fn a_hello_comes_out_as_it_went_in(hello in any_hello()) {
            prop_assert_eq!(Hello::decode(&hello.encode()), Some(hello));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            drop(Hello::decode(&bytes));
            refusal_reason(&bytes);
        }

        #[test]
        fn a_cut_hello_is_none(hello in any_hello(), cut in any::<prop::sample::Index>()) {
            let body = hello.encode();
            prop_assert_eq!(Hello::decode(&body[..cut.index(body.len())]), None);
        }
    }

    #[test]
    fn a_proof_holds_for_its_role_hellos_and_secret_only() {
        let proof = prove(Some(b"secret"), Role::Caller, b"one", b"two");
        assert!(is_proof(&proof, Some(b"secret"), Role::Caller, b"one", b"two"));
        assert!(!is_proof(&proof, Some(b"secret"), Role::Answerer, b"one", b"two"));
        assert!(!is_proof(&proof, Some(b"secret"), Role::Caller, b"two", b"one"));
        assert!(!is_proof(&proof, Some(b"secret"), Role::Caller, b"onet", b"wo"));
        assert!(!is_proof(&proof, Some(b"Secret"), Role::Caller, b"one", b"two"));
        assert!(!is_proof(&[], Some(b"secret"), Role::Caller, b"one", b"two"));
        assert!(!is_proof(&proof, None, Role::Caller, b"one", b"two"));
    }
}

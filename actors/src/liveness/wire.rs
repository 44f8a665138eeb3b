//! What nodes send each other over ractor_cluster: this file is the whole protocol.
//!
//! JSON, so that a captured beat can be read. Fields may be added; the version changes only when an
//! older node would misread what is sent.

use std::collections::BTreeMap;

use ractor::message::{BoxedDowncastErr, SerializedMessage};
use serde::{Deserialize, Serialize};

use super::report::{NodeReport, REPORT_BYTES_MAX};

const VERSION: u8 = 1;
/// A report and what is around it: the cluster's id and one acknowledgement for each peer.
pub(crate) const PACKET_BYTES_MAX: usize = REPORT_BYTES_MAX + 64 * 1_024;
/// An event says that something changed, not what it is now.
pub(crate) const EVENT_BYTES_MAX: usize = 4 * 1_024;

/// Something every node should look at soon. Best effort: what must not be lost goes through the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ControlEvent {
    MembershipChanged,
    SessionRevoked {
        session: String,
    },
    /// Of a newer node; nothing to act on.
    #[serde(other)]
    Unknown,
}

/// One message between nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    version: u8,
    pub(crate) cluster_id: String,
    pub(crate) from: u64,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    /// The sender is alive. `heard` acknowledges the newest beat it had of each node.
    Beat {
        report: Box<NodeReport>,
        heard: BTreeMap<u64, Mark>,
    },
    Event(ControlEvent),
}

/// Names one beat of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) incarnation: u64,
    pub(crate) sequence: u64,
}

/// Why a message is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("a message of {0} bytes is larger than any a node sends")]
    TooLarge(usize),
    #[error("the message has version {0}, this node reads {VERSION}: upgrade the older of the two nodes")]
    Version(u8),
    #[error("the message cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl Envelope {
    pub(crate) fn new(cluster_id: String, from: u64, body: Body) -> Envelope {
        Envelope { version: VERSION, cluster_id, from, body }
    }

    pub(crate) fn encode(&self) -> Result<Packet, WireError> {
        let bytes = serde_json::to_vec(self)?;
        let bytes_max = match self.body {
            Body::Beat { .. } => PACKET_BYTES_MAX,
            Body::Event(_) => EVENT_BYTES_MAX,
        };
        if bytes.len() > bytes_max { Err(WireError::TooLarge(bytes.len())) } else { Ok(Packet(bytes)) }
    }
}

/// An encoded envelope, as it lies in the mailbox of a beat receiver. Whatever bytes come from outside
/// become one: an error here would end the receiver.
#[derive(Debug, Clone)]
pub(crate) struct Packet(Vec<u8>);

impl Packet {
    pub(crate) fn decode(&self) -> Result<Envelope, WireError> {
        #[derive(Deserialize)]
        struct Head {
            version: u8,
        }
        if self.0.len() > PACKET_BYTES_MAX {
            return Err(WireError::TooLarge(self.0.len()));
        }
        let head: Head = serde_json::from_slice(&self.0)?;
        if head.version != VERSION {
            return Err(WireError::Version(head.version));
        }
        Ok(serde_json::from_slice(&self.0)?)
    }
}

impl ractor::Message for Packet {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Ok(SerializedMessage::Cast { variant: "packet".into(), args: self.0, metadata: None })
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        Ok(match message {
            SerializedMessage::Cast { args, .. } | SerializedMessage::Call { args, .. } => Packet(args),
            SerializedMessage::CallReply(_, reply) => Packet(reply),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat() -> Envelope {
        let report = NodeReport { node_id: u64::MAX, name: "n\"1".into(), ..NodeReport::default() };
        let heard = BTreeMap::from([(2, Mark { incarnation: u64::MAX - 1, sequence: 3 })]);
        Envelope::new("c".into(), u64::MAX, Body::Beat { report: Box::new(report), heard })
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        let event = Body::Event(ControlEvent::SessionRevoked { session: "s".into() });
        for envelope in [beat(), Envelope::new("c".into(), 1, event)] {
            assert_eq!(envelope.encode().unwrap().decode().unwrap(), envelope);
        }
    }

    #[test]
    fn an_event_of_a_newer_node_is_unknown_and_a_missing_field_has_its_default() {
        let event = br#"{"version":1,"cluster_id":"c","from":2,"body":{"event":{"kind":"tea","cups":2}}}"#;
        let read = Packet(event.to_vec()).decode().unwrap();
        assert_eq!(read.body, Body::Event(ControlEvent::Unknown));
        let beat = br#"{"version":1,"cluster_id":"c","from":2,"body":
            {"beat":{"report":{"node_id":2,"later":true},"heard":{}}}}"#;
        let Body::Beat { report, .. } = Packet(beat.to_vec()).decode().unwrap().body else { panic!() };
        assert_eq!(*report, NodeReport { node_id: 2, ..NodeReport::default() });
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let large = Packet(vec![b' '; PACKET_BYTES_MAX + 1]);
        assert!(matches!(large.decode(), Err(WireError::TooLarge(_))));
        assert!(matches!(Packet(b"{".to_vec()).decode(), Err(WireError::Malformed(_))));
        let newer = Packet(br#"{"version":9,"body":{"else":1}}"#.to_vec());
        assert!(matches!(newer.decode(), Err(WireError::Version(9))));
        let event = Body::Event(ControlEvent::SessionRevoked { session: "s".repeat(EVENT_BYTES_MAX) });
        let envelope = Envelope::new("c".into(), 1, event);
        assert!(matches!(envelope.encode(), Err(WireError::TooLarge(_))));
    }
}

//! The handshake on a fresh connection: both ends say who they are and prove it, or say why not.

use std::io;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::hello::{
    Hello, MessageType, NONCE_BYTES, PREFIX_BYTES, PROTOCOL_VERSION, Prefix, Purpose, Role, is_proof,
    message, prove, refusal, refusal_reason,
};
use super::{Dice, Handler, NodeId, PeerIdentity, Stream};

/// What this node says and proves about itself.
pub(super) struct Local {
    pub(super) identity: RwLock<PeerIdentity>,
    pub(super) secret: Option<Vec<u8>>,
    pub(super) dice: Dice,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeFault {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The other side refused, in its words.
    #[error("the peer says: {0}")]
    ByPeer(String),
    /// This side refuses.
    #[error("{0}")]
    ByUs(String),
}

const NO_PROOF: &str = "the secrets differ; all nodes of a cluster need the same [cluster] secret";

impl Local {
    fn hello(&self, purpose: Purpose) -> Hello {
        let mut nonce = [0; NONCE_BYTES];
        (self.dice)(&mut nonce);
        let identity = self.identity.read().clone();
        Hello { purpose, has_secret: self.secret.is_some(), nonce, identity }
    }

    fn same_secrecy(&self, other: &Hello) -> Result<(), HandshakeFault> {
        let reason = match (self.secret.is_some(), other.has_secret) {
            (true, false) => "has a secret and the other node has none",
            (false, true) => "has no secret and the other node has one",
            _ => return Ok(()),
        };
        let name = &self.identity.read().name;
        Err(HandshakeFault::ByUs(format!("{name} {reason}; give all nodes the same [cluster] secret")))
    }

    fn same_cluster(&self, other: &Hello, purpose: Purpose) -> Result<(), HandshakeFault> {
        let ours = self.identity.read();
        match (&ours.cluster_id, &other.identity.cluster_id) {
            (Some(ours_id), Some(theirs)) if ours_id != theirs && purpose != Purpose::Visit => {
                Err(HandshakeFault::ByUs(format!(
                    "{} is of cluster {ours_id} and {} of cluster {theirs}; check the peer addresses",
                    ours.name, other.identity.name
                )))
            }
            _ => Ok(()),
        }
    }

    /// The calling end. `expected`: the node that should be there.
    pub(super) async fn call(
        &self,
        stream: &mut dyn Stream,
        purpose: Purpose,
        expected: Option<NodeId>,
    ) -> Result<PeerIdentity, HandshakeFault> {
        let ours = self.hello(purpose).encode();
        send(stream, &message(MessageType::Hello, &ours)).await?;
        let theirs = receive(stream, MessageType::Hello).await?;
        let hello = hello_of(&theirs)?;
        self.same_secrecy(&hello)?;
        let secret = self.secret.as_deref();
        let proof = prove(secret, Role::Caller, &ours, &theirs);
        send(stream, &message(MessageType::Proof, &proof)).await?;
        let proof = receive(stream, MessageType::Proof).await?;
        if !is_proof(&proof, secret, Role::Answerer, &ours, &theirs) {
            return Err(HandshakeFault::ByUs(NO_PROOF.to_owned()));
        }
        self.same_cluster(&hello, purpose)?;
        is_expected(&hello.identity, expected)?;
        Ok(hello.identity)
    }

    /// The answering end. Refusals are told to the caller.
    pub(super) async fn answer(
        &self,
        stream: &mut dyn Stream,
        handler: &Arc<dyn Handler>,
    ) -> Result<(PeerIdentity, Purpose), HandshakeFault> {
        let answered = self.try_answer(stream, handler).await;
        if let Err(HandshakeFault::ByUs(reason)) = &answered {
            send(stream, &refusal(reason)).await?;
            stream.shutdown().await?;
        }
        answered
    }

    async fn try_answer(
        &self,
        stream: &mut dyn Stream,
        handler: &Arc<dyn Handler>,
    ) -> Result<(PeerIdentity, Purpose), HandshakeFault> {
        let theirs = receive(stream, MessageType::Hello).await?;
        let hello = hello_of(&theirs)?;
        self.same_secrecy(&hello)?;
        let ours = self.hello(hello.purpose).encode();
        send(stream, &message(MessageType::Hello, &ours)).await?;
        let proof = receive(stream, MessageType::Proof).await?;
        let secret = self.secret.as_deref();
        if !is_proof(&proof, secret, Role::Caller, &theirs, &ours) {
            return Err(HandshakeFault::ByUs(NO_PROOF.to_owned()));
        }
        self.same_cluster(&hello, hello.purpose)?;
        handler.admits(&hello.identity).map_err(HandshakeFault::ByUs)?;
        let proof = prove(secret, Role::Answerer, &theirs, &ours);
        send(stream, &message(MessageType::Proof, &proof)).await?;
        Ok((hello.identity, hello.purpose))
    }
}

fn is_expected(met: &PeerIdentity, expected: Option<NodeId>) -> Result<(), HandshakeFault> {
    let Some(expected) = expected.filter(|expected| met.node_id != Some(*expected)) else { return Ok(()) };
    let found = match met.node_id {
        Some(id) => format!("node {id}"),
        None => "no member of a cluster yet".to_owned(),
    };
    Err(HandshakeFault::ByUs(format!("node {expected} was dialled, but {} is {found}", met.name)))
}

fn hello_of(body: &[u8]) -> Result<Hello, HandshakeFault> {
    Hello::decode(body).ok_or_else(|| HandshakeFault::ByUs("the hello is malformed".to_owned()))
}

async fn send(stream: &mut dyn Stream, message: &[u8]) -> io::Result<()> {
    stream.write_all(message).await?;
    stream.flush().await
}

/// The body of the next message, which has to be of the wanted type.
async fn receive(stream: &mut dyn Stream, wanted: MessageType) -> Result<Vec<u8>, HandshakeFault> {
    let mut bytes = [0; PREFIX_BYTES];
    stream.read_exact(&mut bytes).await?;
    let Some(prefix) = Prefix::decode(bytes) else {
        // Not told to the other side: it would not understand.
        return Err(
            io::Error::new(io::ErrorKind::InvalidData, "the other side is not an InsightHub peer").into()
        );
    };
    let mut body = vec![0; prefix.body_bytes];
    stream.read_exact(&mut body).await?;
    match prefix.message_type() {
        Some(MessageType::Refusal) => Err(HandshakeFault::ByPeer(refusal_reason(&body))),
        _ if prefix.version != PROTOCOL_VERSION => Err(HandshakeFault::ByUs(format!(
            "this node speaks peer protocol {PROTOCOL_VERSION}, the other {}; upgrade the older one",
            prefix.version
        ))),
        Some(found) if found == wanted => Ok(body),
        _ => Err(HandshakeFault::ByUs("a handshake message came out of order".to_owned())),
    }
}

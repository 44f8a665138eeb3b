//! Whether a replica would be elected, asked before it stands (Ongaro, "Consensus", 2014, section 9.6). Terms do not
//! rise in vain: a node that was cut off or asleep deposes no leader when it comes back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};

use super::log_store::{GroupLog, LogFault};
use super::network::kind;
use super::types::{NodeId, RaftLogId};
use super::wire::{self, Answer};
use crate::codec::CodecError;
use crate::group::Group;
use crate::transport::{Call, CallError, Lane, Transport};
use crate::wal::{GroupId, Wal};

/// Why nobody could be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PreVoteError {
    #[error(transparent)]
    Log(#[from] LogFault),
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// From a replica that would stand.
#[derive(Debug, Serialize, Deserialize)]
struct PreVoteRequest {
    last_log_id: Option<RaftLogId>,
}

/// Whether a majority of the voters would elect this node. Voters that do not answer by `deadline` would not.
pub(crate) async fn would_be_elected(
    group: &Group,
    id: GroupId,
    me: NodeId,
    wal: &Arc<Wal>,
    transport: &Transport,
    deadline: Duration,
) -> Result<bool, PreVoteError> {
    let voters = group.voters();
    let request = wire::encode(&PreVoteRequest { last_log_id: last_log_id(wal, id).await? })?;
    let mut answers: FuturesUnordered<_> = voters
        .iter()
        .filter(|voter| **voter != me)
        .map(|voter| {
            let call = Call { kind: kind::PRE_VOTE, group: id.0, payload: request.clone() };
            transport.call(*voter, Lane::Urgent, call, deadline)
        })
        .collect();
    let mut granted = 1;
    while granted <= voters.len() / 2 {
        match answers.next().await {
            Some(answer) => granted += usize::from(is_granted(answer)),
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn is_granted(answer: Result<Bytes, CallError>) -> bool {
    matches!(answer.map(|bytes| wire::decode::<Answer<bool>>(&bytes)), Ok(Ok(Ok(true))))
}

/// A voter's answer: it hears no leader either, and lacks nothing the candidate's log has not.
pub(crate) async fn answer(
    group: &Group,
    id: GroupId,
    wal: &Arc<Wal>,
    payload: &[u8],
) -> Result<Bytes, CodecError> {
    let PreVoteRequest { last_log_id: candidates } = wire::decode(payload)?;
    if group.silent_for().is_none_or(|silence| silence <= group.lease()) {
        return wire::encode(&Answer::Ok(false));
    }
    let mine = last_log_id(wal, id).await.map_err(|error| error.to_string());
    let answer: Answer<bool> = mine.map(|mine| candidates >= mine);
    wire::encode(&answer)
}

async fn last_log_id(wal: &Arc<Wal>, id: GroupId) -> Result<Option<RaftLogId>, LogFault> {
    GroupLog::new(Arc::clone(wal), id).last_log_id().await
}

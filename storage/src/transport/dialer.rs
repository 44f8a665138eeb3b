//! Makes connections to peers: dialling, TLS, handshake, all within one deadline.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::connection::Connection;
use super::handshake::{HandshakeFault, Local};
use super::hello::Purpose;
use super::tls::Tls;
use super::{CallError, Network, NodeId, TransportLimits};

pub(super) struct Dialer {
    pub(super) network: Arc<dyn Network>,
    pub(super) local: Arc<Local>,
    pub(super) tls: Option<Tls>,
    pub(super) limits: TransportLimits,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Dialer").field("network", &self.network).finish_non_exhaustive()
    }
}

/// Why there is no connection, and whether finding out took all the time there was.
#[derive(Debug)]
pub(super) struct DialFault {
    pub(super) error: CallError,
    pub(super) timed_out: bool,
}

impl Dialer {
    pub(super) async fn connect(
        &self,
        address: &str,
        purpose: Purpose,
        expected: Option<NodeId>,
        deadline: Duration,
    ) -> Result<Connection, DialFault> {
        match timeout(deadline, self.try_connect(address, purpose, expected)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(fault)) => Err(DialFault { error: call_error(address, &fault), timed_out: false }),
            Err(_) => {
                let reason = format!("{address} did not answer within {} ms", deadline.as_millis());
                Err(DialFault { error: CallError::Unreachable { reason }, timed_out: true })
            }
        }
    }

    async fn try_connect(
        &self,
        address: &str,
        purpose: Purpose,
        expected: Option<NodeId>,
    ) -> Result<Connection, HandshakeFault> {
        let mut stream = self.network.dial(address).await?;
        if let Some(tls) = &self.tls {
            stream = tls.connect(address, stream).await?;
        }
        let peer = self.local.call(&mut *stream, purpose, expected).await?;
        Ok(Connection::new(stream, peer, self.limits))
    }
}

fn call_error(address: &str, fault: &HandshakeFault) -> CallError {
    let reason = format!("{address}: {fault}");
    match fault {
        // TLS says that it does not like a certificate as invalid data.
        HandshakeFault::Io(error) if error.kind() != std::io::ErrorKind::InvalidData => {
            CallError::Unreachable { reason }
        }
        _ => CallError::Refused { reason },
    }
}

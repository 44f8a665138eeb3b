//! The one restart policy: a failed actor comes back after a pause that doubles with each failure and
//! is forgotten after a calm minute. It never takes its parent with it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorId, SpawnErr, SupervisionEvent};

use crate::mailbox::{Mailbox, Queued};
use crate::roster::Entry;

const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// An actor that ran this long without failing starts again at the shortest pause.
const CALM: Duration = Duration::from_secs(60);

type Start = Box<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// The children of one parent.
#[derive(Default)]
pub(crate) struct Children {
    by_name: HashMap<String, Child>,
    names: HashMap<ActorId, String>,
}

struct Child {
    start: Start,
    entry: Arc<Entry>,
    disconnect: Box<dyn Fn() + Send + Sync>,
    cell: Option<ActorCell>,
    pause: Duration,
    started: Instant,
}

/// A child to be started again after a pause.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) name: String,
    pub(crate) after: Duration,
}

impl std::fmt::Debug for Children {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Children").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Children {
    /// Starts a child under `parent` and keeps what is needed to start it again.
    pub(crate) async fn start<A, M>(
        &mut self,
        parent: ActorCell,
        mailbox: &Mailbox<M>,
        make: impl Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    ) -> Result<(), SpawnErr>
    where
        A: Actor<Msg = Queued<M>>,
        M: Send + std::fmt::Debug + 'static,
    {
        let connect = mailbox.clone();
        let start: Start = Box::new(move |parent| {
            let ((actor, arguments), mailbox) = (make(), connect.clone());
            Box::pin(async move {
                let (actor, _) = Actor::spawn_linked(None, actor, arguments, parent).await?;
                mailbox.connect(actor.clone());
                Ok(actor.get_cell())
            })
        });
        let disconnect = mailbox.clone();
        let entry = Arc::clone(mailbox.entry());
        let name = entry.name.clone();
        let child = Child {
            start,
            entry,
            disconnect: Box::new(move || disconnect.disconnect()),
            cell: None,
            pause: PAUSE_FIRST,
            started: Instant::now(),
        };
        self.by_name.insert(name.clone(), child);
        self.launch(parent, &name).await
    }

    /// Starts a child that failed before; if it fails to start, the pause goes on doubling.
    pub(crate) async fn restart(&mut self, parent: ActorCell, name: &str) -> Option<Restart> {
        let failed = self.launch(parent, name).await.err()?;
        tracing::error!(actor = name, error = %failed, "actor did not start");
        self.schedule(name)
    }

    /// What a supervision event asks for. A child that ended in peace is forgotten.
    pub(crate) fn hear(&mut self, event: &SupervisionEvent) -> Option<Restart> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                let name = self.names.remove(&cell.get_id())?;
                tracing::error!(actor = name, %error, "actor failed and is restarted");
                self.schedule(&name)
            }
            SupervisionEvent::ActorTerminated(cell, _, _) => {
                let name = self.names.remove(&cell.get_id())?;
                self.by_name.remove(&name);
                None
            }
            _ => None,
        }
    }

    /// Ends a child for good.
    pub(crate) fn stop(&mut self, name: &str) {
        if let Some(child) = self.by_name.remove(name) {
            (child.disconnect)();
            if let Some(cell) = child.cell {
                self.names.remove(&cell.get_id());
                cell.stop(None);
            }
        }
    }

    async fn launch(&mut self, parent: ActorCell, name: &str) -> Result<(), SpawnErr> {
        let Some(child) = self.by_name.get_mut(name) else { return Ok(()) };
        let cell = (child.start)(parent).await?;
        child.started = Instant::now();
        child.entry.running.store(true, Ordering::Relaxed);
        self.names.insert(cell.get_id(), name.to_owned());
        child.cell = Some(cell);
        Ok(())
    }

    fn schedule(&mut self, name: &str) -> Option<Restart> {
        let child = self.by_name.get_mut(name)?;
        (child.disconnect)();
        child.cell = None;
        child.entry.running.store(false, Ordering::Relaxed);
        child.entry.restarts.fetch_add(1, Ordering::Relaxed);
        if child.started.elapsed() > CALM {
            child.pause = PAUSE_FIRST;
        }
        let after = child.pause;
        child.pause = (child.pause * 2).min(PAUSE_MAX);
        Some(Restart { name: name.to_owned(), after })
    }
}

//! What readers see of a replica: heads and blocks of one moment, behind the veil of what must not be seen.

use std::sync::Arc;

use insighthub_model::Offset;

use super::PartitionReplica;
use super::replica::Block;
use crate::block::BlockReader;
use crate::column_source::ColumnSource;
use crate::life::{Veil, Veiled};
use crate::stored_batch::StoredBatch;

/// A consistent set of everything a query has to look at.
#[derive(Debug, Clone, Default)]
pub struct ReadView {
    batches: Vec<Arc<StoredBatch>>,
    blocks: Vec<Arc<BlockReader>>,
    /// Those of both that hold what must not be seen.
    veiled: Vec<Veiled>,
}

impl ReadView {
    pub fn sources(&self) -> impl Iterator<Item = &dyn ColumnSource> {
        let blocks = self.blocks.iter().map(|block| block.as_ref() as &dyn ColumnSource);
        let batches = self.batches.iter().map(|batch| batch.as_ref() as &dyn ColumnSource);
        blocks.chain(batches).chain(self.veiled.iter().map(|source| source as &dyn ColumnSource))
    }

    /// Puts a veil over the sources that need one.
    fn veil(mut self, veil: Veil) -> ReadView {
        if veil.is_clear() {
            return self;
        }
        let veil = Arc::new(veil);
        let veiled = &mut self.veiled;
        let mut is_open = |source: Arc<dyn ColumnSource>| {
            let hides = veil.may_hide_in(source.as_ref());
            if hides {
                veiled.push(Veiled::new(source, Arc::clone(&veil)));
            }
            !hides
        };
        self.blocks.retain(|block| is_open(Arc::clone(block) as _));
        self.batches.retain(|batch| is_open(Arc::clone(batch) as _));
        self
    }
}

impl PartitionReplica {
    /// Everything visible now.
    pub fn view(&self) -> ReadView {
        let (view, veil) = {
            let inner = self.inner.read();
            let frozen = inner.frozen.iter().flat_map(|head| head.batches.iter().cloned());
            let view = ReadView {
                batches: frozen.chain(inner.state.head.batches.iter().cloned()).collect(),
                blocks: inner.blocks.iter().filter_map(|block| block.reader.clone()).collect(),
                veiled: Vec::new(),
            };
            (view, inner.veil())
        };
        view.veil(veil)
    }

    /// The same for a reader of everything from an offset on. `None` while a block it would read cannot be opened:
    /// the reader would not notice what is left out.
    pub fn view_from(&self, from: Offset) -> Option<ReadView> {
        let lacks = |block: &Block| block.reader.is_none() && block.meta.offset_range.1 > from;
        let is_lacking = self.inner.read().blocks.iter().any(lacks);
        // A block that can be opened stays open: what comes between the two looks is whole.
        (!is_lacking).then(|| self.view())
    }

    /// What is visible of one batch now. For those who were handed it when it was applied.
    pub fn view_of(&self, batch: &Arc<StoredBatch>) -> ReadView {
        let view = ReadView { batches: vec![Arc::clone(batch)], ..ReadView::default() };
        view.veil(self.inner.read().veil())
    }

    /// Records below this offset may have been deleted since they were applied: only the store knows.
    pub fn deleted_below(&self) -> Offset {
        self.inner.read().state.deleted_below
    }
}

//! A task that ends with its owner: the writing half of a connection must not outlive the reading half.

use tokio::task::JoinHandle;

#[derive(Debug)]
pub(super) struct AbortOnDrop<T>(pub(super) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

//! The nodes a command may speak to, and which of them it speaks to now.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Url;

use super::error::CliError;

/// One address or more; the next is used where one does not serve.
#[derive(Debug)]
pub(crate) struct Addresses {
    first: Url,
    others: Vec<Url>,
    /// Grows with each change to the next.
    changes: AtomicUsize,
}

impl Addresses {
    /// The value of `--url`: addresses with commas between them.
    pub(crate) fn parse(text: &str) -> Result<Addresses, CliError> {
        let mut all = text.split(',').map(parse_one);
        let first = all.next().unwrap_or_else(|| parse_one(""))?;
        Ok(Addresses { first, others: all.collect::<Result<_, _>>()?, changes: AtomicUsize::new(0) })
    }

    pub(crate) fn current(&self) -> &Url {
        let place = self.changes.load(Ordering::Relaxed) % self.count();
        place.checked_sub(1).and_then(|place| self.others.get(place)).unwrap_or(&self.first)
    }

    /// From now on the next one.
    pub(crate) fn change(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether any of them is spoken to over TLS.
    pub(crate) fn need_tls(&self) -> bool {
        std::iter::once(&self.first).chain(&self.others).any(|url| url.scheme() == "https")
    }

    pub(crate) fn count(&self) -> usize {
        self.others.len() + 1
    }
}

fn parse_one(text: &str) -> Result<Url, CliError> {
    let refused = |cause: &str| {
        CliError::Argument(format!("--url {text:?} {cause}: use the form http://127.0.0.1:8000"))
    };
    let url = Url::parse(text.trim()).map_err(|_| refused("is no address"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(refused("is no address of a node")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_work_is_refused_with_the_form_to_use() {
        for url in ["localhost:8000", "ftp://127.0.0.1", "", "http://", "https://", "http://a,b"] {
            let error = Addresses::parse(url).unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:8000"), "{url}: {error}");
        }
    }

    #[test]
    fn the_addresses_take_turns() {
        let addresses = Addresses::parse("http://a:1, http://b:2").unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(addresses.current().host_str().unwrap().to_owned());
            addresses.change();
        }
        assert_eq!(seen, ["a", "b", "a"]);
    }

    #[test]
    fn tls_is_needed_where_one_address_asks_for_it() {
        assert!(!Addresses::parse("http://a:1").unwrap().need_tls());
        assert!(Addresses::parse("http://a:1,https://b:2").unwrap().need_tls());
    }
}

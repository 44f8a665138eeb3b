//! Takes a client's configuration out of the documentation, and puts the test's address, token and service into it.

use anyhow::{Context, Result, ensure};

use super::client::Client;
use super::place::Place;
use crate::binary::workspace;

/// A block of code that follows this in a page is what is run.
const MARK: &str = "<!-- tested: ";
const FENCE: &str = "```";
/// What stands in the documentation, as a reader would replace it.
const SERVICE: &str = "checkout";
const TOKEN: &str = "TOKEN";
const HOST: &str = "localhost";
const HTTP_PORT: &str = "8000";
const OTLP_PORT: &str = "4317";
const SYSLOG_PORT: &str = "1514";
const SYSLOG_TLS_PORT: &str = "6514";
const CERTIFICATES: &str = "/etc/ssl/insighthub";

/// The client's block, ready to run at a place.
pub fn configuration(client: &Client, place: &Place) -> Result<String> {
    let block = documented(&format!("clients/{}", client.page), client.name)?;
    fill(&block, place).with_context(|| client.name)
}

/// A block of a page below `docs/`, by its mark.
pub(super) fn documented(page: &str, name: &str) -> Result<String> {
    let path = workspace().join("docs").join(page);
    let page = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(block(&page, name).with_context(|| path.display().to_string())?.to_owned())
}

fn block<'a>(page: &'a str, name: &str) -> Result<&'a str> {
    let mark = format!("{MARK}{name} -->\n");
    let (_, after) = page.split_once(&mark).with_context(|| format!("no block {name:?}"))?;
    let fenced = after.strip_prefix(FENCE).with_context(|| format!("no code behind the mark of {name:?}"))?;
    let (_, code) = fenced.split_once('\n').with_context(|| format!("{name:?} has no code"))?;
    let (code, _) = code.split_once("\n```").with_context(|| format!("the code of {name:?} does not end"))?;
    Ok(code)
}

fn fill(block: &str, place: &Place) -> Result<String> {
    ensure!(block.contains(HOST), "no {HOST} to replace");
    // One number for both, as everywhere; here they are two.
    let syslog = if has_word(block, "udp") { place.syslog_udp } else { place.syslog_tcp };
    let ports = [
        (HTTP_PORT, place.http.port()),
        (OTLP_PORT, place.otlp.port()),
        (SYSLOG_PORT, syslog.port()),
        (SYSLOG_TLS_PORT, place.syslog_tls.port()),
    ];
    ensure!(ports.iter().any(|(port, _)| has_word(block, port)), "no port to replace");
    let mut filled = replace_words(block, HOST, &place.http.ip().to_string());
    for (port, real) in ports {
        filled = replace_words(&filled, port, &real.to_string());
    }
    filled = filled.replace(CERTIFICATES, &place.certificates.to_string_lossy());
    filled = replace_words(&filled, SERVICE, &place.service);
    Ok(replace_words(&filled, TOKEN, &place.token))
}

pub(super) fn has_word(text: &str, word: &str) -> bool {
    replace_words(text, word, "") != text
}

/// Replaces a word where it stands alone: a port within a larger number is none.
pub(super) fn replace_words(text: &str, word: &str, by: &str) -> String {
    let is_part = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric());
    let mut replaced = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some((head, tail)) = rest.split_once(word) {
        let stands_alone = !is_part(head.chars().last().or(before)) && !is_part(tail.chars().next());
        replaced.push_str(head);
        replaced.push_str(if stands_alone { by } else { word });
        before = word.chars().last();
        rest = tail;
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_by_its_mark() {
        let page = "# x\n<!-- tested: a -->\n```js\none\ntwo\n```\n\n<!-- tested: b -->\n```\nthree\n```\n";
        assert_eq!(block(page, "a").unwrap(), "one\ntwo");
        assert_eq!(block(page, "b").unwrap(), "three");
        assert!(block(page, "c").is_err());
    }

    #[test]
    fn words_are_replaced_and_parts_of_words_are_not() {
        assert_eq!(replace_words("port=\"514\" 5140 1514 (514)", "514", "9"), "port=\"9\" 5140 1514 (9)");
        assert_eq!(replace_words("TOKEN xTOKENx token:TOKEN@", "TOKEN", "t"), "t xTOKENx token:t@");
        assert_eq!(replace_words("aaa", "a", "b"), "aaa");
    }
}

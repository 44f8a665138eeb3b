//! Stack traces below an error's message, as Java, Python and Go print them. Escaped for JSON.

use std::io::Write;

use super::services::Service;
use crate::cli::prng::Prng;

/// Whose form a stack trace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StackStyle {
    Java,
    Python,
    Go,
}

const JAVA_CLASSES: [&str; 6] = [
    "RequestHandler",
    "RetryTemplate",
    "TransactionInterceptor",
    "RestClient",
    "ConnectionPool",
    "CircuitBreaker",
];
const JAVA_CAUSES: [&str; 3] = [
    "java.io.IOException: Connection reset by peer",
    "java.net.ConnectException: Connection refused",
    "java.lang.IllegalStateException: pool is shut down",
];
const PYTHON_FILES: [&str; 5] = ["handlers", "client", "retry", "serializers", "model"];
const PYTHON_ERRORS: [&str; 3] = [
    "ConnectionResetError: [Errno 104] Connection reset by peer",
    "KeyError: 'items'",
    "ValueError: empty response",
];

impl StackStyle {
    pub(super) fn named(name: &str) -> Option<StackStyle> {
        match name {
            "java" => Some(StackStyle::Java),
            "python" => Some(StackStyle::Python),
            "go" => Some(StackStyle::Go),
            _ => None,
        }
    }

    /// Appends the lines of a trace, each behind a line break.
    pub(super) fn render(self, text: &mut Vec<u8>, service: Service, prng: &mut Prng) {
        let written = match self {
            StackStyle::Java => java(text, service, prng),
            StackStyle::Python => python(text, service, prng),
            StackStyle::Go => go(text, prng),
        };
        debug_assert!(written.is_ok(), "a vector takes every text");
    }
}

fn java(text: &mut Vec<u8>, service: Service, prng: &mut Prng) -> std::io::Result<()> {
    let package = service.name();
    write!(text, "\\njava.lang.RuntimeException: call failed")?;
    for _ in 0..4 + prng.below(6) {
        let class = prng.pick(&JAVA_CLASSES, "RequestHandler");
        write!(text, "\\n\\tat com.shop.{package}.{class}.invoke({class}.java:{})", 20 + prng.below(400))?;
    }
    write!(text, "\\nCaused by: {}", prng.pick(&JAVA_CAUSES, ""))?;
    write!(
        text,
        "\\n\\tat com.shop.net.Socket.read(Socket.java:{})\\n\\t... {} more",
        80 + prng.below(90),
        9 + prng.below(30)
    )
}

fn python(text: &mut Vec<u8>, service: Service, prng: &mut Prng) -> std::io::Result<()> {
    write!(text, "\\nTraceback (most recent call last):")?;
    for _ in 0..3 + prng.below(3) {
        let file = prng.pick(&PYTHON_FILES, "handlers");
        let line = 20 + prng.below(300);
        write!(text, "\\n  File \\\"/app/{}/{file}.py\\\", line {line}, in run_{file}", service.name())?;
        write!(text, "\\n    return await self._{file}(request)")?;
    }
    write!(text, "\\n{}", prng.pick(&PYTHON_ERRORS, ""))
}

fn go(text: &mut Vec<u8>, prng: &mut Prng) -> std::io::Result<()> {
    write!(text, "\\n\\ngoroutine {} [running]:", 18 + prng.below(9_000))?;
    for (function, file) in [
        ("proxy.(*Upstream).Do", "proxy/upstream"),
        ("proxy.Serve", "proxy/serve"),
        ("main.main", "cmd/main"),
    ] {
        let (address, line) = (prng.next() as u32, 20 + prng.below(300));
        write!(
            text,
            "\\nshop/{function}(0xc0{address:08x})\\n\\t/src/{file}.go:{line} +0x{:x}",
            prng.below(4_096)
        )?;
    }
    Ok(())
}

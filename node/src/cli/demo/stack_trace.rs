//! Stack traces as the languages of the shop print them.

use super::shop::Service;
use crate::cli::prng::Prng;

/// Why a call failed: the sentence, the type of the error, and its trace.
#[derive(Debug)]
pub(super) struct Failure {
    /// `{waited}` stands for the milliseconds the call took.
    pub(super) message: String,
    pub(super) kind: &'static str,
    pub(super) stack: String,
    /// Java's loggers print the trace below the message; others log it beside it.
    pub(super) stack_in_message: bool,
    /// It was given up after a wait.
    pub(super) waits: bool,
}

/// How calls fail on any day.
pub(super) fn failure(service: Service, prng: &mut Prng) -> Failure {
    let number = prng.below(90_000) + 10_000;
    match service {
        Service::Payment => payment_failure(number, prng),
        Service::Inventory => Failure {
            message: format!(
                "HikariPool-1 - Connection is not available, request timed out after {{waited}}ms (total=20, active=20, idle=0, waiting={})",
                prng.below(60) + 3
            ),
            kind: "SQLTransientConnectionException",
            stack: java(
                "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available",
                &[
                    "inventory.StockRepository.find",
                    "inventory.StockService.level",
                    "inventory.StockController.get",
                ],
                "org.postgresql.util.PSQLException: FATAL: remaining connection slots are reserved",
                prng,
            ),
            stack_in_message: true,
            waits: true,
        },
        Service::Search => Failure {
            message: "query took {waited} ms and was cancelled: SELECT id FROM products WHERE name % ?"
                .to_owned(),
            kind: "QueryCanceledError",
            stack: python(prng),
            stack_in_message: false,
            waits: true,
        },
        Service::Auth => Failure {
            message: format!("token of user {number} refused: signature does not match"),
            kind: "InvalidSignature",
            stack: python(prng),
            stack_in_message: false,
            waits: false,
        },
        Service::Checkout => Failure {
            message: format!("order {number} failed: payment-service answered 504"),
            kind: "UpstreamError",
            stack: go(prng),
            stack_in_message: false,
            waits: true,
        },
        Service::Reports => Failure {
            message: format!("report {number} given up after {{waited}} ms: the ledger is locked"),
            kind: "LedgerLocked",
            stack: python(prng),
            stack_in_message: false,
            waits: true,
        },
        Service::WebGateway => Failure {
            message: "upstream closed the connection after {waited} ms".to_owned(),
            kind: "UpstreamError",
            stack: go(prng),
            stack_in_message: false,
            waits: true,
        },
    }
}

/// Payments fail in five ways, one of them after a wait.
fn payment_failure(number: u64, prng: &mut Prng) -> Failure {
    let (message, kind) = match prng.below(5) {
        0 => (format!("issuer of the card refused charge ch_{number}"), "CardDeclined"),
        1 => (format!("no answer from the fraud check for charge ch_{number}"), "FraudCheckMissing"),
        2 => (format!("wallet wal_{} does not cover charge ch_{number}", prng.below(5_000)), "WalletEmpty"),
        3 => (format!("another session has written the entry of charge ch_{number}"), "LedgerConflict"),
        _ => return stripe_timeout(number, prng),
    };
    Failure { message, kind, stack: python(prng), stack_in_message: false, waits: false }
}

fn stripe_timeout(number: u64, prng: &mut Prng) -> Failure {
    Failure {
        message: format!("Stripe timeout after {{waited}} ms: charge ch_{number} is not confirmed"),
        kind: "StripeTimeoutException",
        stack: java(
            "com.shop.payment.StripeTimeoutException: Read timed out",
            &[
                "payment.StripeGateway.capture",
                "payment.ChargeService.charge",
                "payment.ChargeController.post",
            ],
            "java.net.SocketTimeoutException: Read timed out",
            prng,
        ),
        stack_in_message: true,
        waits: true,
    }
}

/// How calls fail in an incident and on no ordinary day.
pub(super) fn novel_failure(service: Service, prng: &mut Prng) -> Failure {
    let number = prng.below(90_000) + 10_000;
    let (message, kind) = match service {
        Service::Payment => (
            format!("charge ch_{number} declined: currency EUR does not match account currency USD"),
            "CurrencyMismatch",
        ),
        _ => (format!("request {number} refused: {} has the wrong schema", service.name()), "SchemaMismatch"),
    };
    Failure { message, kind, stack: python(prng), stack_in_message: false, waits: false }
}

fn java(headline: &str, frames: &[&str], cause: &str, prng: &mut Prng) -> String {
    let mut lines = vec![headline.to_owned()];
    for frame in frames {
        let class = frame.split('.').nth(1).unwrap_or("Main");
        lines.push(format!("\tat com.shop.{frame}({class}.java:{})", prng.below(400) + 20));
    }
    lines.push("\tat java.base/java.lang.Thread.run(Thread.java:1583)".to_owned());
    lines.push(format!("Caused by: {cause}"));
    lines.push(format!("\t... {} more", frames.len() + 9));
    lines.join("\n")
}

fn python(prng: &mut Prng) -> String {
    format!(
        "Traceback (most recent call last):\n  File \"/app/shop/handlers.py\", line {}, in handle\n    return await self.run(request)\n  File \"/app/shop/db.py\", line {}, in run\n    rows = await connection.fetch(statement, *values)\nshop.errors.CallFailed: the call was given up",
        prng.below(200) + 20,
        prng.below(200) + 20
    )
}

fn go(prng: &mut Prng) -> String {
    format!(
        "goroutine {} [running]:\nshop/internal/upstream.(*Client).Do(0xc000{:06x})\n\t/src/internal/upstream/client.go:{}\nshop/cmd/server.handle({{0x7f{:08x}, 0x1}})\n\t/src/cmd/server/handle.go:{}",
        prng.below(9_000) + 18,
        prng.below(1 << 24),
        prng.below(300) + 20,
        prng.below(1 << 32),
        prng.below(300) + 20
    )
}

//! The shop: its services, what each does, and which requests reach which of them.

/// One service of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Service {
    WebGateway,
    Auth,
    Search,
    Inventory,
    Checkout,
    Payment,
    Reports,
}

/// How many there are.
pub(super) const SERVICES: usize = 7;

impl Service {
    pub(super) const ALL: [Service; SERVICES] = [
        Service::WebGateway,
        Service::Auth,
        Service::Search,
        Service::Inventory,
        Service::Checkout,
        Service::Payment,
        Service::Reports,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Service::WebGateway => "web-gateway",
            Service::Auth => "auth",
            Service::Search => "search",
            Service::Inventory => "inventory",
            Service::Checkout => "checkout",
            Service::Payment => "payment-service",
            Service::Reports => "reports",
        }
    }

    /// Median latency of one call on a quiet night, ms.
    pub(super) fn median_ms(self) -> f64 {
        match self {
            Service::WebGateway => 4.0,
            Service::Auth => 12.0,
            Service::Search => 45.0,
            Service::Inventory => 18.0,
            Service::Checkout => 60.0,
            Service::Payment => 240.0,
            Service::Reports => 300.0,
        }
    }

    /// What it logs when a call went well; `{}` stands for a number.
    pub(super) fn good_news(self) -> &'static [&'static str] {
        match self {
            Service::WebGateway => &["request completed"],
            Service::Auth => &["session verified for user {}", "access token issued to user {}"],
            Service::Search => &["search returned {} hits", "search returned {} hits from cache"],
            Service::Inventory => &["stock level read for sku {}", "reserved 1 unit of sku {}"],
            Service::Checkout => &["order {} placed", "cart {} priced"],
            Service::Payment => &["charge {} captured", "charge {} authorized by Stripe"],
            Service::Reports => &["report of merchant {} written", "ledger of merchant {} balanced"],
        }
    }

    /// What it logs instead about one call in a hundred.
    pub(super) fn rare_news(self) -> &'static str {
        match self {
            Service::WebGateway => "request completed from the edge cache",
            Service::Auth => "password of user {} is older than a year",
            Service::Search => "no hits, {} suggestions offered",
            Service::Inventory => "stock of sku {} read from the replica",
            Service::Checkout => "cart {} priced without its coupon",
            Service::Payment => "charge {} needed a second factor",
            Service::Reports => "report of merchant {} has no sales",
        }
    }

    /// The warning of an incident; no ordinary day has it.
    pub(super) fn novel_warning(self) -> &'static str {
        match self {
            Service::WebGateway => "certificate of upstream {} expires today",
            Service::Auth => "clock of host {} is ahead of its peers",
            Service::Search => "index shard {} has become read-only",
            Service::Inventory => "warehouse {} reports a negative stock",
            Service::Checkout => "tax service gave no rates, falling back to table {}",
            Service::Payment => "webhook {} arrived twice",
            Service::Reports => "disk of the report store is {} % full",
        }
    }

    /// What it mumbles now and then, as DEBUG or WARN.
    pub(super) fn small_talk(self) -> &'static str {
        match self {
            Service::WebGateway => "connection pool to upstream at {} of 200",
            Service::Auth => "jwks cache refreshed, {} keys",
            Service::Search => "segment merge took {} ms",
            Service::Inventory => "cache miss for sku {}",
            Service::Checkout => "price rules evaluated in {} ms",
            Service::Payment => "retrying Stripe call, attempt 2, idempotency key {}",
            Service::Reports => "job queue polled, {} waiting",
        }
    }
}

/// One kind of request to the shop.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Services behind the gateway, in the order they are called.
    pub(super) calls: &'static [Service],
    /// Relative frequency.
    pub(super) weight: u64,
}

pub(super) const ROUTES: [Route; 5] = [
    Route { method: "GET", path: "/api/products/search", calls: &[Service::Search], weight: 40 },
    Route { method: "GET", path: "/api/products/:sku", calls: &[Service::Inventory], weight: 25 },
    Route { method: "POST", path: "/api/login", calls: &[Service::Auth], weight: 12 },
    Route {
        method: "POST",
        path: "/api/cart/items",
        calls: &[Service::Auth, Service::Inventory],
        weight: 13,
    },
    Route {
        method: "POST",
        path: "/api/checkout",
        calls: &[Service::Auth, Service::Inventory, Service::Checkout, Service::Payment],
        weight: 10,
    },
];

pub(super) const REGIONS: [&str; 3] = ["eu-central-1", "us-east-1", "ap-southeast-2"];

/// Records a request makes on average, small talk included: turns a rate of records into one of requests.
pub(super) fn records_per_request() -> f64 {
    let weight: u64 = ROUTES.iter().map(|route| route.weight).sum();
    let calls: u64 = ROUTES.iter().map(|route| route.weight * route.calls.len() as u64).sum();
    // Each call mumbles now and then; the gateway adds its access log.
    (calls as f64 / weight as f64) * (1.0 + super::request::SMALL_TALK_SHARE) + 1.0
}

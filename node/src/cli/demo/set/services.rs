//! The twelve services of the generated set and the requests that cross them.

/// One service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Service {
    WebGateway,
    Auth,
    Catalog,
    Search,
    Inventory,
    Cart,
    Checkout,
    Payment,
    Fraud,
    Shipping,
    Notification,
    Recommendation,
}

use Service::{
    Auth, Cart, Catalog, Checkout, Fraud, Inventory, Notification, Payment, Recommendation, Search, Shipping,
    WebGateway,
};

impl Service {
    pub(super) const ALL: [Service; 12] = [
        WebGateway,
        Auth,
        Catalog,
        Search,
        Inventory,
        Cart,
        Checkout,
        Payment,
        Fraud,
        Shipping,
        Notification,
        Recommendation,
    ];

    pub(super) fn named(name: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            WebGateway => "web-gateway",
            Auth => "auth",
            Catalog => "catalog",
            Search => "search",
            Inventory => "inventory",
            Cart => "cart",
            Checkout => "checkout",
            Payment => "payment",
            Fraud => "fraud",
            Shipping => "shipping",
            Notification => "notification",
            Recommendation => "recommendation",
        }
    }

    /// Median latency of one of its calls at an average hour, ms.
    pub(super) fn median_ms(self) -> f64 {
        match self {
            WebGateway => 3.0,
            Auth => 9.0,
            Catalog => 14.0,
            Search => 62.0,
            Inventory => 21.0,
            Cart => 11.0,
            Checkout => 95.0,
            Payment => 310.0,
            Fraud => 40.0,
            Shipping => 130.0,
            Notification => 26.0,
            Recommendation => 34.0,
        }
    }

    /// Standard deviation of the logarithm of its latency.
    pub(super) fn spread(self) -> f64 {
        match self {
            WebGateway | Auth | Cart => 0.45,
            Search | Payment | Shipping => 0.7,
            _ => 0.55,
        }
    }

    /// Share of its calls that fail where nothing is wrong.
    pub(super) fn failure_share(self) -> f64 {
        match self {
            WebGateway => 0.003,
            Auth | Cart => 0.012,
            Payment | Shipping => 0.05,
            Search | Inventory => 0.03,
            _ => 0.016,
        }
    }

    /// Hosts it runs on.
    pub(super) fn hosts(self) -> u64 {
        match self {
            WebGateway => 6,
            Search | Catalog => 5,
            Payment | Checkout | Inventory => 4,
            _ => 3,
        }
    }

    /// Minor version it has at the start of the day; deploys add to it.
    pub(super) fn minor_version(self) -> u64 {
        11 + (self as u64 * 7) % 23
    }
}

/// One kind of request: what the client asks, and which services it crosses behind the gateway.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) calls: &'static [Service],
    /// Relative frequency.
    pub(super) weight: u64,
    /// How this route's latency compares with that of the services' other calls.
    pub(super) latency_factor: f64,
}

const fn route(
    method: &'static str,
    path: &'static str,
    calls: &'static [Service],
    weight: u64,
    latency_factor: f64,
) -> Route {
    Route { method, path, calls, weight, latency_factor }
}

pub(super) const ROUTES: [Route; 12] = [
    route("GET", "/", &[Recommendation, Catalog], 16, 0.8),
    route("GET", "/api/products/:sku", &[Catalog, Inventory], 24, 1.0),
    route("GET", "/api/search", &[Search, Catalog], 20, 1.0),
    route("GET", "/api/suggest", &[Search], 10, 0.3),
    route("POST", "/api/login", &[Auth], 6, 6.0),
    route("GET", "/api/cart", &[Auth, Cart], 9, 0.9),
    route("POST", "/api/cart/items", &[Auth, Cart, Inventory], 8, 1.2),
    route("POST", "/api/coupons", &[Auth, Cart], 2, 1.0),
    route("GET", "/api/shipping/quote", &[Cart, Shipping], 5, 0.9),
    route(
        "POST",
        "/api/orders",
        &[Auth, Checkout, Fraud, Inventory, Payment, Shipping, Notification],
        5,
        1.1,
    ),
    route("GET", "/api/orders/:order", &[Auth, Checkout, Shipping], 4, 0.5),
    route("POST", "/api/orders/:order/refund", &[Auth, Payment, Notification], 1, 1.4),
];

/// The paths of the routes.
pub(super) const PATHS: [&str; 12] = {
    let mut paths = [""; 12];
    let mut at = 0;
    while at < 12 {
        paths[at] = ROUTES[at].path;
        at += 1;
    }
    paths
};

pub(super) const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "ap-northeast-1"];

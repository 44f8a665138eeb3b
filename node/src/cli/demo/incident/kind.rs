//! The kinds of incidents: one for each thing the detectors can speak of.

use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use super::Incident;
use crate::cli::demo::shop::Service;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli::demo) enum Kind {
    LatencySpike,
    LatencyDrift,
    ErrorBurst,
    TrafficDrop,
    Silence,
    TrafficSurge,
    NewMessage,
    MessageShift,
}

impl Kind {
    pub(in crate::cli::demo) const ALL: [Kind; 8] = [
        Kind::LatencySpike,
        Kind::LatencyDrift,
        Kind::ErrorBurst,
        Kind::TrafficDrop,
        Kind::Silence,
        Kind::TrafficSurge,
        Kind::NewMessage,
        Kind::MessageShift,
    ];

    /// As it is typed.
    pub(in crate::cli::demo) fn name(self) -> &'static str {
        match self {
            Kind::LatencySpike => "latency-spike",
            Kind::LatencyDrift => "latency-drift",
            Kind::ErrorBurst => "error-burst",
            Kind::TrafficDrop => "traffic-drop",
            Kind::Silence => "silence",
            Kind::TrafficSurge => "traffic-surge",
            Kind::NewMessage => "new-message",
            Kind::MessageShift => "message-shift",
        }
    }

    /// The service it begins in; others may suffer with it.
    pub(in crate::cli::demo) fn service(self) -> Service {
        match self {
            Kind::LatencySpike => Service::Search,
            Kind::LatencyDrift | Kind::MessageShift => Service::Inventory,
            Kind::ErrorBurst => Service::Payment,
            Kind::TrafficDrop | Kind::NewMessage => Service::Checkout,
            Kind::Silence | Kind::TrafficSurge => Service::Auth,
        }
    }

    pub(in crate::cli::demo) fn title(self) -> &'static str {
        match self {
            Kind::LatencySpike => "search has lost its cache",
            Kind::LatencyDrift => "inventory grows slower and slower",
            Kind::ErrorBurst => "payments fail",
            Kind::TrafficDrop => "hardly anybody reaches the checkout",
            Kind::Silence => "auth has fallen silent",
            Kind::TrafficSurge => "everybody signs in at once",
            Kind::NewMessage => "checkout falls back to an old tax table",
            Kind::MessageShift => "inventory reads from its replica",
        }
    }

    /// A drift takes 45 minutes to build up and is left alone for as long; the others end within minutes.
    fn length_secs(self) -> i64 {
        match self {
            Kind::LatencyDrift => 90 * 60,
            Kind::TrafficDrop | Kind::Silence | Kind::TrafficSurge => 8 * 60,
            Kind::LatencySpike | Kind::ErrorBurst | Kind::NewMessage | Kind::MessageShift => 6 * 60,
        }
    }

    pub(in crate::cli::demo) fn at(self, start: Timestamp) -> Incident {
        let end = Timestamp(start.0.saturating_add(self.length_secs() * NANOS_PER_SEC));
        Incident { kind: self, start, end }
    }
}

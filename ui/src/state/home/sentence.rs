//! How things are, in one sentence.

use super::figures::Service;
use super::judgement::Condition;
use crate::api::cluster::{Cluster, troubles};
use crate::state::format;

/// More services are counted and not named.
const NAMED_MAX: usize = 3;

/// The sentence, and how grave it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sentence {
    pub condition: Condition,
    /// A few words that say all.
    pub headline: String,
    /// Who, and why.
    pub details: Vec<Detail>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    pub service: String,
    pub reason: String,
}

pub fn sentence(services: &[Service], alerts_firing: usize) -> Sentence {
    let of = |wanted: fn(Condition) -> bool| -> Vec<&Service> {
        services.iter().filter(|service| wanted(service.judgement.condition)).collect()
    };
    let (troubled, watched) = (of(Condition::is_trouble), of(|condition| condition == Condition::Watch));
    let (condition, named, headline) = match (troubled.len() as u64, watched.len() as u64) {
        // Of services that have no figures yet, or of none.
        (0, _) if alerts_firing > 0 => {
            let alerts = format::plural(alerts_firing as u64, "alert");
            (Condition::Trouble, watched, format!("{alerts} firing"))
        }
        (0, 0) => (Condition::Quiet, Vec::new(), "All quiet".to_owned()),
        (0, count) => (Condition::Watch, watched, format!("{} to watch", format::plural(count, "service"))),
        (count, _) => {
            (Condition::Trouble, troubled, format!("{} in trouble", format::plural(count, "service")))
        }
    };
    let detail = |service: &&Service| Detail {
        service: service.name.clone(),
        reason: service.judgement.reasons.first().cloned().unwrap_or_default(),
    };
    Sentence { condition, headline, details: named.iter().take(NAMED_MAX).map(detail).collect() }
}

/// What is wrong with the cluster itself; `None`: nothing.
pub fn cluster_fault(cluster: &Cluster) -> Option<String> {
    let mut faults = troubles(cluster).into_iter().filter(|trouble| trouble.is_fault);
    let first = faults.next()?;
    let more = faults.count();
    Some(if more > 0 { format!("{} And {more} more.", first.what) } else { first.what })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a wrong sample must fail loudly")]
mod tests {
    use super::*;
    use crate::state::home::judgement::Judgement;

    fn service(name: &str, condition: Condition) -> Service {
        let judgement = Judgement { condition, reasons: vec![format!("{name} fails")], weight: 1.0 };
        Service { name: name.to_owned(), judgement, ..Service::default() }
    }

    #[test]
    fn one_glance_says_how_many_and_who() {
        assert_eq!(sentence(&[service("a", Condition::Quiet)], 0).headline, "All quiet");
        let said = sentence(&[service("a", Condition::Silent), service("b", Condition::Trouble)], 1);
        assert_eq!((said.condition, said.headline.as_str()), (Condition::Trouble, "2 services in trouble"));
        assert_eq!(said.details[1], Detail { service: "b".to_owned(), reason: "b fails".to_owned() });
    }

    #[test]
    fn nothing_is_quiet_while_an_alert_fires() {
        let said = sentence(&[service("a", Condition::Quiet)], 2);
        assert_eq!((said.condition, said.headline.as_str()), (Condition::Trouble, "2 alerts firing"));
    }

    #[test]
    fn what_is_to_watch_is_said_only_without_trouble() {
        let watched = service("b", Condition::Watch);
        assert_eq!(sentence(std::slice::from_ref(&watched), 0).headline, "1 service to watch");
        assert_eq!(sentence(&[service("a", Condition::Trouble), watched], 0).details.len(), 1);
    }

    #[test]
    fn a_well_cluster_has_no_fault() {
        assert_eq!(cluster_fault(&Cluster::default()), None);
        let mut cluster = Cluster::default();
        cluster.admission.disk_full = true;
        assert!(cluster_fault(&cluster).unwrap().contains("disk"));
    }
}

//! Schedules follow from their seeds and hold what they promise.

use std::collections::BTreeSet;

use super::*;

const ABLE: Abilities = Abilities { disks: true, failing_syncs: true, clocks: true };

fn steps(scenario: Scenario, abilities: Abilities, seed: u64) -> Vec<Step> {
    let mut schedule = Schedule::new(scenario, 4, abilities, seed);
    (0..200).map(|_| schedule.next_step()).collect()
}

fn kinds(scenario: Scenario, abilities: Abilities) -> BTreeSet<&'static str> {
    let steps = steps(scenario, abilities, 1);
    steps.iter().flat_map(|step| &step.faults).map(Fault::kind).collect()
}

#[test]
fn the_same_seed_gives_the_same_schedule() {
    for scenario in Scenario::EVERY {
        assert_eq!(steps(scenario, ABLE, 5), steps(scenario, ABLE, 5), "{}", scenario.name());
        let is_always_the_same = scenario == Scenario::RollingRestart;
        let faults = |seed| steps(scenario, ABLE, seed).into_iter().flat_map(|step| step.faults);
        assert_eq!(faults(5).eq(faults(6)), is_always_the_same, "{}", scenario.name());
    }
}

#[test]
fn every_kind_of_fault_comes_up_where_it_belongs() {
    assert_eq!(kinds(Scenario::LeaderKills, ABLE), BTreeSet::from(["leader killed"]));
    assert_eq!(
        kinds(Scenario::Kills, ABLE),
        BTreeSet::from(["leader killed", "follower killed", "all killed"])
    );
    assert_eq!(
        kinds(Scenario::Membership, ABLE),
        BTreeSet::from([
            "follower killed",
            "leader killed",
            "leader moved",
            "node drained",
            "node joined",
            "node removed"
        ])
    );
    assert_eq!(
        kinds(Scenario::HotServices, ABLE),
        BTreeSet::from(["follower killed", "leader killed", "node isolated", "service spread"])
    );
    assert_eq!(
        kinds(Scenario::Alerts, ABLE),
        BTreeSet::from(["control leader killed", "follower killed", "leader killed"])
    );
    assert_eq!(kinds(Scenario::Rot, ABLE), BTreeSet::from(["block rotten"]));
    assert_eq!(kinds(Scenario::Disk, ABLE), BTreeSet::from(["disk full", "sync failed"]));
    assert!(kinds(Scenario::All, ABLE).len() >= 15, "{:?}", kinds(Scenario::All, ABLE));
}

#[test]
fn what_a_machine_cannot_do_is_not_planned() {
    let all = kinds(Scenario::All, Abilities::default());
    for kind in ["disk full", "sync failed", "power cut", "clock jumped"] {
        assert!(!all.contains(kind), "{kind}");
    }
    let without_strace = Abilities { failing_syncs: false, ..ABLE };
    assert_eq!(kinds(Scenario::Disk, without_strace), BTreeSet::from(["disk full"]));
    let without_root = Abilities { disks: false, ..ABLE };
    assert_eq!(kinds(Scenario::Disk, without_root), BTreeSet::from(["sync failed"]));
}

#[test]
fn faults_at_once_are_of_different_kinds_and_at_most_one_hits_every_node() {
    let mut several = 0;
    for step in steps(Scenario::All, ABLE, 3) {
        let kinds: BTreeSet<_> = step.faults.iter().map(Fault::kind).collect();
        assert_eq!(kinds.len(), step.faults.len(), "{step:?}");
        assert!((1..=3).contains(&step.faults.len()));
        assert!(step.faults.iter().filter(|fault| fault.whom() == Whom::All).count() <= 1, "{step:?}");
        assert!(step.faults.iter().filter(|fault| fault.is_of_links()).count() <= 1, "{step:?}");
        several += u64::from(step.faults.len() > 1);
    }
    assert!(several > 50);
}

#[test]
fn a_scenario_is_found_by_its_name() {
    for scenario in Scenario::EVERY {
        assert_eq!(Scenario::named(scenario.name()), Some(scenario));
        assert!(!scenario.about().is_empty());
    }
    assert_eq!(Scenario::named("peace"), None);
}

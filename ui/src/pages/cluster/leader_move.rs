//! Another replica leads a partition: for admins.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::cluster::Cluster;
use crate::components::forms::confirm::Confirm;
use crate::components::forms::field::SelectField;
use crate::hooks::answer::Asking;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::cluster::heirs;

#[derive(PartialEq, Properties)]
pub(super) struct LeaderMoveProps {
    pub(super) cluster: Rc<Cluster>,
    pub(super) partition: u64,
    pub(super) on_close: Callback<()>,
    pub(super) on_changed: Callback<()>,
}

#[component]
pub(super) fn LeaderMove(props: &LeaderMoveProps) -> Html {
    let (partition, chosen) = (props.partition, use_state_eq(|| None::<String>));
    let known = props.cluster.partitions.iter().find(|known| known.partition == partition);
    let heirs = known.map(heirs).unwrap_or_default();
    let heir = chosen.as_ref().filter(|name| heirs.contains(name)).or(heirs.first()).cloned();
    let Some(heir) = heir else { return Html::default() };
    let ask = {
        let heir = heir.clone();
        Callback::from(move |()| -> Asking<()> {
            let heir = heir.clone();
            Box::pin(async move { requests::cluster::lead(partition, &heir).await })
        })
    };
    let on_done = {
        let (close, changed) = (props.on_close.clone(), props.on_changed.clone());
        Callback::from(move |()| {
            close.emit(());
            changed.emit(());
        })
    };
    let options = heirs.into_iter().map(|name| (name.clone(), name)).collect::<Vec<_>>();
    html! {
        <Confirm title={format!("Move the leader of partition {partition}?")} action="Move leader" {ask} {on_done} on_close={props.on_close.clone()}>
            <SelectField name="node" label="To" value={heir} {options} on_change={Callback::from(move |name| chosen.set(Some(name)))} />
            <p>{ "Writes wait for a moment while it changes hands; nothing is lost. Where a node then leads at least two more than another, the \
                cluster moves one back by itself." }</p>
        </Confirm>
    }
}

//! Taking a node out of use and back: for admins.

use std::rc::Rc;

use yew::{Callback, Html, Properties, component, html};

use crate::api::cluster::{Cluster, Node, NodeState};
use crate::components::forms::confirm::Confirm;
use crate::hooks::answer::Asking;
use crate::hooks::app::use_app;
use crate::hooks::state::use_state_eq;
use crate::network::requests;
use crate::state::format;

#[derive(PartialEq, Properties)]
pub(super) struct NodeChangesProps {
    pub(super) cluster: Rc<Cluster>,
    pub(super) on_changed: Callback<()>,
}

/// What is done to a node.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Drain,
    Undrain,
}

#[component]
pub(super) fn NodeChanges(props: &NodeChangesProps) -> Html {
    let app = use_app();
    let asked = use_state_eq(|| None::<(String, Change)>);
    if !app.is_admin() {
        return Html::default();
    }
    let button = |node: &Node| {
        let (change, label) = match node.state {
            NodeState::Active => (Change::Drain, format!("Drain {}", node.name)),
            NodeState::Draining => (Change::Undrain, format!("Use {} again", node.name)),
            _ => return Html::default(),
        };
        let (asked, name) = (asked.clone(), node.name.clone());
        let onclick = move |_| asked.set(Some((name.clone(), change)));
        html! { <button type="button" {onclick}>{ label }</button> }
    };
    let close = {
        let asked = asked.clone();
        Callback::from(move |()| asked.set(None))
    };
    html! {
        <div class="toolbar" role="group" aria-label="Change nodes">
            { for props.cluster.nodes.iter().map(button) }
            if let Some((name, change)) = &*asked {
                <Question cluster={Rc::clone(&props.cluster)} name={name.clone()} change={*change} on_close={close}
                    on_changed={props.on_changed.clone()} />
            }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct QuestionProps {
    cluster: Rc<Cluster>,
    name: String,
    change: Change,
    on_close: Callback<()>,
    on_changed: Callback<()>,
}

#[component]
fn Question(props: &QuestionProps) -> Html {
    let name = props.name.clone();
    let holds = |name: &str| {
        let partitions = props.cluster.partitions.iter();
        partitions.filter(|partition| partition.replicas.iter().any(|replica| replica.node == name)).count()
            as u64
    };
    let (title, action, words) = match props.change {
        Change::Drain => (
            format!("Drain {name}?"),
            format!("Drain {name}"),
            format!(
                "Its {} move to other nodes where there are any, and it gets no new ones. It goes on taking logs and answering. \
                 Nothing is deleted, and it can be used again at any time.",
                format::plural(holds(&name), "replica")
            ),
        ),
        Change::Undrain => (
            format!("Use {name} again?"),
            format!("Use {name} again"),
            "It may hold replicas again, and gets some where partitions lack them.".to_owned(),
        ),
    };
    let change = props.change;
    let ask = Callback::from(move |()| -> Asking<()> {
        let name = name.clone();
        Box::pin(async move {
            match change {
                Change::Drain => requests::cluster::drain(&name).await,
                Change::Undrain => requests::cluster::undrain(&name).await,
            }
        })
    });
    let on_done = {
        let (close, changed) = (props.on_close.clone(), props.on_changed.clone());
        Callback::from(move |()| {
            close.emit(());
            changed.emit(());
        })
    };
    html! { <Confirm {title} {action} {ask} {on_done} on_close={props.on_close.clone()}><p>{ words }</p></Confirm> }
}

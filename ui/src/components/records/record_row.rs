//! One row of the list. Rows are reused for other records as the list moves, so a row holds no state.

use std::rc::Rc;

use yew::{Callback, Html, Properties, classes, component, html, use_context};

use crate::api::record::{Line, Record};
use crate::components::records::cells::cells;
use crate::components::records::level_badge::level_class;
use crate::state::columns::Columns;
use crate::state::format;
use crate::state::highlights::Highlights;

#[derive(PartialEq, Properties)]
pub struct RecordRowProps {
    pub line: Line,
    pub index: usize,
    pub is_selected: bool,
    /// `None`: the usual ones.
    #[prop_or_default]
    pub columns: Option<Rc<Columns>>,
    pub on_pick: Callback<usize>,
}

#[component]
pub fn RecordRow(props: &RecordRowProps) -> Html {
    let highlights = use_context::<Rc<Highlights>>().unwrap_or_default();
    match &props.line {
        Line::Record(record) => row(props, record, &highlights),
        Line::Skipped(count) => html! {
            <div class="row skipped" role="row" aria-rowindex={(props.index + 1).to_string()}>
                <span role="gridcell">
                    { format!("{} not shown here: they came faster than this page could take them. Search finds them.",
                        format::plural(*count, "record")) }
                </span>
            </div>
        },
    }
}

fn row(props: &RecordRowProps, record: &Record, highlights: &Highlights) -> Html {
    let head = &record.head;
    let index = props.index;
    let class = classes!(
        "row",
        level_class(head.level),
        head.is_anomaly.then_some("anomaly"),
        props.is_selected.then_some("selected")
    );
    html! {
        <div {class} role="row" id={format!("row-{index}")} aria-rowindex={(index + 1).to_string()}
            aria-selected={props.is_selected.to_string()} onclick={props.on_pick.reform(move |_| index)}>
            { cells(record, props.columns.as_deref(), highlights) }
        </div>
    }
}

/// What marks the record as an anomaly.
pub(super) fn why(record: &Record) -> String {
    match &record.head.anomaly_reason {
        Some(reason) => reason.clone(),
        None => match record.head.anomaly_score {
            Some(score) => format!("Anomaly, score {score:.0} of 100"),
            None => "Anomaly".to_owned(),
        },
    }
}

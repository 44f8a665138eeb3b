//! Records of an answer as a plain table, each a link to itself.

use std::rc::Rc;

use yew::{Html, html};

use crate::api::record::Record;
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::components::records::level_badge::LevelBadge;
use crate::state::explore::ExploreView;
use crate::state::format::Precision;
use crate::state::page::View;

/// More are for the list of records, or a file.
const ROWS_MAX: usize = 200;

pub fn record_table(records: &[Rc<Record>]) -> Html {
    let row = |record: &Rc<Record>| {
        let head = &record.head;
        html! {
            <tr key={head.log_id.clone()}>
                <td><Link to={ExploreView::of_record(&head.log_id).place()}>{ moment(head.timestamp.millis(), Precision::Milli) }</Link></td>
                <td><LevelBadge level={head.level} /></td><td>{ &head.service }</td>
                <td><code>{ head.message.lines().next().unwrap_or_default().to_owned() }</code></td>
            </tr>
        }
    };
    html! {
        <>
            <div class="table-frame" tabindex="0"><table>
                <thead><tr><th scope="col">{ "Time" }</th><th scope="col">{ "Level" }</th><th scope="col">{ "Service" }</th><th scope="col">{ "Message" }</th></tr></thead>
                <tbody>{ for records.iter().take(ROWS_MAX).map(row) }</tbody>
            </table></div>
            if records.len() > ROWS_MAX { <p class="hint">{ format!("The first {ROWS_MAX} of {}; the file has all.", records.len()) }</p> }
        </>
    }
}

//! The services, those in trouble first. A narrow screen shows each as a card.

use yew::{Html, Properties, classes, component, html};

use crate::api::logs::Level;
use crate::components::chart::sparkline::Sparkline;
use crate::components::link::Link;
use crate::state::analytics::places;
use crate::state::analytics::view::AnalyticsView;
use crate::state::filter::Filter;
use crate::state::format;
use crate::state::home::figures::Service;
use crate::state::page::{Place, View};
use crate::state::range::Range;

#[derive(PartialEq, Properties)]
pub struct ServicesTableProps {
    pub services: Vec<Service>,
    pub range: Range,
}

#[component]
pub fn ServicesTable(props: &ServicesTableProps) -> Html {
    html! {
        <div class="table-frame services">
            <table>
                <caption>{ "Services" }</caption>
                <thead><tr>
                    <th scope="col">{ "Service" }</th><th scope="col">{ "Status" }</th>
                    <th scope="col" class="number">{ "Records/s" }</th><th scope="col" class="number">{ "Errors" }</th>
                    <th scope="col" class="number">{ "p50" }</th><th scope="col" class="number">{ "p95" }</th>
                    <th scope="col" class="number">{ "p99" }</th><th scope="col" class="number">{ "Odd records" }</th>
                    <th scope="col">{ "Last hour" }</th><th scope="col"><span class="visually-hidden">{ "Records" }</span></th>
                </tr></thead>
                <tbody>{ for props.services.iter().map(|service| row(service, props.range)) }</tbody>
            </table>
        </div>
    }
}

fn row(service: &Service, range: Range) -> Html {
    let judgement = &service.judgement;
    let filter = Filter { service: service.name.clone(), ..Filter::default() };
    let errors =
        places::records(&Filter { levels: vec![Level::Error, Level::Fatal], ..filter.clone() }, range);
    let odd = places::records(&Filter { is_anomaly: true, ..filter.clone() }, range);
    let to = AnalyticsView::of_service(&service.name, range).place();
    html! {
        <tr key={service.name.clone()} class={judgement.condition.class()}>
            <th scope="row"><Link {to}><span>{ &service.name }</span></Link></th>
            <td class="status">
                <span class={classes!("service-state", judgement.condition.class())}>{ judgement.condition.word() }</span>
                { reasons(&judgement.reasons) }
            </td>
            <td class="number" data-label="Records/s">{ if service.is_fresh { none() } else { html! { format::rate(service.records_per_sec) } } }</td>
            <td class="number" data-label="Errors">{ service.error_share.map_or(none(), |share| linked(format::percent(share), errors, service.errors > 0)) }</td>
            { quantile("p50", service.p50_ms) }{ quantile("p95", service.p95_ms) }{ quantile("p99", service.p99_ms) }
            <td class="number" data-label="Odd records">{ linked(format::count(service.anomalies), odd, service.anomalies > 0) }</td>
            <td class="course"><Sparkline values={service.traffic.clone()} label={traffic_words(service)} /></td>
            <td><Link to={places::records(&filter, range)}>{ "Logs" }</Link></td>
        </tr>
    }
}

fn reasons(reasons: &[String]) -> Html {
    match reasons {
        [] => Html::default(),
        [only] => html! { <p class="reason">{ only }</p> },
        [first, more @ ..] => html! {
            <p class="reason" title={more.join("\n")}>{ first }
                <span class="hint">{ format!(" +{}", more.len()) }</span>
                <span class="visually-hidden">{ more.join(", ") }</span></p>
        },
    }
}

fn quantile(name: &'static str, ms: Option<f64>) -> Html {
    html! { <td class="number" data-label={name}>{ ms.map_or(none(), |ms| html! { format::duration_ms(ms.round()) }) }</td> }
}

fn linked(text: String, to: Place, is_there: bool) -> Html {
    if is_there {
        html! { <Link {to}><span>{ text }</span></Link> }
    } else {
        html! { text }
    }
}

fn none() -> Html {
    html! { <span class="hint">{ "–" }</span> }
}

/// What the small line says, for who cannot see it.
fn traffic_words(service: &Service) -> String {
    let values: Vec<f64> = service.traffic.iter().flatten().copied().collect();
    let (Some(last), most) = (values.last(), values.iter().copied().fold(0.0, f64::max)) else {
        return "No records in the last hour".to_owned();
    };
    format!(
        "Records a minute in the last hour: at most {}, last {}",
        format::short_count(most),
        format::short_count(*last)
    )
}

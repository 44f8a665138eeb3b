//! Why a window was unusual: which channels spoke and what they saw, and which messages grew.

use yew::{Html, Properties, component, html};

use crate::api::anomalies::{ChangedTemplate, Channel, ChannelShare};
use crate::components::link::Link;
use crate::components::moment::moment;
use crate::state::analytics::places;
use crate::state::format::{self, Precision};
use crate::state::range::Range;
use insighthub_model::detection::Explanation;

/// Pixels of a share of one.
const BAR_PX: f64 = 120.0;

#[derive(PartialEq, Properties)]
pub struct ExplanationTablesProps {
    pub explanation: Explanation,
    pub service: String,
    /// Where its records are looked for.
    pub range: Range,
}

#[component]
pub fn ExplanationTables(props: &ExplanationTablesProps) -> Html {
    let explanation = &props.explanation;
    html! {
        <div class="explanation">
            <div class="table-frame" tabindex="0">
                <table>
                    <caption>{ "What was unusual" }</caption>
                    <thead><tr>
                        <th scope="col">{ "Channel" }</th><th scope="col" class="number">{ "Observed" }</th>
                        <th scope="col" class="number">{ "Usual" }</th><th scope="col">{ "Share of the evidence" }</th>
                    </tr></thead>
                    <tbody>{ for explanation.channels.iter().map(channel) }</tbody>
                </table>
            </div>
            if !explanation.templates.is_empty() {
                <div class="table-frame" tabindex="0">
                    <table>
                        <caption>{ "Messages that grew" }</caption>
                        <thead><tr>
                            <th scope="col">{ "Message" }</th><th scope="col" class="number">{ "Records" }</th>
                            <th scope="col" class="number">{ "Usual" }</th><th scope="col">{ "First seen" }</th>
                        </tr></thead>
                        <tbody>{ for explanation.templates.iter().map(|changed| template(changed, props)) }</tbody>
                    </table>
                </div>
            }
            <p class="hint">{ format!(
                "Usual at this time: {:.0} to {:.0} records a minute, {} on the average.",
                explanation.rate_band.0, explanation.rate_band.1, format::duration_ms(explanation.latency_due_ms)
            ) }</p>
        </div>
    }
}

fn channel(share: &ChannelShare) -> Html {
    let evidence = share.evidence;
    let (observed, expected) = match share.channel {
        Channel::Latency | Channel::LatencyDrift => {
            (format::duration_ms(evidence.observed), format::duration_ms(evidence.expected))
        }
        Channel::Forest => (format!("{:.2}", evidence.observed), format!("{:.2}", evidence.expected)),
        _ => (records(evidence.observed), rare(evidence.expected)),
    };
    html! {
        <tr>
            <th scope="row" title={meaning(share.channel)}>{ share.channel.name() }<span class="visually-hidden">{ meaning(share.channel) }</span></th>
            <td class="number">{ observed }</td><td class="number">{ expected }</td>
            <td class="share"><svg width={BAR_PX.to_string()} height="10" aria-hidden="true">
                <rect class="bar-ground" width={BAR_PX.to_string()} height="10" rx="3" />
                <rect class="bar" width={(share.share.clamp(0.0, 1.0) * BAR_PX).to_string()} height="10" rx="3" />
            </svg><span>{ format::percent(share.share) }</span></td>
        </tr>
    }
}

fn records(number: f64) -> String {
    if number < 10.0 && number.fract() != 0.0 {
        format!("{number:.1}")
    } else {
        format::count(number.max(0.0).round() as u64)
    }
}

/// What a channel looks at, in words.
fn meaning(channel: Channel) -> &'static str {
    match channel {
        Channel::Latency => "Mean latency of the last minutes",
        Channel::LatencyDrift => "Mean latency of 45 minutes",
        Channel::Errors => "Errors of the last minutes",
        Channel::TrafficDrop => "Fewer records than are due",
        Channel::TrafficSurge => "More records than are due",
        Channel::NewMessages => "Messages of kinds never seen before",
        Channel::MessageShift => "One kind of message that grew",
        Channel::SlowShare => "Records slower than the usual 99 %",
        Channel::Forest => "All channels together: an unusual combination, 0 to 1",
    }
}

fn template(changed: &ChangedTemplate, props: &ExplanationTablesProps) -> Html {
    // Known from the start: far in the past.
    let first_seen = (changed.first_seen_nanos > 0)
        .then(|| moment(changed.first_seen_nanos / 1_000_000, Precision::Minute));
    let text = if changed.text.is_empty() { "(no record of this kind is kept)" } else { &*changed.text };
    html! {
        <tr>
            <th scope="row" class="pattern">
                if changed.text.is_empty() { { text } } else {
                    <Link to={places::pattern(&props.service, props.range, &changed.text)}><span>{ text }</span></Link>
                }
            </th>
            <td class="number">{ format::count(u64::from(changed.records)) }</td>
            <td class="number">{ rare(changed.expected) }</td>
            <td>{ first_seen.unwrap_or_else(|| html! { "long known" }) }</td>
        </tr>
    }
}

fn rare(number: f64) -> String {
    if number > 0.0 && number < 0.1 { "< 0.1".to_owned() } else { records(number) }
}

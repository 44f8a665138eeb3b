//! What a chart of lines says in words: its legend, what stands at a moment, and a table for who cannot see it.

use yew::{Callback, Html, NodeRef, Properties, classes, component, html};

use super::series::{Lines, SharedLines, TONES, extremes};
use crate::browser::clock;
use crate::components::moment::moment;
use crate::state::format::{self, Precision};

/// Of more series only the largest are named at a moment.
const NAMED_MAX: usize = 9;

#[derive(PartialEq, Properties)]
pub struct LegendProps {
    pub lines: SharedLines,
    pub hidden: Vec<String>,
    /// Shows or hides the series of that name.
    pub on_toggle: Callback<String>,
}

#[component]
pub fn Legend(props: &LegendProps) -> Html {
    let entry = |name: &String, mark: Html| {
        let is_shown = !props.hidden.contains(name);
        let onclick = props.on_toggle.reform({
            let name = name.clone();
            move |_| name.clone()
        });
        html! {
            <li key={name.clone()}>
                <button type="button" class="legend-entry" aria-pressed={is_shown.to_string()} {onclick}
                    title={if is_shown { "Hide" } else { "Show" }}>{ mark }<span>{ name }</span></button>
            </li>
        }
    };
    let lines = &props.lines;
    html! {
        <ul class="legend" aria-label="Lines of the chart">
            { for lines.series.iter().map(|series| entry(&series.name, swatch(series.tone, series.is_faint))) }
            { for lines.band.iter().map(|band| entry(&band.name, html! { <span class="swatch band-swatch" aria-hidden="true"></span> })) }
        </ul>
    }
}

fn swatch(tone: usize, is_faint: bool) -> Html {
    let class = classes!("swatch", format!("tone-{}", tone % TONES), is_faint.then_some("faint"));
    html! { <span {class} aria-hidden="true"></span> }
}

/// What all shown series are at a step, largest first, for the box beside the pointer.
pub fn reading(lines: &Lines, hidden: &[String], (from, to): (usize, usize), node: NodeRef) -> Html {
    let (from_ms, to_ms) = lines.stretch(from, to);
    let mut values: Vec<(f64, usize, bool, &str)> = lines
        .series
        .iter()
        .filter(|series| !hidden.contains(&series.name))
        .filter_map(|series| {
            Some((series.values.get(from).copied().flatten()?, series.tone, series.is_faint, &*series.name))
        })
        .collect();
    values.sort_by(|a, b| b.0.total_cmp(&a.0));
    let more = values.len().saturating_sub(NAMED_MAX);
    let row = |(value, tone, is_faint, name): &(f64, usize, bool, &str)| {
        html! { <tr><th scope="row">{ swatch(*tone, *is_faint) }{ *name }</th><td class="number">{ lines.unit.text(*value) }</td></tr> }
    };
    let band = lines.band.as_ref().filter(|band| !hidden.contains(&band.name));
    let band = band.and_then(|band| Some((&band.name, band.values.get(from).copied().flatten()?)));
    html! {
        <div class="tip" ref={node} aria-hidden="true">
            <p>{ moment(from_ms, Precision::Minute) }{ " to " }{ moment(to_ms, Precision::Minute) }</p>
            if from != to {
                <p class="hint">{ "Let go to look at this range" }</p>
            } else {
                <table><tbody>
                    { for values.iter().take(NAMED_MAX).map(row) }
                    { for band.map(|(name, (least, most))| html! {
                        <tr><th scope="row"><span class="swatch band-swatch"></span>{ name }</th>
                        <td class="number">{ format!("{} to {}", lines.unit.text(least), lines.unit.text(most)) }</td></tr>
                    }) }
                </tbody></table>
                if values.is_empty() { <p class="hint">{ "Nothing known" }</p> }
                if more > 0 { <p class="hint">{ format!("and {more} more") }</p> }
                { for lines.marks.iter().filter(|mark| mark.from_ms < to_ms && mark.to_ms > from_ms).take(3)
                    .map(|mark| html! { <p class="tip-mark">{ &mark.name }</p> }) }
            }
        </div>
    }
}

/// The same in one sentence, for a screen reader.
pub fn spoken(lines: &Lines, hidden: &[String], step: usize) -> String {
    let (from_ms, _) = lines.stretch(step, step);
    let (_, time) = format::day_and_time(from_ms, clock::offset_ms(from_ms), Precision::Minute);
    let shown = lines.series.iter().filter(|series| !hidden.contains(&series.name));
    let values: Vec<String> = shown
        .filter_map(|series| {
            let value = series.values.get(step).copied().flatten()?;
            Some(format!("{} {}", series.name, lines.unit.text(value)))
        })
        .collect();
    let values = if values.is_empty() { "nothing known".to_owned() } else { values.join(", ") };
    format!("{time}: {values}")
}

/// Each line by its least, most and last.
pub fn table(lines: &Lines, label: &str) -> Html {
    let row = |name: &str, values: &[Option<f64>]| {
        let found = extremes(values);
        let text =
            |value: Option<f64>| value.map_or("nothing known".to_owned(), |value| lines.unit.text(value));
        let most_at =
            found.map(|found| moment(lines.stretch(found.most_step, found.most_step).0, Precision::Minute));
        html! {
            <tr>
                <th scope="row">{ name.to_owned() }</th><td>{ text(found.map(|found| found.last)) }</td>
                <td>{ text(found.map(|found| found.least)) }</td><td>{ text(found.map(|found| found.most)) }</td>
                <td>{ most_at }</td>
            </tr>
        }
    };
    html! {
        // A table does not shrink: the box around it is hidden.
        <div class="visually-hidden"><table>
            <caption>{ label.to_owned() }</caption>
            <thead><tr>
                <th scope="col">{ "Line" }</th><th scope="col">{ "Last" }</th><th scope="col">{ "Least" }</th>
                <th scope="col">{ "Most" }</th><th scope="col">{ "Most at" }</th>
            </tr></thead>
            <tbody>{ for lines.series.iter().map(|series| row(&series.name, &series.values)) }</tbody>
        </table></div>
    }
}

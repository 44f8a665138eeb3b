//! What stands on Home before the first record has come.

use yew::{Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct FirstStepsProps {
    /// Where this node takes records: `http://localhost:8000`.
    pub origin: String,
}

#[component]
pub fn FirstSteps(props: &FirstStepsProps) -> Html {
    let origin = &props.origin;
    let curl = format!(
        "curl -X POST {origin}/api/logs -H 'Content-Type: application/json' \\\n  -d '{{\"service\":\"demo\",\"level\":\"INFO\",\"message\":\"hello\",\"latency_ms\":12}}'"
    );
    let python = format!(
        "import logging, insighthub\nlogging.getLogger().addHandler(insighthub.InsightHubHandler(\"{origin}\", service=\"checkout\"))"
    );
    let javascript = format!(
        "import {{ InsightHub }} from 'insighthub';\nconst log = new InsightHub({{ nodes: '{origin}', service: 'checkout' }});\nlog.info('order was paid', {{ order: 7, latency_ms: 12 }});"
    );
    html! {
        <section class="first-steps card" data-state="empty">
            <h2>{ "No record has come yet" }</h2>
            <p>{ "Send one, and this page fills by itself within seconds. Services, rates, errors and latencies need no setup; what is unusual is known after half a day." }</p>
            { step("From the command line", &curl) }
            { step("From Python", &python) }
            { step("From JavaScript, Node.js and pages", &javascript) }
            { step("Just to look: made-up traffic of a shop, with incidents", "insighthub demo") }
            <p class="hint">{ "In production senders need a token: insighthub token create --service NAME" }</p>
        </section>
    }
}

fn step(title: &'static str, code: &str) -> Html {
    html! { <div class="step"><h3>{ title }</h3><pre><code>{ code.to_owned() }</code></pre></div> }
}

//! Draws the dashboard into the page.

fn main() {
    yew::Renderer::<insighthub_ui::pages::app::App>::new().render();
}

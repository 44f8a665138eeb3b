//! The whole screen: navigation, the line above, the current page, and the dialogs.

use std::rc::Rc;

use gloo_events::EventListener;
use gloo_timers::callback::{Interval, Timeout};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, ContextProvider, Html, component, hook, html, use_mut_ref};

use crate::browser::{address, dom, keyboard, preferences};
use crate::components::frame::help_dialog::HelpDialog;
use crate::components::frame::login_dialog::LoginDialog;
use crate::components::frame::navigation::Navigation;
use crate::components::frame::top_line::TopLine;
use crate::hooks::app::App as AppContext;
use crate::hooks::effect::use_effect_with;
use crate::hooks::memo::use_callback;
use crate::hooks::state::{State, use_state_eq};
use crate::network::{peers, requests};
use crate::pages::admin::AdminPage;
use crate::pages::alerts::AlertsPage;
use crate::pages::analytics::AnalyticsPage;
use crate::pages::cluster::ClusterPage;
use crate::pages::dead_letters::DeadLettersPage;
#[cfg(debug_assertions)]
use crate::pages::dev::ComponentsPage;
use crate::pages::explore::ExplorePage;
use crate::pages::home::HomePage;
use crate::pages::live::LivePage;
use crate::pages::session::{Account, Login, use_account};
use crate::state::connection::Health;
use crate::state::page::{Page, Place};

/// The nodes of the cluster are looked up this often, so that there is another to turn to.
const PEERS_EVERY_MS: u32 = 30_000;
/// The age of what is shown is told this often.
const HEALTH_EVERY_MS: u32 = 1_000;
/// A key sequence ends after this long.
const SEQUENCE_MS: u32 = 1_200;

#[component]
pub fn App() -> Html {
    let page = use_page();
    let account = use_account();
    let (node, network_health) = use_node();
    let stream_health = use_state_eq(|| None::<Health>);
    let (is_help_open, on_help, on_help_close) = use_switch();
    let (are_pages_open, on_pages, on_pages_close) = use_switch();
    let theme = use_state_eq(preferences::theme);
    let open = use_callback((), |place: Place, ()| address::open(&place));
    use_app_keys(open.clone(), on_help.clone());
    use_title(*page);
    let on_theme = use_callback(theme, |(), theme| {
        let next = theme.toggled(preferences::system_is_dark());
        preferences::set_theme(next);
        theme.set(next);
    });
    let tell_health = use_callback(stream_health.clone(), |health, told| told.set(health));
    let session = (*account.session).clone();
    let context =
        AppContext { session: session.clone(), sign_in: account.on_open.clone(), open, tell_health };
    // A new user sees other things: the page starts anew.
    let who = context.user().unwrap_or_default().to_owned();
    html! {
        <ContextProvider<AppContext> {context}>
            <a class="skip-link" href="#page">{ "Skip to the page" }</a>
            <Navigation page={*page} is_open={are_pages_open} on_close={on_pages_close} />
            <div class="screen">
                <TopLine title={page.title()} {node} is_at_home={peers::is_at_home()} health={stream_health.unwrap_or(network_health)}
                    {session} {on_pages} on_sign_in={account.on_open.clone()} on_sign_out={account.on_sign_out.clone()} {on_theme} {on_help} />
                <main id="page" key={who} tabindex="-1">{ draw(*page) }</main>
            </div>
            // One element, so that a dialog that comes or goes does not shift the page before it.
            <div>
                { login(&account) }
                if is_help_open { <HelpDialog on_close={on_help_close} /> }
            </div>
        </ContextProvider<AppContext>>
    }
}

fn draw(page: Page) -> Html {
    match page {
        Page::Home => html! { <HomePage /> },
        Page::Live => html! { <LivePage /> },
        Page::Explore => html! { <ExplorePage /> },
        Page::Analytics => html! { <AnalyticsPage /> },
        Page::Alerts => html! { <AlertsPage /> },
        Page::DeadLetters => html! { <DeadLettersPage /> },
        Page::Cluster => html! { <ClusterPage /> },
        Page::Admin => html! { <AdminPage /> },
        #[cfg(debug_assertions)]
        Page::Components => html! { <ComponentsPage /> },
    }
}

fn login(account: &Account) -> Option<Html> {
    let Login::Open { is_sending, error } = (*account.login).clone() else { return None };
    Some(html! {
        <LoginDialog {is_sending} {error} oidc={(*account.oidc).clone()} on_close={account.on_shut.clone()} on_submit={account.on_submit.clone()} />
    })
}

/// The current page, also after the browser's back and forward.
#[hook]
fn use_page() -> State<Page> {
    let page = use_state_eq(address::page);
    use_effect_with((), {
        let page = page.clone();
        move |()| {
            let listener = web_sys::window()
                .map(|window| EventListener::new(&window, "popstate", move |_| page.set(address::page())));
            move || drop(listener)
        }
    });
    page
}

/// The node that is asked, and whether it answers.
#[hook]
fn use_node() -> (String, Health) {
    let seen = use_state_eq(|| (peers::name(), peers::health()));
    use_effect_with((), {
        let seen = seen.clone();
        move |()| {
            let look = Callback::from(move |()| seen.set((peers::name(), peers::health())));
            peers::on_change(Some(look.clone()));
            let age = Interval::new(HEALTH_EVERY_MS, move || look.emit(()));
            move || {
                peers::on_change(None);
                drop(age);
            }
        }
    });
    use_effect_with((), |()| {
        let learn = || {
            spawn_local(async {
                if let Ok(cluster) = requests::cluster::cluster().await {
                    peers::learn(&cluster);
                }
            });
        };
        learn();
        let interval = Interval::new(PEERS_EVERY_MS, learn);
        move || drop(interval)
    });
    (*seen).clone()
}

/// Something that is open or shut, and the ways to change it.
#[hook]
fn use_switch() -> (bool, Callback<()>, Callback<()>) {
    let is_open = use_state_eq(|| false);
    let open = use_callback(is_open.clone(), |(), is_open| is_open.set(true));
    let shut = use_callback(is_open.clone(), |(), is_open| is_open.set(false));
    (*is_open, open, shut)
}

#[hook]
fn use_title(page: Page) {
    use_effect_with(page, |page| dom::set_title(&format!("{} · InsightHub", page.title())));
}

/// `?` for help, `g` and a letter to go to a page.
#[hook]
fn use_app_keys(open: Callback<Place>, help: Callback<()>) {
    let sequence = use_mut_ref(|| None::<Timeout>);
    use_effect_with((open, help), move |(open, help)| {
        let (open, help) = (open.clone(), help.clone());
        let listener = keyboard::on_key(move |event| {
            if keyboard::is_typing(event) {
                return;
            }
            let was_begun = sequence.borrow_mut().take().is_some();
            let key = event.key();
            match (was_begun.then(|| Page::from_key(&key)).flatten(), key.as_str()) {
                (Some(page), _) => {
                    // The page must not take the letter for one of its own keys.
                    event.stop_immediate_propagation();
                    open.emit(Place::of(page));
                }
                (None, "?") => help.emit(()),
                (None, "g") => {
                    let forget = Rc::clone(&sequence);
                    let timeout = Timeout::new(SEQUENCE_MS, move || drop(forget.borrow_mut().take()));
                    sequence.borrow_mut().replace(timeout);
                }
                _ => return,
            }
            event.prevent_default();
        });
        move || drop(listener)
    });
}

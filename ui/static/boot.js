// Loads and starts the dashboard; says so if that fails, or if it breaks down later.
import init from "./insighthub.{{hash}}.js";

// A fault in the compiled code ends it: what is on the screen no longer answers, and only a reload helps.
function tellBreakdown(error) {
  if (!(error instanceof WebAssembly.RuntimeError) || document.getElementById("breakdown")) return;
  const dialog = document.createElement("dialog");
  dialog.id = "breakdown";
  dialog.className = "dialog breakdown";
  dialog.setAttribute("role", "alertdialog");
  dialog.setAttribute("aria-labelledby", "breakdown-title");
  dialog.setAttribute("aria-describedby", "breakdown-text");
  const title = document.createElement("h2");
  title.id = "breakdown-title";
  title.textContent = "The dashboard broke down";
  const text = document.createElement("p");
  text.id = "breakdown-text";
  text.textContent = "What you see no longer changes. Reload the page to go on: it opens where you are, and the logs are not affected.";
  const reload = document.createElement("button");
  reload.className = "primary";
  reload.textContent = "Reload the page";
  reload.onclick = () => location.reload();
  dialog.append(title, text, reload);
  // Nothing behind it works any more: it cannot be put away.
  dialog.oncancel = (event) => event.preventDefault();
  dialog.onclose = () => dialog.showModal();
  document.body.append(dialog);
  dialog.showModal();
}
addEventListener("error", (event) => tellBreakdown(event.error));
addEventListener("unhandledrejection", (event) => tellBreakdown(event.reason));

init({ module_or_path: new URL("./insighthub_bg.{{hash}}.wasm", import.meta.url) }).catch((error) => {
  const text = document.getElementById("boot-text");
  if (text) text.textContent = "The dashboard could not be loaded. Reload the page to try again.";
  else tellBreakdown(error);
  console.error(error);
});

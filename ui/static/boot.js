// Loads and starts the dashboard; says so if that fails.
import init from "./insighthub.{{hash}}.js";

init({ module_or_path: new URL("./insighthub_bg.{{hash}}.wasm", import.meta.url) }).catch((error) => {
  const text = document.getElementById("boot-text");
  if (text) text.textContent = "The dashboard could not be loaded. Reload the page to try again.";
  console.error(error);
});

// Sets the chosen theme before the first paint, so that a dark screen never flashes white.
try {
  document.documentElement.dataset.theme = localStorage.getItem("insighthub.theme") || "system";
} catch {
  // Storage is forbidden: the system's theme stays.
}

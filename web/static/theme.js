// Applies a chosen theme before the first paint. Without a choice the system's theme holds, by CSS alone.
(() => {
  "use strict";
  const root = document.documentElement;
  root.dataset.scripts = "";
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // Storage is switched off: the system's theme holds.
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();

// Runs in the head, before the first paint: marks that scripts run, and keeps the chosen theme.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.js = "";

  // The server writes data-theme from this cookie; pages it could not render (500) read it here.
  const kept = document.cookie.match(/(?:^|; )theme=(light|dark)(?:;|$)/);
  if (kept) root.dataset.theme = kept[1];

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const shown = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = shown === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
  });
})();

// Enhancements only: every page reads and works without this file.
"use strict";

// A theme that somebody chose is set before the first paint; without a choice the system's counts.
const root = document.documentElement;
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.theme);
    });
  }
  // The zone of the browser is one more choice of the form in the footer.
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const select of document.querySelectorAll("[data-zone]")) {
    if (!own || [...select.options].some((o) => o.value === own)) continue;
    select.prepend(new Option(own + ", this browser", own));
  }
  // The clipboard exists in secure contexts only: elsewhere the buttons stay hidden, and the text can be selected.
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed to copy";
      }
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
});

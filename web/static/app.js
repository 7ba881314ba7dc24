// Enhancements only: every page reads and works without this file.
"use strict";

// A theme that somebody chose is a cookie, by which the server writes the page: nothing here has to run before the first
// paint. Without a choice the system's counts.
const root = document.documentElement;
for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `aw_theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  });
}
// The zone of the browser is one more choice of the form in the footer.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const select of document.querySelectorAll("[data-zone]")) {
  if (!own || [...select.options].some((o) => o.value === own)) continue;
  select.prepend(new Option(own + ", this browser", own));
}
// The clipboard exists in secure contexts only: elsewhere the buttons stay hidden, and the text can be selected.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
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

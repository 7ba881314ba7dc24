// What moves by itself: the page Live, and whether an incident is over. Both only load what a reload would show.
"use strict";

(() => {
  const parse = async (url) => {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };
  const plural = (n, one, many) => n + " " + (n === 1 ? one : many);

  function live(box) {
    const rows = box.querySelector("[data-live-rows]"), words = box.querySelector("[data-live-words]"), note = box.querySelector("[data-live-note]");
    const said = box.querySelector("[data-live-said]"), pause = box.querySelector("[data-live-pause]"), newer = box.querySelector("[data-live-newer]");
    const most = 200, gap = 1000, sayEvery = 30000;
    let end = box.dataset.end, paused = false, busy = false, timer = 0, last = 0, waiting = 0, skipped = 0, unsaid = 0, lastSaid = 0, trouble = "";

    // Rows do not move under who reads, selects or follows them with the keyboard.
    const held = () => paused || document.hidden || rows.getBoundingClientRect().top < 0 || rows.contains(document.activeElement) || (getSelection() && !getSelection().isCollapsed);

    function show() {
      const parts = [];
      if (trouble) parts.push(trouble);
      if (waiting && held()) parts.push((paused ? "Paused: " : "Held while you read: ") + plural(waiting, "failure waits", "failures wait") + ".");
      else if (paused) parts.push("Paused.");
      if (skipped) parts.push(plural(skipped, "failure was", "failures were") + " skipped since the page was opened: too many at once.");
      note.textContent = parts.join(" ");
    }

    // At most twice a minute, and only how many.
    function say() {
      if (!unsaid || Date.now() - lastSaid < sayEvery) return;
      said.textContent = plural(unsaid, "new failure", "new failures") + ".";
      unsaid = 0;
      lastSaid = Date.now();
    }

    function soon() {
      show();
      if (timer || busy || !waiting || held()) return;
      timer = setTimeout(load, Math.max(200, last + gap - Date.now()));
    }

    async function load() {
      timer = 0;
      if (held()) { show(); return; }
      busy = true;
      last = Date.now();
      waiting = 0;
      try {
        const page = await parse(box.dataset.here + (box.dataset.here.includes("?") ? "&" : "?") + "since=" + encodeURIComponent(end));
        const from = page.querySelector("[data-live]"), fresh = [...page.querySelectorAll("[data-live-rows] tr.new")];
        if (!from) throw new Error("signed out");
        for (const row of rows.querySelectorAll("tr.new")) {
          row.classList.remove("new");
          row.querySelector(".new-mark")?.remove();
        }
        rows.prepend(...fresh.map((row) => document.adoptNode(row)));
        while (rows.rows.length > most) rows.rows[rows.rows.length - 1].remove();
        end = from.dataset.end;
        skipped += Number(page.querySelector("[data-live-rows]").dataset.missed) || 0;
        unsaid += fresh.length;
        words.textContent = page.querySelector("[data-live-words]").textContent;
        newer.href = page.querySelector("[data-live-newer]").getAttribute("href");
        trouble = "";
        say();
      } catch {
        waiting++;
        trouble = "The page cannot be loaded; trying again.";
        last = Date.now() + 5000;
      }
      busy = false;
      soon();
    }

    // A browser has few connections to one server, so a page that nobody sees holds none.
    let stream = null;
    function connect() {
      if (document.hidden) {
        stream?.close();
        stream = null;
      }
      if (document.hidden || stream) return;
      const address = new URL(box.dataset.live, location.href);
      address.searchParams.set("after", end);
      const mine = stream = new EventSource(address);
      for (const name of ["failure", "failure_revised", "reset"]) mine.addEventListener(name, () => { waiting++; soon(); });
      // What the stream left out, the page counts.
      mine.addEventListener("skipped", (e) => { waiting += JSON.parse(e.data).count; soon(); });
      mine.addEventListener("heartbeat", () => { trouble = ""; say(); show(); });
      mine.addEventListener("error", () => {
        if (mine !== stream) return;
        trouble = mine.readyState === EventSource.CLOSED ? "The server does not stream to this page; load it anew." : "The connection is lost; trying again.";
        show();
      });
    }
    connect();
    document.addEventListener("visibilitychange", connect);

    pause.hidden = false;
    newer.hidden = true;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      pause.textContent = paused ? "Go on" : "Pause";
      soon();
    });
    for (const event of ["scroll", "selectionchange", "visibilitychange", "focusin", "focusout"]) document.addEventListener(event, () => setTimeout(soon), { passive: true });
  }

  function over(box) {
    const status = document.createElement("p");
    status.className = "sr";
    status.setAttribute("role", "status");
    box.append(status);
    setInterval(async () => {
      if (document.hidden) return;
      try {
        const next = (await parse(box.dataset.over)).querySelector("[data-over]");
        if (!next) return;
        const text = next.querySelector("p").textContent;
        // Only the turn is spoken, not every count.
        if (next.classList.contains("good") !== box.classList.contains("good")) status.textContent = text;
        box.className = next.className;
        box.querySelector("p").textContent = text;
      } catch { /* the next time */ }
    }, 10000);
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const box of document.querySelectorAll("[data-live]")) live(box);
    for (const box of document.querySelectorAll("[data-over]")) over(box);
  });
})();

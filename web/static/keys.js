// Keys and the palette. Everything here has a link or a button on the page too; this only reaches it faster.
"use strict";

(() => {
  const off = () => localStorage.getItem("keys") === "off";
  const typing = (el) => el.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("main table.cards tbody tr")].filter((row) => row.querySelector("th a[href], td a[href]"));
  const linkOf = (row) => row.querySelector("th a[href]") || row.querySelector("td a[href]");
  const press = (el) => { if (el.matches("a[href], button, summary")) el.click(); else el.focus(); };
  const find = (attribute, key) => [...document.querySelectorAll(`[data-${attribute}]`)].find((el) => el.dataset[attribute] === key && !el.hidden);

  function move(step) {
    const list = rows();
    if (list.length === 0) return;
    const at = list.findIndex((row) => row.contains(document.activeElement));
    const next = at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + step));
    linkOf(list[next]).focus();
  }

  function tick() {
    const row = rows().find((r) => r.contains(document.activeElement));
    const box = row && row.querySelector("input[type=checkbox]");
    if (box) box.checked = !box.checked;
  }

  function search() {
    const box = document.querySelector("main input[type=search]");
    if (box) box.focus(); else location.assign("/incidents#search");
  }

  async function copyAddress(note) {
    if (!navigator.clipboard) return;
    const link = document.querySelector("[data-permalink]"); // with absolute times: it shows the same tomorrow
    await navigator.clipboard.writeText(link ? link.href : location.href);
    note("The address of this page is copied.");
  }

  // A polite line for who cannot see what a key did.
  function speaker() {
    const line = document.createElement("p");
    line.className = "sr";
    line.setAttribute("role", "status");
    document.body.append(line);
    return (text) => { line.textContent = text; };
  }

  function dialog(title, fill) {
    const box = document.createElement("dialog");
    const heading = document.createElement("h2");
    heading.textContent = title;
    heading.id = "dialog-" + title.toLowerCase().replace(/\W+/g, "-");
    box.setAttribute("aria-labelledby", heading.id);
    box.append(heading);
    fill(box);
    document.body.append(box);
    return box;
  }

  const help = [
    ["?", "this list"], ["/", "search"], ["Ctrl K", "go to or do anything"], ["g o", "overview"], ["g i", "incidents"], ["g l", "live"], ["g c", "clients"], ["g e", "environments"],
    ["g h", "changes"], ["g s", "sources"], ["g a", "alerts"], ["g d", "causes"], ["g k", "check"], ["g u", "unclassified"], ["g r", "REST API"], ["g t", "settings"], ["j", "next row"], ["k", "row before"], ["Enter", "open the row"], ["x", "tick the row"],
    ["a", "acknowledge"], ["s", "silence"], ["r", "resolve"], ["y", "copy the address of this page"], ["[", "earlier"], ["]", "later"], ["t", "choose the time range"], ["p", "pause the live page"],
  ];

  function helpDialog() {
    return dialog("Keys", (box) => {
      const list = document.createElement("dl");
      list.className = "keys";
      for (const [key, what] of help) {
        const term = document.createElement("dt"), text = document.createElement("dd"), kbd = document.createElement("kbd");
        kbd.textContent = key;
        term.append(kbd);
        text.textContent = what;
        list.append(term, text);
      }
      const label = document.createElement("label"), check = document.createElement("input");
      check.type = "checkbox";
      check.checked = !off();
      check.addEventListener("change", () => localStorage.setItem("keys", check.checked ? "on" : "off"));
      label.append(check, " Single letters are keys");
      const close = document.createElement("button");
      close.textContent = "Close";
      close.addEventListener("click", () => box.close());
      box.append(list, label, close);
    });
  }

  function commands() {
    const of = (selector, prefix) => [...document.querySelectorAll(selector)].filter((el) => !el.hidden && el.textContent.trim())
      .map((el) => ({ text: prefix + el.textContent.trim().replace(/\s+/g, " "), run: () => el.click() }));
    return [...of("header nav a", "Go to "), ...of(".actions button, .actions a, .together button", ""), ...of(".range a", "Time range "), ...of("main table.cards th a", "Open ")].slice(0, 200);
  }

  function palette() {
    return dialog("Go to or do", (box) => {
      const input = document.createElement("input"), list = document.createElement("ul");
      input.type = "search";
      input.setAttribute("aria-label", "Command, or what to search for");
      input.autocomplete = "off";
      list.className = "palette";
      const all = commands();
      const show = () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        const fits = all.filter((c) => words.every((w) => c.text.toLowerCase().includes(w))).slice(0, 12);
        if (input.value.trim()) fits.push({ text: "Search incidents for " + input.value.trim(), run: () => location.assign("/incidents?state=all&q=" + encodeURIComponent(input.value.trim())) });
        list.replaceChildren(...fits.map((c) => {
          const item = document.createElement("li"), button = document.createElement("button");
          button.textContent = c.text;
          button.addEventListener("click", () => { box.close(); c.run(); });
          item.append(button);
          return item;
        }));
      };
      input.addEventListener("input", show);
      box.addEventListener("keydown", (e) => {
        const buttons = [...list.querySelectorAll("button")], at = buttons.indexOf(document.activeElement);
        if (e.key === "Enter" && at < 0 && buttons.length) { e.preventDefault(); buttons[0].click(); }
        if (e.key === "ArrowDown" && at + 1 < buttons.length) { e.preventDefault(); buttons[at + 1].focus(); }
        if (e.key === "ArrowUp") { e.preventDefault(); (at > 0 ? buttons[at - 1] : input).focus(); }
      });
      box.addEventListener("close", () => box.remove());
      box.append(input, list);
      show();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const say = speaker();
    let keys = null, going = 0;
    const showKeys = () => { keys = keys || helpDialog(); keys.showModal(); };
    for (const button of document.querySelectorAll("[data-keys-help]")) {
      button.hidden = false;
      button.addEventListener("click", showKeys);
    }
    document.addEventListener("keydown", (e) => {
      if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === "k") {
        e.preventDefault();
        if (!document.querySelector("dialog[open]")) palette().showModal();
        return;
      }
      if (off() || e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || document.querySelector("dialog[open]")) return;
      const went = going && Date.now() - going < 1500;
      going = 0;
      if (went) {
        const target = find("go", e.key);
        if (target) { e.preventDefault(); press(target); }
        return;
      }
      const own = { j: () => move(1), k: () => move(-1), x: tick, "/": search, y: () => copyAddress(say), "?": showKeys, g: () => { going = Date.now(); } }[e.key];
      const target = own ? null : find("key", e.key);
      if (own || target) {
        e.preventDefault();
        if (own) own(); else press(target);
      }
    });
  });
})();

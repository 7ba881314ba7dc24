// Dragging over a chart chooses a time. Without this file the form From … to does, and the links for earlier and later.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  if (!document.querySelector(".range")) return; // the page shows one time only
  for (const chart of document.querySelectorAll("svg.bars[data-from]")) {
    const from = Date.parse(chart.dataset.from), to = Date.parse(chart.dataset.to), steps = Number(chart.dataset.steps);
    const { width } = chart.viewBox.baseVal;
    const marked = chart.querySelector("rect.hit").cloneNode(false); // as high as the drawing
    marked.setAttribute("class", "brush");
    let start = -1, end = -1;

    // stepAt is the step under the pointer: a time is chosen in whole steps, which the figures are exact for.
    const stepAt = (e) => {
      const box = chart.getBoundingClientRect();
      return Math.min(steps - 1, Math.max(0, Math.floor((e.clientX - box.left) / box.width * steps)));
    };
    const draw = () => {
      const first = Math.min(start, end), last = Math.max(start, end) + 1;
      marked.setAttribute("x", first * width / steps);
      marked.setAttribute("width", (last - first) * width / steps);
    };
    const forget = () => { start = -1; marked.remove(); };

    chart.classList.add("brushable");
    chart.addEventListener("pointerdown", (e) => {
      if (e.button !== 0 || e.pointerType === "touch") return; // a finger scrolls
      start = end = stepAt(e);
      chart.setPointerCapture(e.pointerId);
      chart.append(marked);
      draw();
      e.preventDefault();
    });
    chart.addEventListener("pointermove", (e) => {
      if (start < 0) return;
      end = stepAt(e);
      draw();
    });
    chart.addEventListener("pointerup", () => {
      if (start < 0) return;
      const first = Math.min(start, end), last = Math.max(start, end) + 1;
      forget();
      if (last - first < 2) return; // a click is no choice
      const at = (step) => new Date(from + (to - from) * step / steps).toISOString().replace(".000Z", "Z");
      const url = new URL(location.href);
      for (const name of ["range", "cursor"]) url.searchParams.delete(name);
      url.searchParams.set("from", at(first));
      url.searchParams.set("to", at(last));
      location.assign(url);
    });
    chart.addEventListener("pointercancel", forget);
    document.addEventListener("keydown", (e) => { if (e.key === "Escape") forget(); });
  }
});

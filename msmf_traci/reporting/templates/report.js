"use strict";
(() => {
  const { specs, themes } = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const charts = [...document.querySelectorAll(".chart")];
  const views = new Map();

  // a chart in a closed or distant part of the page is drawn when it is looked at
  async function draw(place) {
    const kept = views.get(place)?.view;
    const signals = kept ? choices(kept, place) : {};
    let text = JSON.stringify(specs[place.dataset.figure]);
    if (dark.matches) text = text.replaceAll('"#000000"', '"#e8e8e6"');
    const spec = JSON.parse(text);
    spec.description = place.dataset.label;
    for (const param of spec.params ?? []) if (param.name in signals) param.value = signals[param.name];
    views.get(place)?.finalize();
    const result = await vegaEmbed(place, spec, {
      actions: false, renderer: "svg", config: dark.matches ? themes.dark : themes.light, tooltip: { theme: dark.matches ? "dark" : "light" },
    });
    views.set(place, result);
    place.classList.add("drawn");
  }

  function choices(view, place) {
    const names = (specs[place.dataset.figure].params ?? []).filter((param) => param.bind && !param.select).map((param) => param.name);
    return Object.fromEntries(names.map((name) => [name, view.signal(name)]));
  }

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { watcher.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "600px" });
  charts.forEach((place) => watcher.observe(place));
  dark.addEventListener("change", () => [...views.keys()].forEach(draw));

  // what is printed are the stills, of closed parts too
  const opened = [];
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details:not([open]):has(img.still), figcaption details:not([open])")) {
      each.open = true;
      opened.push(each);
    }
  });
  window.addEventListener("afterprint", () => opened.splice(0).forEach((each) => { each.open = false; }));

  function sort(button) {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = head.cellIndex;
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
    const compare = (one, other) => {
      const [a, b] = [key(one), key(other)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const isNumeric = !Number.isNaN(Number(a)) && !Number.isNaN(Number(b));
      return sign * (isNumeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true }));
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
    table.querySelectorAll("thead th").forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  }
  document.querySelectorAll("table[data-sortable] thead button").forEach((button) => button.addEventListener("click", () => sort(button)));
})();

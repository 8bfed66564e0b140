// What needs a script: the theme, the search key, charts that are pointed at, and pages that are drawn
// anew when something happens. All else works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const kept = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;

  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;

  const theme = (button) => {
    const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* It holds for this page. */ }
      name();
    });
  };

  const isTyping = (element) => element
    && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));

  const charts = () => {
    for (const chart of document.querySelectorAll(".trend")) {
      const said = document.createElement("p");
      said.setAttribute("role", "status");
      said.className = "scale";
      chart.querySelector("svg").after(said);
      const points = [...chart.querySelectorAll(".point")];
      const point = (at) => {
        points.forEach((it, number) => it.classList.toggle("seen", number === at));
        said.textContent = points[at] ? points[at].querySelector("title").textContent : "";
      };
      points.forEach((it, at) => it.addEventListener("pointerenter", () => point(at)));
      const drawing = chart.querySelector("svg");
      let at = points.length - 1;
      drawing.setAttribute("tabindex", "0");
      drawing.addEventListener("keydown", (event) => {
        if (event.key === "ArrowLeft") at = Math.max(0, at - 1);
        else if (event.key === "ArrowRight") at = Math.min(points.length - 1, at + 1);
        else return;
        event.preventDefault();
        point(at);
      });
    }
  };

  // What somebody reads with the keyboard, fills in or has opened is left as it is.
  const isBusy = () => {
    const main = document.getElementById("main");
    return main.contains(document.activeElement) && document.activeElement !== main
      || main.querySelector("details[open]") !== null;
  };

  const live = (body) => {
    let waiting = 0;
    const told = document.getElementById("told");
    const again = async () => {
      waiting = 0;
      if (document.hidden) return;
      if (isBusy()) { told.textContent = "Something changed: load the page again to see it."; return; }
      const response = await fetch(location.href, { credentials: "same-origin" });
      if (!response.ok || response.redirected) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("main");
      if (!fresh || isBusy()) return;
      document.getElementById("main").replaceWith(document.adoptNode(fresh));
      charts();
    };
    const source = new EventSource(body.dataset.live);
    const happened = () => { if (!waiting) waiting = setTimeout(again, 1500); };
    for (const kind of body.dataset.kinds.split(" ")) source.addEventListener(kind, happened);
    addEventListener("pagehide", () => source.close());
  };

  document.addEventListener("DOMContentLoaded", () => {
    // What is handed on is handed on whole.
    for (const it of document.querySelectorAll("a.made")) it.textContent = it.href;
    const button = document.getElementById("theme");
    if (button) theme(button);
    charts();
    document.addEventListener("keydown", (event) => {
      const search = document.getElementById("search");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || !search) return;
      if (isTyping(document.activeElement)) return;
      event.preventDefault();
      search.focus();
    });
    if (document.body.dataset.live) live(document.body);
  });
})();

// Draws the figures that a page carries as JSON, and repaints them when the theme changes.
(() => {
  "use strict";
  const narrow = matchMedia("(max-width: 759px)");
  const drawn = [];

  // Names inside a canvas are for narrow pages, where no table stands beside it.
  const nameLines = (view) => {
    for (const label of view.model.select?.({ type: "Label" }) ?? view.model.center ?? []) {
      if (label.tags?.includes("narrow")) label.visible = narrow.matches;
    }
  };

  const draw = async (place) => {
    const item = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const waiting = [...place.childNodes];
    try {
      const views = await Bokeh.embed.embed_item(item, place.id);
      for (const node of waiting) node.remove();
      for (const view of views) {
        drawn.push(view);
        nameLines(view);
      }
    } catch (problem) {
      place.hidden = true;
      place.nextElementSibling.hidden = false;
      console.error(problem);
    }
  };

  const repaint = () => {
    for (const view of drawn) view.request_repaint?.();
  };

  narrow.addEventListener("change", () => drawn.forEach(nameLines));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  document.addEventListener("themechange", repaint);

  Promise.all([...document.querySelectorAll("[data-figure]")].map(draw)).then(() => {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      document.documentElement.dataset.figuresReady = "";
    }));
  });
})();

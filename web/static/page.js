// What pages gain with scripts: a theme button, a language picker without its button, a slider beside a number.
(() => {
  "use strict";
  const root = document.documentElement;

  const toggle = document.querySelector("[data-theme-toggle]");
  if (toggle) {
    toggle.addEventListener("click", () => {
      const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
      root.dataset.theme = next;
      try {
        localStorage.setItem("theme", next);
      } catch {
        // Storage is switched off: the choice holds for this page.
      }
      document.dispatchEvent(new Event("themechange"));
    });
  }

  for (const select of document.querySelectorAll("[data-submit-on-change]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }

  for (const slider of document.querySelectorAll("[data-slider-for]")) {
    const number = document.getElementById(slider.dataset.sliderFor);
    slider.value = number.value;
    slider.addEventListener("input", () => { number.value = slider.value; });
    number.addEventListener("input", () => { slider.value = number.value; });
  }

  // On a phone the tabs are wider than the page: the one that is open must be in sight.
  for (const open of document.querySelectorAll(".tabs [aria-current]")) {
    const tabs = open.parentElement;
    const past = open.offsetLeft - tabs.offsetLeft + open.offsetWidth - tabs.clientWidth;
    if (past > 0) tabs.scrollLeft = past;
  }

  for (const box of document.querySelectorAll("[data-select-all]")) {
    box.addEventListener("focus", () => box.select());
  }

  const sentence = document.querySelector("[data-sentence]");
  if (sentence) {
    const boxes = [...document.querySelectorAll("[data-blank]")];
    const compose = () => {
      const filled = boxes.some((box) => box.value.trim());
      for (const box of boxes) {
        const blank = sentence.querySelector(`[data-for="${box.name}"]`);
        blank.textContent = box.value.trim().replace(/[.。]+$/, "") || "…";
      }
      sentence.hidden = !filled;
    };
    for (const box of boxes) box.addEventListener("input", compose);
    compose();
  }
})();

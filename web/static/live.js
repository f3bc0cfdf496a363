// Looks for new messages every two seconds, as long as the page can be seen and nobody has paused it.
(() => {
  "use strict";
  const rows = document.querySelector("[data-live]");
  const toggle = document.querySelector("[data-live-toggle]");
  let paused = false;

  const look = async () => {
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(rows.dataset.live, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) rows.innerHTML = await answer.text();
    } catch {
      // The server is away; the next look may find it.
    }
  };

  toggle.addEventListener("click", () => {
    const word = toggle.textContent;
    paused = !paused;
    toggle.textContent = toggle.dataset.goOn;
    toggle.dataset.goOn = word;
    look();
  });
  setInterval(look, 2000);
})();

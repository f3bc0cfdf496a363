// The form keeps itself: what is typed is sent a moment later, and the numbers beside it follow.
(() => {
  "use strict";
  const form = document.querySelector("[data-autosave]");
  if (!form) return;
  const said = form.querySelector("[data-said]");
  const beside = document.querySelector("[data-outlook-here]");
  let waiting = 0;
  let stopped = false;
  let busy = Promise.resolve();

  const send = (address, headers) => fetch(address, { method: "POST", body: new FormData(form), headers });

  const keep = async () => {
    if (stopped) return;
    const fresh = !form.dataset.outlook;
    if (fresh && !form.elements.name.value.trim() && !form.elements.key.value.trim()) return;
    try {
      const answer = await send(form.action, { "X-Autosave": "1" });
      if (answer.status === 401) {
        said.textContent = form.dataset.sessionOver;
        return;
      }
      const told = await answer.json();
      said.textContent = told.said;
      if (!answer.ok) { stopped = answer.status === 409; return; }
      form.elements.revision.value = told.revision;
      if (fresh || form.action !== new URL(told.address, location).href) {
        form.action = told.address;
        form.dataset.outlook = told.address.replace(/[^/]+$/, "outlook");
        if (form.elements.key && !form.elements.key.value.trim()) form.elements.key.value = told.key;
        history.replaceState(null, "", told.address);
      }
    } catch {
      said.textContent = "";
    }
  };

  const follow = async () => {
    if (!form.dataset.outlook) return;
    try {
      const answer = await send(form.dataset.outlook, {});
      if (answer.ok) beside.innerHTML = await answer.text();
    } catch {
      // Away for a moment: the numbers stay as they were.
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { busy = busy.then(keep).then(follow); }, 600);
  });
  const start = form.querySelector("[data-later]");
  if (start && form.elements.starts) {
    form.elements.starts.addEventListener("input", ({ target }) => {
      start.textContent = target.value ? start.dataset.later : start.dataset.now;
    });
  }
  form.addEventListener("submit", () => { clearTimeout(waiting); stopped = true; });
})();

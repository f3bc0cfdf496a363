// Sends what a form of the page of the doors describes, and shows the answer below it.
(() => {
  "use strict";
  const token = document.getElementById("try-token");
  const word = document.getElementById("try-word");

  const opened = () => {
    const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (wanted instanceof HTMLDetailsElement) wanted.open = true;
  };
  addEventListener("hashchange", opened);
  opened();

  const described = (form) => {
    let path = form.dataset.path;
    const query = new URLSearchParams();
    const headers = {};
    let body;
    for (const box of form.querySelectorAll("[data-place]")) {
      const value = box.value.trim();
      if (box.dataset.place === "path") path = path.replace(`{${box.name}}`, encodeURIComponent(value));
      else if (box.dataset.place === "body") body = value;
      else if (value && box.dataset.place === "query") query.set(box.name, value);
      else if (value) headers[box.name] = value;
    }
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
    else headers["X-CSRFToken"] = word.value;
    const address = query.size ? `${path}?${query}` : path;
    return [address, { method: form.dataset.method, headers, body, credentials: "same-origin" }];
  };

  const readable = (text) => {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };

  const show = (form, status, text) => {
    const output = form.querySelector("output");
    const line = document.createElement("b");
    line.textContent = status;
    const block = document.createElement("pre");
    block.textContent = text;
    block.tabIndex = 0;
    output.replaceChildren(line, block);
    output.hidden = false;
  };

  for (const form of document.querySelectorAll("[data-try]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      try {
        const answer = await fetch(...described(form));
        show(form, `${answer.status} ${answer.statusText}`, readable(await answer.text()));
      } catch (problem) {
        show(form, "–", String(problem));
      } finally {
        button.disabled = false;
      }
    });
  }
})();

// Saves what is typed, and shows what is known of it. Without this script the page does the same in two steps.
(() => {
  const form = document.querySelector("[data-log]");
  const known = document.getElementById("known");
  const status = form.querySelector("[data-log-status]");
  const language = form.elements.original_language;
  const texts = [form.elements.claim, form.elements.original];
  let told = "";
  let asked = 0;
  let isChosen = Boolean(language?.value);
  let open = 0; // questions that the server has not answered yet
  let isDown = false; // it did not answer the last one
  let waiting = null; // the button of a form that is sent as soon as it answers

  function typed() {
    const data = new FormData(form);
    data.delete("picture");
    return new URLSearchParams(data);
  }

  // Whether the server answers. Only what has changed goes over the network.
  async function tell() {
    const body = typed();
    if (body.toString() === told) return true;
    const number = ++asked;
    let html = "";
    open++;
    try {
      const answer = await fetch(form.dataset.log, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout?.(15_000) });
      if (answer.status >= 500) throw new Error();
      if (answer.ok) html = await answer.text();
      else if (number === asked) refused(answer);
    } catch {
      if (number === asked) failed();
      return false;
    } finally {
      open--;
    }
    if (number !== asked) return true;
    isDown = false;
    if (html) {
      show(new DOMParser().parseFromString(html, "text/html").body);
      told = typed().toString();
    }
    return true;
  }

  function refused(answer) {
    const isSignedOut = answer.type === "opaqueredirect" || [401, 403].includes(answer.status);
    status.textContent = isSignedOut ? form.dataset.signedOut : form.dataset.unsaved;
  }

  function failed() {
    isDown = true;
    told = "";
    status.textContent = waiting ? form.dataset.waiting : form.dataset.offline;
  }

  function show(page) {
    status.textContent = page.querySelector("[data-status]")?.textContent ?? "";
    if (!known) return;
    page.querySelector("[data-status]")?.remove();
    form.elements.offered.value = page.querySelector("[data-offered]").dataset.offered;
    const guessed = page.querySelector("[data-language]").dataset.language;
    if (!isChosen) language.value = form.elements.original.value ? guessed : "";
    known.replaceChildren(...page.childNodes);
  }

  let pause;
  form.addEventListener("input", (event) => {
    if (event.target === language) isChosen = Boolean(language.value);
    clearTimeout(pause);
    pause = setTimeout(tell, texts.includes(event.target) ? 700 : 3000);
  });

  // Sent without an answer, the browser would show a page of its own, and what was typed would be gone.
  let isAnswered = false;
  form.addEventListener("submit", (event) => {
    if (isAnswered || (navigator.onLine && !open && !isDown && !waiting)) return;
    event.preventDefault();
    waiting = event.submitter;
    told = "";
    again();
  });

  async function again() {
    if (!(await tell()) || !waiting) return;
    const button = waiting;
    waiting = null;
    delete form.dataset.sent;
    isAnswered = true;
    form.requestSubmit(button);
    isAnswered = false;
  }
  addEventListener("online", again);
  setInterval(() => (waiting || isDown) && again(), 10_000);
})();

// Saves what is typed, and shows what is known of it. Without this script the page does the same in two steps.
(() => {
  const form = document.querySelector("[data-log]");
  const known = document.getElementById("known");
  const status = form.querySelector("[data-log-status]");
  const language = form.elements.original_language;
  const texts = [form.elements.claim, form.elements.original];
  let told = "";
  let asked = 0;
  let isChosen = Boolean(language.value);
  let waiting = null;

  function typed() {
    const data = new FormData(form);
    data.delete("picture");
    return new URLSearchParams(data);
  }

  // Whether the server has what stands here. Only what has changed goes over the network.
  async function tell() {
    const body = typed();
    if (body.toString() === told) return true;
    const number = ++asked;
    try {
      const answer = await fetch(form.dataset.log, { method: "POST", body, redirect: "error" });
      if (!answer.ok) {
        status.textContent = form.dataset.signedOut;
        return answer.status < 500 ? true : false;
      }
      const html = await answer.text();
      if (number !== asked) return true;
      show(new DOMParser().parseFromString(html, "text/html").body);
      told = typed().toString();
      return true;
    } catch {
      status.textContent = waiting ? form.dataset.waiting : form.dataset.offline;
      return false;
    }
  }

  function show(page) {
    status.textContent = page.querySelector("[data-status]")?.textContent ?? "";
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

  // Sent without a connection, the browser would show a page of its own, and what was typed would be gone.
  form.addEventListener("submit", async (event) => {
    if (navigator.onLine && !waiting) return;
    event.preventDefault();
    waiting = event.submitter;
    await again();
  });

  async function again() {
    if (!(await tell())) return;
    if (waiting) {
      const button = waiting;
      waiting = null;
      delete form.dataset.sent;
      form.requestSubmit(button);
    }
  }
  addEventListener("online", again);
  setInterval(() => (waiting || status.textContent === form.dataset.offline) && again(), 10_000);
})();

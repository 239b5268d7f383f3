// Tells the server who is writing and what has been typed so far. Without this script saving works all the same.
(() => {
  const form = document.querySelector("[data-writing]");
  const status = form.querySelector("[data-writing-status]");
  const said = { taken: form.dataset.taken, kept: form.dataset.kept, offline: form.dataset.offline };
  const minute = 60_000;
  let last = "";
  let at = 0;
  let wasYours = false;

  async function tell() {
    const typed = new FormData(form);
    const now = new URLSearchParams(typed).toString();
    // Only what has changed goes over the network; in between a sign of life.
    if (now === last && Date.now() - at < minute) return;
    const body = now === last ? new URLSearchParams({ csrfmiddlewaretoken: typed.get("csrfmiddlewaretoken") }) : new URLSearchParams(now);
    body.delete("submit");
    try {
      const answer = await fetch(form.dataset.writing, { method: "POST", body, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      const { is_yours: isYours, holder } = await answer.json();
      if (isYours) status.textContent = said.kept;
      else if (wasYours) status.textContent = said.taken.replace("%s", holder);
      wasYours = isYours;
      last = now;
      at = Date.now();
    } catch {
      status.textContent = said.offline;
    }
  }

  let sending = false;
  form.addEventListener("submit", () => (sending = true));
  // The text as it was opened is nothing to keep.
  last = new URLSearchParams(new FormData(form)).toString();
  tell();
  const clock = setInterval(() => (sending ? clearInterval(clock) : tell()), 10_000);
})();

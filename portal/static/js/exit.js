// Quick exit: blanks the page at once and replaces it in the history. Without this script the link still works.
(() => {
  const bar = document.querySelector("[data-exit]");
  const link = bar.querySelector("a");
  const status = bar.querySelector("[data-exit-status]");
  bar.querySelector("[data-exit-keys]").hidden = false;

  function leave(event) {
    event?.preventDefault();
    status.textContent = status.dataset.leaving;
    document.documentElement.classList.add("blank");
    document.title = "";
    location.replace(link.href);
  }
  link.addEventListener("click", leave);

  let presses = [];
  let alone = false;
  document.addEventListener("keydown", (event) => {
    alone = event.key === "Shift" && !event.repeat;
    if (event.key !== "Shift") presses = [];
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== "Shift" || !alone) return;
    const now = Date.now();
    presses = [...presses.filter((at) => now - at < 5000), now];
    if (presses.length >= 3) leave();
    else status.textContent = presses.length === 2 ? status.dataset.one : status.dataset.two;
  });

  // Coming back with the browser's button must not show the page again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();

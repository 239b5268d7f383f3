// Reads aloud when asked to, with voices of the device only: others send the text away.
(() => {
  const speech = window.speechSynthesis;
  if (!speech) return;
  const bar = document.querySelector("[data-aloud]");
  const [play, stop] = bar.querySelectorAll("button");
  const note = bar.querySelector("span");
  const text = bar.closest("article");
  const idle = play.textContent;
  let lines, voice, spoken, isOn;
  let place = 0;
  let turn = 0;

  const language = (tag) => tag.toLowerCase().split(/[-_]/)[0]; // Android writes sv_SE
  const split = (whole) =>
    Intl.Segmenter
      ? [...new Intl.Segmenter(text.lang, { granularity: "sentence" }).segment(whole)].map((part) => part.segment)
      : whole.match(/.[^.!?؟።]*[.!?؟።]*\s*/gs) || [];

  // What is said (numbers to call digit by digit), and what to mark.
  function cut() {
    lines = [];
    const blocks = "h1, .answer, .prose :is(h2, h3, p, li)";
    for (const block of text.querySelectorAll(blocks)) {
      const nodes = [];
      const all = document.createTreeWalker(block, 4); // texts
      for (let node; (node = all.nextNode()); ) if (node.parentElement.closest(blocks) === block) nodes.push(node);
      for (const sentence of split(nodes.map((node) => node.data).join(""))) {
        const parts = [];
        let words = "";
        for (let left = sentence.length; left > 0; ) {
          const node = nodes.shift();
          if (node.length > left) nodes.unshift(node.splitText(left));
          left -= node.length;
          words += node.parentElement.closest(".phone") ? node.data.replace(/\D*(\d)/g, "$1 ") : node.data;
          const part = document.createElement("span");
          node.replaceWith(part);
          part.append(node);
          parts.push(part);
        }
        if (words.trim()) lines.push([words, parts]);
      }
    }
  }

  function mark(parts) {
    for (const part of text.querySelectorAll(".said")) part.className = "";
    for (const part of parts) part.className = "said";
  }
  function halt() {
    turn++;
    if (isOn) speech.cancel();
    isOn = false;
    play.textContent = bar.dataset.on;
  }
  function end() {
    halt();
    mark([]);
    place = 0;
    play.textContent = idle;
    stop.hidden = true;
  }
  function refuse() {
    end();
    note.textContent = bar.dataset.none;
    if (document.activeElement === play) note.focus();
    play.hidden = true;
  }

  function speak() {
    if (!lines[place]) return end();
    const [words, parts] = lines[place];
    mark(parts);
    const { top, bottom } = parts[0].getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) parts[0].scrollIntoView({ block: "center" });
    const mine = ++turn; // stopped ones report, too
    spoken = new SpeechSynthesisUtterance(words); // held, or Chromium reports nothing
    spoken.voice = voice;
    spoken.lang = voice.lang;
    spoken.onend = () => mine === turn && speak(place++);
    spoken.onerror = ({ error }) => mine === turn && (/unavail|fail/.test(error) ? refuse() : halt());
    speech.speak(spoken);
  }

  // Voices come late.
  function look() {
    const all = speech.getVoices();
    voice = all.find((one) => one.localService && language(one.lang) === language(text.lang));
    if (!voice) return all.length && refuse();
    play.hidden = false;
    note.textContent = "";
  }

  play.onclick = () => {
    if (isOn) return halt();
    if (!voice) return refuse();
    if (!lines) cut();
    isOn = true;
    play.textContent = bar.dataset.pause;
    stop.hidden = false;
    speak();
  };
  stop.onclick = () => {
    end();
    play.focus();
  };
  onpagehide = end;
  speech.onvoiceschanged = look;
  bar.hidden = false;
  look();
})();

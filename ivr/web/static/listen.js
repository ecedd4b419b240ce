// Plays prompts on the page, one at a time, or a whole call in order. Without it the links open the recordings.
(() => {
  "use strict";
  const sound = new Audio();
  let current = null;
  let queue = [];

  const show = (link, plays) => {
    link.setAttribute("aria-pressed", String(plays));
    link.classList.toggle("on", plays);
  };
  const stop = () => {
    sound.pause();
    if (current) show(current, false);
    current = null;
  };
  const start = (link) => {
    stop();
    current = link;
    sound.src = link.href;
    show(link, true);
    sound.play().catch(() => { queue = []; stop(); });
  };
  const press = (link) => {
    queue = [];
    if (current === link) stop(); else start(link);
    label();
  };

  const all = document.getElementById("alles");
  const label = () => { if (all) all.textContent = queue.length || (current && all.dataset.on) ? "Stop" : "Speel het gesprek af"; };
  sound.addEventListener("ended", () => {
    const next = queue.shift();
    stop();
    if (next) {
      start(next);
      next.closest(".said").scrollIntoView({ block: "nearest" });
    } else if (all) delete all.dataset.on;
    label();
  });
  sound.addEventListener("error", () => { queue = []; stop(); label(); });

  for (const link of document.querySelectorAll("a.play")) {
    link.setAttribute("role", "button");
    show(link, false);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (all) delete all.dataset.on;
      press(link);
    });
    link.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      link.click();
    });
  }
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      if (all.dataset.on) { delete all.dataset.on; queue = []; stop(); label(); return; }
      queue = [...document.querySelectorAll("ol.script a.play[data-pace=gewoon]")];
      all.dataset.on = "1";
      if (queue.length) start(queue.shift());
      label();
    });
  }
})();

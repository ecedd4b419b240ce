// Makes the plain audio elements of the spoken questions into big buttons, reads the whole page aloud on request,
// and shows what is being read. Without this script everything works too, only less handsomely.
"use strict";
(function () {
  const ICON = '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">' +
    '<path class="play" d="M3 9v6h4l5 5V4L7 9H3zm13.5 3A4.5 4.5 0 0 0 14 8v8a4.5 4.5 0 0 0 2.5-4zM14 3.2v2.1a7 7 0 0 1 0 13.4v2.1a9 9 0 0 0 0-17.6z"/>' +
    '<path class="stop" d="M6 6h12v12H6z"/></svg>';
  const places = Array.from(document.querySelectorAll("[data-read]")).filter((place) => place.querySelector("audio"));
  let playing = null; // {place, queue}

  function shownBy(place) {
    return place.dataset.of ? document.querySelector(place.dataset.of) : place;
  }

  function stop() {
    if (!playing) return;
    const place = playing.place;
    playing = null;
    const audio = place.querySelector("audio");
    audio.pause();
    audio.currentTime = 0;
    mark(place, false);
    all.setAttribute("aria-pressed", "false");
  }

  function mark(place, isOn) {
    shownBy(place).classList.toggle("reading", isOn);
    place.querySelector(".listen").setAttribute("aria-pressed", String(isOn));
  }

  function play(place, queue) {
    stop();
    playing = { place: place, queue: queue };
    mark(place, true);
    all.setAttribute("aria-pressed", String(queue !== null));
    if (queue !== null) shownBy(place).scrollIntoView({ block: "nearest" });
    place.querySelector("audio").play().catch(stop);
  }

  function ended(place) {
    if (!playing || playing.place !== place) return;
    const queue = playing.queue;
    stop();
    if (queue && queue.length) play(queue[0], queue.slice(1));
  }

  const all = document.createElement("button");
  all.type = "button";
  all.className = "all";
  all.textContent = "Lees alles voor";
  all.setAttribute("aria-pressed", "false");
  all.addEventListener("click", () => {
    if (playing) stop();
    else play(places[0], places.slice(1));
  });

  for (const place of places) {
    const audio = place.querySelector("audio");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "listen quiet";
    button.innerHTML = ICON;
    button.setAttribute("aria-label", audio.getAttribute("aria-label"));
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const isThis = playing && playing.place === place;
      stop();
      if (!isThis) play(place, null);
    });
    audio.hidden = true;
    audio.controls = false;
    audio.addEventListener("ended", () => ended(place));
    audio.addEventListener("error", stop);
    audio.after(button);
  }
  const bar = document.getElementById("voorlezen");
  if (places.length && bar) bar.prepend(all);

  // The numbers of the call choose here too, while the question has the focus (so no key is taken from anyone else).
  const ask = document.querySelector("fieldset.ask");
  if (ask) {
    ask.addEventListener("keydown", (event) => {
      if (event.target.id === "antwoord" || event.ctrlKey || event.altKey || event.metaKey) return;
      const choice = /^[0-9]$/.test(event.key) && document.getElementById("a" + event.key);
      if (choice) {
        choice.checked = true;
        choice.focus();
        event.preventDefault();
      }
    });
  }

  // A form that is sent twice answers nothing twice; the second press is only waited for in vain.
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", () => stop());
  }
})();

// The window of one softphone: shows what the carrier tells, sends what is pressed. Decides nothing about the call.
"use strict";

const part = (id) => document.getElementById(id);
const speaker = new Speaker();
const KEYS = "123456789*0#";
const NAMES = { "*": "ster", "#": "hekje" };
const STATES = { dialing: "wordt gebeld", placed: "in gesprek", closed: "afgesloten", void: "niet gebeld", unknown: "onbekend" };
const OUTCOMES = {
  complete: "volledig", partial: "bruikbaar, niet af", unusable: "te weinig antwoorden", break_off: "afgebroken",
  refusal: "geen deelname", never_call_again: "nooit meer bellen", appointment: "afspraak", technical: "storing",
  hung_up_introduction: "opgehangen in het begin", no_interaction: "geen toets", wrong_person: "verkeerde persoon",
  language_problem: "geen Nederlands", no_answer: "niet opgenomen", busy: "geweigerd", not_in_service: "geen nummer",
};
let socket = null;
let takesKeys = false;

const pass = (() => {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem("pass", given);
    history.replaceState(null, "", location.pathname); // not to be copied with the address
  }
  return given || sessionStorage.getItem("pass") || "";
})();

function enter(state, words) {
  document.body.dataset.state = state;
  if (words) part("state").textContent = words;
  const isUp = state === "talking" || state === "calling";
  part("start").hidden = !(state === "ready" || state === "over");
  part("ring").hidden = state !== "ringing";
  part("hang-up").hidden = !isUp;
  for (const key of part("keypad").children) key.disabled = state !== "talking";
  if (state === "ringing") part("answer").focus();
  if (state === "talking") part("hang-up").focus({ preventScroll: true });
  if (state === "over") document.querySelector("[data-way=called]").focus({ preventScroll: true });
}

function write(kind, text) {
  const line = document.createElement("li");
  line.className = kind;
  line.textContent = text;
  const list = part("transcript");
  for (const old of list.querySelectorAll(".now")) old.classList.remove("now");
  list.append(line);
  list.scrollTop = list.scrollHeight;
  part("silent").hidden = true;
  return line;
}

function send(what) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

function press(key) {
  if (document.body.dataset.state !== "talking") return;
  send({ do: "key", key });
  speaker.key();
  if (takesKeys) speaker.stop();
  document.body.dataset.keys = "pressed";
  write("you", NAMES[key] ? `${key} (${NAMES[key]})` : key);
  const button = document.querySelector(`[data-key="${key}"]`);
  button.classList.add("down");
  setTimeout(() => button.classList.remove("down"), 150);
}

function call(way) {
  part("transcript").replaceChildren();
  forget();
  enter("calling", way === "called" ? "Toets gaat u bellen …" : "U belt …");
  send({ do: "call", way });
}

function forget() {
  for (const fact of part("standing").querySelectorAll("dd")) fact.textContent = "–";
  part("answers").replaceChildren();
  part("nothing").hidden = false;
}

function show(stands) {
  part("attempt").textContent = stands.attempt.slice(0, 8);
  const outcome = stands.outcome ? `: ${OUTCOMES[stands.outcome] ?? stands.outcome}` : "";
  part("attempt-state").textContent = `${STATES[stands.state] ?? stands.state}${outcome}`;
  part("turn").textContent = stands.turn < 0 ? "–" : String(stands.turn + 1);
  part("usable").textContent = stands.usable ? "ja" : "nog niet";
  const quota = stands.quota;
  part("quota").textContent = quota
    ? `${quota.successful} van ${quota.target} gelukt, ${quota.in_flight} in gesprek. Deze proef telt niet mee.`
    : "Geen: dit is een proef.";
  part("answers").replaceChildren(...stands.answers.map((answer) => {
    const row = document.createElement("div");
    const label = document.createElement("dt");
    const value = document.createElement("dd");
    label.textContent = answer.label;
    value.textContent = answer.answer;
    value.dataset.code = answer.code;
    row.dataset.question = answer.question;
    row.append(label, value);
    return row;
  }));
  part("kept").scrollTop = part("kept").scrollHeight;
  part("nothing").hidden = stands.answers.length > 0;
}

const hears = {
  ready(told) {
    part("topic").textContent = told.title ? `${told.title}, ${told.provider}` : "Proefgesprek";
    if (told.home) part("home").href = told.home;
    enter("ready", "Klaar om te bellen");
  },
  ringing(told) {
    part("number").textContent = told.caller;
    enter("ringing", "U wordt gebeld");
    speaker.ring();
  },
  dialling(told) {
    part("number").textContent = told.called;
    enter("calling", "U belt …");
  },
  answered() {
    speaker.quiet();
    enter("talking", "In gesprek");
  },
  hear(told) {
    if (document.body.dataset.state !== "talking") hears.answered();
    takesKeys = told.keys;
    document.body.dataset.keys = takesKeys ? "open" : "closed";
    speaker.play(told.sounds, (index, audible) => {
      const sound = told.sounds[index];
      if (!sound.text) return;
      const line = write("now", sound.text);
      line.dataset.audible = audible;
    });
  },
  brought(told) {
    if (!told.keys) write("event", "U drukte niets in.");
    if (told.delivery === "undelivered") write("event", "Toets antwoordde niet.");
  },
  standing: show,
  over(told) {
    speaker.quiet();
    speaker.stop();
    part("number").textContent = "";
    write("event", told.answered ? "Het gesprek is afgelopen." : "Er is niet opgenomen.");
    enter("over", "Gesprek afgelopen");
  },
  fault(told) {
    speaker.quiet();
    enter(told.code === "pass" ? "closed" : "over", told.text);
    if (told.code === "pass") sessionStorage.removeItem("pass");
  },
};

function open() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/softphone/lijn`);
  socket.addEventListener("open", () => send({ pass }));
  socket.addEventListener("message", (message) => {
    const told = JSON.parse(message.data);
    hears[told.type]?.(told);
  });
  socket.addEventListener("close", () => {
    speaker.quiet();
    speaker.stop();
    if (document.body.dataset.state !== "closed") enter("closed", "De verbinding is weg. Laad deze bladzijde opnieuw.");
  });
}

for (const key of KEYS) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.key = key;
  button.textContent = key;
  button.disabled = true;
  if (NAMES[key]) button.setAttribute("aria-label", `${key} ${NAMES[key]}`);
  button.addEventListener("click", () => press(key));
  part("keypad").append(button);
}
for (const button of document.querySelectorAll("[data-way]")) button.addEventListener("click", () => call(button.dataset.way));
part("answer").addEventListener("click", () => send({ do: "answer" }));
part("decline").addEventListener("click", () => send({ do: "hang_up" }));
part("hang-up").addEventListener("click", () => send({ do: "hang_up" }));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (KEYS.includes(event.key)) {
    event.preventDefault();
    press(event.key);
  } else if (event.key === "Escape") {
    send({ do: "hang_up" });
  }
});
enter("closed");
open();

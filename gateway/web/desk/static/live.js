// Puts the blocks of a page that the desk sends into their places, while the page is looked at.
"use strict";
const board = document.getElementById("board");
const notes = document.querySelectorAll("[data-when]");
const waiting = new Map();
let source = null;

function note(state) {
  for (const each of notes) {
    each.hidden = each.dataset.when !== state;
  }
}

const FOCUSED = "a, button, summary, [tabindex]";

// Where somebody goes with the keyboard is renewed when they have left it; what was opened stays
// open, and what was clicked at stays focused.
function put() {
  for (const [name, html] of waiting) {
    const block = document.getElementById(`board-${name}`);
    const active = document.activeElement;
    if (!block || (block.contains(active) && active.matches(":focus-visible"))) {
      continue;
    }
    const focused = [...block.querySelectorAll(FOCUSED)].indexOf(active);
    const before = [...block.querySelectorAll("details")].map((each) => each.open);
    const scrolled = [...block.querySelectorAll(".tall")].map((each) => each.scrollTop);
    block.innerHTML = html;
    block.querySelectorAll("details").forEach((each, place) => { each.open = before[place]; });
    block.querySelectorAll(".tall").forEach((each, place) => { each.scrollTop = scrolled[place]; });
    if (focused >= 0) {
      block.querySelectorAll(FOCUSED)[focused]?.focus({ preventScroll: true, focusVisible: false });
    }
    waiting.delete(name);
  }
}

function close() {
  if (source) {
    source.close();
    source = null;
  }
}

function open() {
  if (source) {
    return;
  }
  source = new EventSource(board.dataset.live);
  source.addEventListener("blocks", (event) => {
    for (const [name, html] of Object.entries(JSON.parse(event.data))) {
      waiting.set(name, html);
    }
    note("live");
    put();
  });
  source.addEventListener("replaced", () => { close(); note("elsewhere"); });
  source.addEventListener("ended", () => { close(); note("ended"); });
  source.addEventListener("error", () => {
    // Where it does not come again by itself, the session is over or there is no such page.
    note(source && source.readyState === EventSource.CLOSED ? "ended" : "lost");
  });
}

board.addEventListener("focusout", () => setTimeout(put, 0));
// Only the window that is looked at has the stream: a browser has one.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
window.addEventListener("pagehide", close);
window.addEventListener("focus", open);
if (!document.hidden) {
  open();
}

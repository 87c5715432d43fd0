// Shows what a template would say while it is written: asks the desk once nobody types any more.
"use strict";
const form = document.getElementById("template");
const shown = document.getElementById("preview");
let waiting = 0;
let asked = 0;

async function look() {
  const mine = ++asked;
  try {
    const answer = await fetch(shown.dataset.from, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      credentials: "same-origin",
    });
    const words = await answer.text();
    // An answer that was overtaken, or that is no preview, such as after the session's end.
    if (mine === asked && answer.ok) {
      shown.innerHTML = words;
    }
  } catch {
    // Without the network the button still says what is wrong.
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, 500);
});

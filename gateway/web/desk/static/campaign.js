// Keeps the progress of a campaign up to date, and opens its page anew when it is over.
"use strict";
const live = document.getElementById("live");

async function look() {
  try {
    const answer = await fetch(live.dataset.from, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) {
      live.innerHTML = await answer.text();
      if (live.querySelector('[data-over="yes"]')) {
        location.assign(location.pathname.replace(/\/resend$/, ""));
        return;
      }
    }
  } catch {
    // Without the network it is asked again.
  }
  setTimeout(look, 2000);
}

setTimeout(look, 1000);

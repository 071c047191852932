// Moves the bars of the results page while people vote. Without it the page shows the votes as they were when it was loaded.
"use strict";

const results = document.getElementById("results");
const status = results.querySelector(".status");
const address = new URL(results.dataset.live, location.href);
address.protocol = address.protocol.replace("http", "ws");

const FIRST_WAIT = 500; // milliseconds before the first new attempt; doubled after each failure
const LONGEST_WAIT = 30000;
let wait = FIRST_WAIT;

function show(tally) {
  for (const choice of tally.choices) {
    const row = results.querySelector(`[data-choice="${choice.id}"]`);
    if (!row) continue;
    const bar = row.querySelector("progress");
    bar.max = tally.total || 1;
    bar.value = choice.votes;
    row.querySelector(".votes").textContent = `${choice.votes} ${choice.votes === 1 ? "vote" : "votes"}`;
  }
  results.querySelector(".total").textContent = tally.total;
}

function connect() {
  const socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    wait = FIRST_WAIT;
    status.textContent = "Live: new votes show as they come.";
  });
  socket.addEventListener("message", (event) => show(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    status.textContent = "Not live at the moment.";
    setTimeout(connect, wait * (0.5 + Math.random()));
    wait = Math.min(2 * wait, LONGEST_WAIT);
  });
}

connect();

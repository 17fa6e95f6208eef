"use strict";
const QUARTER = 60 / 84;
let context = null;
function sound(key, start, length) {
  const tone = context.createOscillator();
  const level = context.createGain();
  tone.type = "triangle";
  tone.frequency.value = 440 * 2 ** ((key - 69) / 12);
  level.gain.setValueAtTime(0, start);
  level.gain.linearRampToValueAtTime(0.16, start + 0.02);
  level.gain.exponentialRampToValueAtTime(0.01, start + length);
  tone.connect(level).connect(context.destination);
  tone.start(start);
  tone.stop(start + length + 0.05);
}
for (const button of document.querySelectorAll("button.play")) {
  button.addEventListener("click", () => {
    if (context) context.close();
    context = new AudioContext();
    for (const [key, onset, length] of JSON.parse(button.dataset.notes)) {
      sound(key, context.currentTime + 0.1 + onset * QUARTER, length * QUARTER * 0.95);
    }
  });
}
for (const button of document.querySelectorAll("button.hear")) {
  const player = button.parentElement.querySelector("audio");
  const shown = button.parentElement.querySelector(".left");
  let left = Number(button.dataset.plays);
  button.addEventListener("click", () => {
    if (!left || !player.paused) return;
    left -= 1;
    shown.textContent = left;
    button.disabled = !left;
    player.currentTime = 0;
    player.play();
  });
}

// A walk between two seeds: a slider, the pictures on the way, and a button that goes by itself.

import { byId, follow } from "./dom.mjs";
import { between } from "./latents.mjs";
import { latent } from "./philox.mjs";
import { paint } from "./picture.mjs";
import { generate } from "./runtime.mjs";
import { parseSeed, shifted } from "./state.mjs";

const STRIP = 9;
const SECONDS = 4; // Of one way.

// Returns the function to call when the model, the class or the seed has changed.
export function walk(state) {
  const [at, play] = [byId("walk-at"), byId("walk-play")];
  const inputs = [byId("walk-from"), byId("walk-to")];
  const seeds = [0n, 1n];

  const place = (t) => {
    const { prior, latent_dim } = state.model;
    const [a, b] = seeds.map((seed) => latent(prior, latent_dim, seed));
    return between(prior, a, b, t);
  };
  const one = follow(async () => {
    const { model, label } = state; // Those of now: both may be others when the samples come.
    const samples = await generate(model, [place(Number(at.value))], [label]);
    paint(byId("walk-canvas"), model, samples, 1, 1);
  });
  const strip = follow(async () => {
    const { model, label } = state;
    const rows = [...Array(STRIP).keys()].map((i) => place(i / (STRIP - 1)));
    const samples = await generate(
      model,
      rows,
      rows.map(() => label),
    );
    paint(byId("walk-strip"), model, samples, STRIP, STRIP);
  });

  let [started, asked] = [null, 0];
  function frame(now) {
    if (started === null) return;
    if (state.tab !== "explore") return playing(false); // Nobody sees it.
    const gone = ((now - started) / 1000 / SECONDS) % 2;
    at.value = gone < 1 ? gone : 2 - gone;
    one();
    asked = requestAnimationFrame(frame);
  }
  function playing(on) {
    started = on ? performance.now() - 1000 * SECONDS * Number(at.value) : null;
    play.textContent = on ? "Pause" : "Play";
    play.setAttribute("aria-pressed", on);
    cancelAnimationFrame(asked);
    if (on) asked = requestAnimationFrame(frame);
  }
  play.addEventListener("click", () => playing(started === null));
  at.addEventListener("input", () => {
    playing(false);
    one();
  });
  inputs.forEach((input, i) =>
    input.addEventListener("input", () => {
      const seed = parseSeed(input.value);
      input.setAttribute("aria-invalid", seed === null);
      if (seed === null) return;
      seeds[i] = seed;
      strip();
      one();
    }),
  );

  return () => {
    [seeds[0], seeds[1]] = [state.seed, shifted(state.seed, 7)];
    inputs.forEach((input, i) => {
      input.value = seeds[i];
      input.setAttribute("aria-invalid", false);
    });
    strip();
    one();
  };
}

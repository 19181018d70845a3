// Arithmetic of latents: A - B + C, each of a seed (Radford et al., 2016, section 6.3.2).

import { byId, element, follow } from "./dom.mjs";
import { arithmetic } from "./latents.mjs";
import { latent } from "./philox.mjs";
import { paint } from "./picture.mjs";
import { generate } from "./runtime.mjs";
import { parseSeed, shifted } from "./state.mjs";

const PARTS = [
  ["A", 0],
  ["− B", 1],
  ["+ C", 2],
];

// Returns the function to call when the model, the class or the seed has changed.
export function sum(state) {
  const seeds = [0n, 1n, 2n];
  const canvases = [];
  const inputs = PARTS.map(([name]) => {
    const canvas = element("canvas", { role: "img", ariaLabel: `The picture of ${name}` });
    canvas.dataset.large = "yes";
    const input = element("input", { inputMode: "numeric", autocomplete: "off" });
    input.setAttribute("inputmode", "numeric");
    const label = element("label", {}, element("b", { textContent: name }), " seed ", input);
    byId("sum").append(element("div", {}, canvas, label));
    canvases.push(canvas);
    return input;
  });
  const result = element("canvas", { role: "img", ariaLabel: "The picture of A - B + C" });
  byId("sum").append(
    element("div", {}, result, element("p", {}, element("b", { textContent: "= A − B + C" }))),
  );

  result.dataset.large = "yes";
  const redraw = follow(async () => {
    const { model, label } = state;
    const three = seeds.map((seed) => latent(model.prior, model.latent_dim, seed));
    const rows = [...three, arithmetic(model.prior, ...three)];
    const samples = await generate(
      model,
      rows,
      rows.map(() => label),
    );
    const size = samples.length / rows.length;
    [...canvases, result].forEach((canvas, i) =>
      paint(canvas, model, samples.subarray(i * size, (i + 1) * size), 1, 1),
    );
  });
  inputs.forEach((input, i) =>
    input.addEventListener("input", () => {
      const seed = parseSeed(input.value);
      input.setAttribute("aria-invalid", seed === null);
      if (seed === null) return;
      seeds[i] = seed;
      redraw();
    }),
  );

  return () => {
    PARTS.forEach(([, step], i) => {
      seeds[i] = shifted(state.seed, step);
      inputs[i].value = seeds[i];
      inputs[i].setAttribute("aria-invalid", false);
    });
    redraw();
  };
}

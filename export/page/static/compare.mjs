// One seed in every generator of the page: a row each, drawn when it comes into sight.

import { byId, element, follow } from "./dom.mjs";
import { latent } from "./philox.mjs";
import { paint } from "./picture.mjs";
import { generate } from "./runtime.mjs";
import { shifted } from "./state.mjs";

const COUNT = 6;

// Returns the function to call when the class or the seed has changed.
export function compare(state, models) {
  const canvases = models.map((model) => {
    const canvas = element("canvas", { role: "img", ariaLabel: `Six samples of ${model.title}` });
    [canvas.width, canvas.height] = [COUNT * 28, 28];
    const about = element("p", { textContent: model.told });
    const name = element("b", { textContent: model.title });
    byId("compare").append(element("div", {}, element("div", {}, name, about), canvas));
    return canvas;
  });

  let seen = false;
  const redraw = follow(async () => {
    if (!seen) return;
    for (const [i, model] of models.entries()) {
      const seeds = [...Array(COUNT).keys()].map((k) => shifted(state.seed, k));
      const rows = seeds.map((seed) => latent(model.prior, model.latent_dim, seed));
      const label = Math.min(state.label, (model.num_classes ?? 1) - 1);
      const samples = await generate(
        model,
        rows,
        rows.map(() => label),
      );
      paint(canvases[i], model, samples, COUNT, COUNT);
    }
  });
  new IntersectionObserver((entries) => {
    if (seen || !entries.some((entry) => entry.isIntersecting)) return;
    seen = true;
    redraw();
  }).observe(byId("compare"));
  return redraw;
}

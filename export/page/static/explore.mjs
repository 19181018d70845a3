// The first tab: what is chosen, and everything that is drawn of it.

import { compare } from "./compare.mjs";
import { byId, chips } from "./dom.mjs";
import { latent } from "./philox.mjs";
import { plane } from "./plane.mjs";
import { generate } from "./runtime.mjs";
import { parseSeed, read, write } from "./state.mjs";
import { sum } from "./sum.mjs";
import { walk } from "./walk.mjs";
import { wall } from "./wall.mjs";

const CLOUD = 300; // Points of a generator of points, behind the one that is meant.

export function explore(state, models) {
  const seed = byId("seed");
  const tell = () => history.replaceState(null, "", write(state));
  let telling = null; // Browsers stop a page that changes its address with every frame.
  const { redraw, point } = plane(state, () => {
    clearTimeout(telling);
    telling = setTimeout(tell, 200);
  });
  const [walked, summed] = [walk(state), sum(state)];
  const walled = wall(state, ({ seed: taken, label }) => {
    Object.assign(state, { seed: taken, label, x: 0, y: 0 });
    show();
    byId("map").scrollIntoView({ behavior: "smooth", block: "center" });
  });
  const compared = compare(state, models);

  // The link, the inputs, and Python's own call for the picture.
  function inputs() {
    tell();
    seed.value = state.seed;
    seed.setAttribute("aria-invalid", false);
    const { model, label } = state;
    chips(
      byId("models"),
      models.map((m) => ({ value: m.name, text: m.title, title: m.told })),
      model.name,
      (name) => {
        state.model = models.find((m) => m.name === name);
        state.label = Math.min(state.label, (state.model.num_classes ?? 1) - 1);
        show();
        focusOn("models");
      },
    );
    byId("classes-field").hidden = !model.num_classes;
    const names = [...Array(model.num_classes ?? 0).keys()].map(
      (k) => model.class_names?.[k] ?? k,
    );
    chips(
      byId("classes"),
      names.map((text, value) => ({ value, text })),
      label,
      (value) => {
        state.label = Number(value);
        show();
        focusOn("classes");
      },
    );
    say();
  }

  function focusOn(name) {
    byId(name).querySelector("input:checked")?.focus();
  }

  function say() {
    const { model, label } = state;
    const given = model.num_classes ? `, labels=[${label}]` : "";
    const code = `zoo.from_preset("${model.name}").sample(1, seed=[${state.seed}]${given})`;
    const pixels = model.pictures ? "The same pixels in Python" : "The same point in Python";
    byId("seed-note").replaceChildren(
      model.preset ? `${pixels}: ` : "The same seed gives this in Python: ",
      Object.assign(document.createElement("code"), {
        textContent: model.preset ? code : `generator.sample(1, seed=[${state.seed}]${given})`,
      }),
    );
  }

  async function show() {
    inputs();
    try {
      if (!state.model.pictures) await cloud(state.model);
      for (const draw of [point, redraw, walked, summed, walled, compared]) draw();
      await generate(state.model, [latent("normal", state.model.latent_dim, 0n)], [state.label]);
      byId("status").textContent = "";
    } catch (error) {
      byId("status").textContent = `This does not work here: ${error.message ?? error}`;
      byId("status").classList.add("failed");
    }
  }

  seed.addEventListener("input", () => {
    const found = parseSeed(seed.value);
    seed.setAttribute("aria-invalid", found === null);
    if (found === null) {
      byId("seed-note").textContent = "A seed is a whole number from −2⁶³ to 2⁶³ − 1.";
      return;
    }
    Object.assign(state, { seed: found, x: 0, y: 0 });
    tell();
    say();
    for (const draw of [point, redraw, walked, summed, walled, compared]) draw();
  });
  byId("dice").addEventListener("click", () => {
    const [drawn] = crypto.getRandomValues(new Uint32Array(1));
    Object.assign(state, { seed: BigInt(drawn % 1000000), x: 0, y: 0 });
    show();
  });
  byId("copy").addEventListener("click", async () => {
    tell();
    try {
      await navigator.clipboard.writeText(location.href);
      byId("copied").textContent = "Copied.";
    } catch {
      byId("copied").textContent = "The address bar has it.";
    }
    setTimeout(() => (byId("copied").textContent = ""), 2500);
  });
  addEventListener("hashchange", () => {
    const { model, seed: told, label, x, y } = read(location.hash, models);
    Object.assign(state, { model, seed: told, label, x, y });
    show();
  });

  return show();
}

async function cloud(model) {
  if (model.cloud) return;
  const seeds = [...Array(CLOUD).keys()].map((k) =>
    latent(model.prior, model.latent_dim, BigInt(k)),
  );
  model.cloud = Float32Array.from(
    await generate(
      model,
      seeds,
      seeds.map(() => 0),
    ),
  );
}

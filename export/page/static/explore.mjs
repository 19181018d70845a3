// The first tab: what is chosen, and everything that is drawn of it.

import { compare } from "./compare.mjs";
import { byId, chips, element, report } from "./dom.mjs";
import { latent } from "./philox.mjs";
import { plane } from "./plane.mjs";
import { generate } from "./runtime.mjs";
import { parseSeed, read, shifted, write } from "./state.mjs";
import { sum } from "./sum.mjs";
import { walk } from "./walk.mjs";
import { wall } from "./wall.mjs";

const CLOUD = 300; // Points of a generator of points, behind the one that is meant.

// `openTab` opens the tab of a link that is pasted.
export function explore(state, models, openTab) {
  const seed = byId("seed");
  const tell = () => history.replaceState(null, "", write(state));
  let telling = null; // Browsers stop a page that changes its address with every frame.
  const { redraw, point } = plane(state, () => {
    clearTimeout(telling);
    telling = setTimeout(tell, 200);
    say();
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
    const names = [...Array(model.num_classes ?? 0).keys()].map((k) => model.class_names?.[k] ?? k);
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

  // Python's call for the large picture: of the seed at a corner of the map. Elsewhere it is one
  // between seeds, which no call of one seed gives.
  function say() {
    if (parseSeed(seed.value) !== state.seed) return; // What is typed is no seed, and is said.
    const { model, label, x, y } = state;
    const corner = [0, 1].includes(x) && [0, 1].includes(y);
    const taken = corner ? shifted(state.seed, x + 2 * y) : state.seed;
    const given = model.num_classes ? `, labels=[${label}]` : "";
    const from = model.preset ? `zoo.from_preset("${model.preset}")` : "generator";
    const same = model.pictures ? "The same pixels in Python: " : "The same point in Python: ";
    const what = model.pictures ? "picture" : "point";
    byId("seed-note").replaceChildren(
      corner ? same : `The large ${what} is one between seeds. That of the seed, in Python: `,
      element("code", { textContent: `${from}.sample(1, seed=[${taken}]${given})` }),
    );
  }

  async function show() {
    try {
      if (byId("status").classList.contains("failed")) report(null);
      inputs();
      if (!state.model.pictures) await cloud(state.model);
      for (const draw of [point, redraw, walked, summed, walled, compared]) draw();
      await generate(state.model, [latent("normal", state.model.latent_dim, 0n)], [state.label]);
      report(null);
    } catch (error) {
      report(error);
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
    const { tab, ...told } = read(location.hash, models);
    Object.assign(state, told);
    if (tab !== state.tab) openTab(tab);
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

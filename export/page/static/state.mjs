// What is chosen on the page, and the link that says all of it.

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;
const FIRST_CLASS = 3; // Of digits one that says more than 0.

// A seed as Python takes it, of what was typed: a BigInt, or null where it is none.
export function parseSeed(text) {
  const trimmed = String(text).trim();
  if (!/^[+-]?\d{1,20}$/.test(trimmed)) return null;
  const seed = BigInt(trimmed.replace(/^\+/, ""));
  return seed < LEAST || seed > MOST ? null : seed;
}

// The seed that is `step` further, from the other end after the last one.
export const shifted = (seed, step) => BigInt.asIntN(64, seed + BigInt(step));

// The state of a link, with the page's own where the link says nothing that makes sense.
export function read(hash, models) {
  const told = new URLSearchParams(hash.replace(/^#/, ""));
  const model = models.find((m) => m.name === told.get("model")) ?? models[0];
  const seed = parseSeed(told.get("seed") ?? "") ?? 0n;
  const label = Number(told.get("class") ?? FIRST_CLASS);
  const place = (name) => {
    const x = Number(told.get(name) ?? 0);
    return x >= 0 && x <= 1 ? x : 0;
  };
  return {
    model,
    seed,
    label: Number.isInteger(label) && label >= 0 && label < (model.num_classes ?? 1) ? label : 0,
    x: place("x"),
    y: place("y"),
    tab: told.get("tab") === "train" ? "train" : "explore",
  };
}

// The link's part behind the #.
export function write({ model, seed, label, x, y, tab }) {
  const told = new URLSearchParams({ model: model.name, seed: seed.toString() });
  if (model.num_classes) told.set("class", label);
  if (x || y) {
    told.set("x", x.toFixed(3));
    told.set("y", y.toFixed(3));
  }
  if (tab === "train") told.set("tab", tab);
  return `#${told}`;
}

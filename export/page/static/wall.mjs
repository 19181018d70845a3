// The wall: a seed a column, and a class a row where there are classes. A click takes the seed.

import { byId, follow } from "./dom.mjs";
import { latent } from "./philox.mjs";
import { paint } from "./picture.mjs";
import { generate } from "./runtime.mjs";
import { shifted } from "./state.mjs";

const COLUMNS = matchMedia("(max-width: 760px)").matches ? 8 : 15;
const ROWS = 8; // Where there are no classes.

// Returns the function to call when the model or the seed has changed.
export function wall(state, take) {
  const [box, cursor] = [byId("wall"), byId("wall-cursor")];
  let [column, row] = [0, 0];

  const rows = () => state.model.num_classes ?? ROWS;
  const tile = (c, r) =>
    state.model.num_classes
      ? { seed: shifted(state.seed, c), label: r }
      : { seed: shifted(state.seed, r * COLUMNS + c), label: 0 };
  const tiles = () =>
    [...Array(rows() * COLUMNS).keys()].map((i) => tile(i % COLUMNS, Math.floor(i / COLUMNS)));

  const redraw = follow(async () => {
    const { model } = state;
    const all = tiles();
    const latents = all.map(({ seed }) => latent(model.prior, model.latent_dim, seed));
    const samples = await generate(
      model,
      latents,
      all.map(({ label }) => label),
    );
    paint(byId("wall-canvas"), model, samples, all.length, COLUMNS);
    byId("wall-rows").textContent = model.num_classes
      ? " and class: a column is a seed, a row a class"
      : "";
  });

  function mark(shown) {
    column = Math.min(COLUMNS - 1, Math.max(0, column));
    row = Math.min(rows() - 1, Math.max(0, row));
    cursor.hidden = !shown;
    const { seed, label } = tile(column, row);
    const named = state.model.class_names?.[label] ?? label;
    const kind = state.model.num_classes ? `, class ${named}` : "";
    byId("wall-told").textContent = shown ? `Seed ${seed}${kind}.` : "";
    Object.assign(cursor.style, {
      left: `${(100 * column) / COLUMNS}%`,
      top: `${(100 * row) / rows()}%`,
      width: `${100 / COLUMNS}%`,
      height: `${100 / rows()}%`,
    });
  }
  box.addEventListener("click", (event) => {
    const area = box.getBoundingClientRect();
    column = Math.floor(((event.clientX - area.left) / area.width) * COLUMNS);
    row = Math.floor(((event.clientY - area.top) / area.height) * rows());
    mark(false);
    take(tile(column, row));
  });
  box.addEventListener("focus", () => mark(box.matches(":focus-visible")));
  box.addEventListener("blur", () => mark(false));
  box.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (event.key === "Enter" || event.key === " ") take(tile(column, row));
    else if (way) [column, row] = [column + way[0], row + way[1]];
    else return;
    mark(true);
    event.preventDefault();
  });

  return redraw;
}

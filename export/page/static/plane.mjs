// The map: a square of the latent space between four seeds, and the picture at the marker.

import { byId, follow } from "./dom.mjs";
import { within } from "./latents.mjs";
import { latent } from "./philox.mjs";
import { paint } from "./picture.mjs";
import { generate } from "./runtime.mjs";
import { shifted, write } from "./state.mjs";

const TILES = 9;
const steps = [...Array(TILES).keys()].map((i) => i / (TILES - 1));

// Returns the functions to call when all has changed, and when the marker has moved.
export function plane(state, moved) {
  const [map, marker] = [byId("map"), byId("marker")];

  const corners = () =>
    [0, 1, 2, 3].map((k) =>
      latent(state.model.prior, state.model.latent_dim, shifted(state.seed, k)),
    );
  const at = (x, y) => within(state.model.prior, corners(), x, y);

  const redraw = follow(async () => {
    const { model, label } = state;
    const four = corners();
    const rows = steps.flatMap((y) => steps.map((x) => within(model.prior, four, x, y)));
    const samples = await generate(
      model,
      rows,
      rows.map(() => label),
    );
    paint(byId("map-canvas"), model, samples, rows.length, TILES);
  });

  const point = follow(async () => {
    const { model, label, x, y } = state;
    const link = write(state);
    place();
    const samples = await generate(model, [at(x, y)], [label]);
    paint(byId("large"), model, samples, 1, 1);
    byId("large").dataset.drawn = Number(byId("large").dataset.drawn ?? 0) + 1;
    byId("large").dataset.shows = link;
    const told = describe(x, y);
    if (byId("where").textContent !== told) byId("where").textContent = told;
  });

  // The marker's middle goes from that of the first tile to that of the last.
  function place() {
    const share = (v) => `${(100 * (v * (TILES - 1) + 0.5)) / TILES}%`;
    marker.style.left = share(state.x);
    marker.style.top = share(state.y);
  }

  // In steps of 5 %: the words are read aloud when they change.
  function describe(x, y) {
    const corner = [0, 1].includes(x) && [0, 1].includes(y);
    if (corner) return `Seed ${shifted(state.seed, x + 2 * y)}: a corner of the map.`;
    const seeds = [0, 1, 2, 3].map((k) => shifted(state.seed, k)).join(", ");
    const [right, down] = [x, y].map((v) => 5 * Math.round(20 * v));
    return `${right} % to the right, ${down} % down, between seeds ${seeds}: the map's corners.`;
  }

  function go(x, y) {
    map.classList.remove("untouched");
    state.x = Math.min(1, Math.max(0, x));
    state.y = Math.min(1, Math.max(0, y));
    point();
    moved();
  }

  function follows(event) {
    const box = map.getBoundingClientRect();
    const share = (v, start, size) => (((v - start) / size) * TILES - 0.5) / (TILES - 1);
    go(share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height));
  }

  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    follows(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (map.hasPointerCapture(event.pointerId)) follows(event);
  });
  map.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 0.125 : 0.025;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (event.key === "Home") go(0, 0);
    else if (way) go(state.x + step * way[0], state.y + step * way[1]);
    else return;
    event.preventDefault();
  });

  return { redraw, point };
}

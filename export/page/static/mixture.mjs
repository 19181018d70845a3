// The toys: equal Gaussians on a ring or on a grid, as `zoo.toys.ring()` and `zoo.toys.grid()`.

import { normals, uniforms } from "./philox.mjs";

const range = (count) => [...Array(count).keys()];

function ring(modes = 8, radius = 2) {
  return range(modes).map((k) => {
    const angle = (2 * Math.PI * k) / modes;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function grid(side = 5, spacing = 2) {
  const at = (k) => spacing * (k - (side - 1) / 2);
  return range(side * side).map((k) => [at(Math.floor(k / side)), at(k % side)]);
}

export const TOYS = {
  ring: { centres: ring(), scale: 0.02, reach: 3.2 },
  grid: { centres: grid(), scale: 0.05, reach: 5.6 },
};

// Points (count, 2) of a mixture as a flat array, of the two words of a seed.
export function points({ centres, scale }, count, [low, high]) {
  const modes = uniforms([low, (high ^ 0x5bd1e995) >>> 0], count);
  const noise = normals([low, high], 2 * count);
  return noise.map((x, i) => {
    const mode = Math.min(Math.floor(modes[i >> 1] * centres.length), centres.length - 1);
    return centres[mode][i & 1] + scale * x;
  });
}

export const NEAR = 0.3; // Far less than half of the way from one mode to the next.

// How many points are near each mode, and the share of points that are near any.
export function reached({ centres }, samples) {
  const counts = centres.map(() => 0);
  let good = 0;
  for (let i = 0; i < samples.length; i += 2) {
    const k = centres.findIndex(
      ([x, y]) => (samples[i] - x) ** 2 + (samples[i + 1] - y) ** 2 < NEAR ** 2,
    );
    if (k >= 0) {
      counts[k]++;
      good++;
    }
  }
  return { counts, good: good / (samples.length / 2) };
}

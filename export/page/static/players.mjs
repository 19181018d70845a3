// Two small networks of points in the plane: dense layers with rectified units, by TensorFlow.js.

import { uniforms } from "./philox.mjs";

export const LATENTS = 2;
export const UNITS = 64;
const WIDTHS = {
  generator: [LATENTS, UNITS, UNITS, 2],
  discriminator: [2, UNITS, UNITS, 1],
};

// First weights by Glorot's uniform law, [kernel, bias, kernel, bias, ...] as flat arrays.
export function firstWeights(player, run) {
  const widths = WIDTHS[player];
  const weights = [];
  for (let i = 0; i + 1 < widths.length; i++) {
    const [from, to] = [widths[i], widths[i + 1]];
    const limit = Math.sqrt(6 / (from + to));
    const words = [run >>> 0, (player === "generator" ? 0x1000 : 0x2000) + i];
    weights.push(uniforms(words, from * to).map((u) => limit * (2 * u - 1)));
    weights.push(new Float32Array(to));
  }
  return weights;
}

// The shapes of a player's weights, in their order.
export function shapes(player) {
  const widths = WIDTHS[player];
  return widths.slice(1).flatMap((to, i) => [[widths[i], to], [to]]);
}

// What a network makes of points, of weights that may be variables or tensors of a gradient.
export function call(tf, weights, x) {
  for (let i = 0; i < weights.length; i += 2) {
    x = tf.add(tf.matMul(x, weights[i]), weights[i + 1]);
    if (i + 2 < weights.length) x = tf.relu(x);
  }
  return x;
}

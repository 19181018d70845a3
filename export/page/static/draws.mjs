// All draws of a step of the toy game: a function of the run's number and the step's.

import { points } from "./mixture.mjs";
import { normals, uniforms } from "./philox.mjs";

export const BATCH = 128;
const STREAMS = 8;

export function draws(tf, toy, run, step) {
  const words = (stream) => [step * STREAMS + stream, run];
  const plane = (stream) => tf.tensor(normals(words(stream), 2 * BATCH), [BATCH, 2]);
  return {
    real: tf.tensor(points(toy, BATCH, words(0)), [BATCH, 2]),
    latents: [plane(1), plane(2)],
    noise: [
      [plane(3), plane(4)],
      [plane(5), plane(6)],
    ],
    shares: tf.tensor(uniforms(words(7), BATCH), [BATCH, 1]),
  };
}

// Generators by ONNX Runtime: latents and labels in, samples out, one call after the other.

import { address, bytes } from "./assets.mjs";

let runtime;
const opened = new Map();
let queue = Promise.resolve();

async function startRuntime() {
  const ort = await import(await address("ort.wasm.bundle.min.mjs", "text/javascript"));
  ort.env.wasm.numThreads = 1; // More need headers that a file from the disk does not have.
  ort.env.wasm.wasmBinary = await bytes("ort-wasm-simd-threaded.wasm");
  ort.env.logLevel = "error";
  return ort;
}

async function session(model) {
  runtime ??= startRuntime().catch((error) => {
    runtime = null;
    throw error;
  });
  const ort = await runtime;
  return ort.InferenceSession.create(await bytes(`${model.name}.onnx`));
}

// What failed is not kept: it is tried again when it is asked for again.
function opening(model) {
  if (!opened.has(model.name)) {
    const opens = session(model).catch((error) => {
      opened.delete(model.name);
      throw error;
    });
    opened.set(model.name, opens);
  }
  return opened.get(model.name);
}

// The samples of rows of latents, as one flat array of floats: pictures in [0, 1], or points.
export function generate(model, rows, labels) {
  const call = async () => {
    const network = await opening(model);
    const ort = await runtime;
    const flat = new Float32Array(rows.length * model.latent_dim);
    rows.forEach((row, i) => flat.set(row, i * model.latent_dim));
    const feeds = { latents: new ort.Tensor("float32", flat, [rows.length, model.latent_dim]) };
    if (model.num_classes) {
      feeds.labels = new ort.Tensor("int32", Int32Array.from(labels), [rows.length]);
    }
    const answer = await network.run(feeds);
    return (answer.images ?? answer.samples).data;
  };
  const result = queue.then(call);
  queue = result.catch(() => {});
  return result;
}

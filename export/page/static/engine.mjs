// TensorFlow.js on WebAssembly, of the page's own files.

import { address } from "./assets.mjs";
import { fastProducts } from "./matmul.mjs";

const WASM = "tfjs-backend-wasm-simd.wasm";
// Asked about, and never loaded.
const OTHERS = ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-threaded-simd.wasm"];

async function runScript(name) {
  const source = await address(name, "text/javascript");
  await new Promise((resolve, reject) => {
    const element = document.createElement("script");
    const onerror = () => reject(new Error(`The page's part ${name} cannot be run.`));
    Object.assign(element, { src: source, onload: resolve, onerror });
    document.head.append(element);
  });
}

async function begin() {
  await runScript("tf.es2017.min.js");
  await runScript("tf-backend-wasm.es2017.min.js");
  const { tf } = globalThis;
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const place = await address(WASM, "application/wasm");
  tf.wasm.setWasmPaths(Object.fromEntries([WASM, ...OTHERS].map((name) => [name, place])));
  fastProducts(tf);
  await tf.setBackend("wasm");
  return tf;
}

let begun;

// The library, ready to compute. What failed is tried again when it is asked for again.
export function engine() {
  begun ??= begin().catch((error) => {
    begun = null;
    throw error;
  });
  return begun;
}

// The gradient of a product of matrices without products of transposed ones.
//
// TensorFlow.js has the same in one kernel with a flag, which on WebAssembly is a plain loop and
// much slower than the product: here the transposes are made first. Both can be differentiated.

export function fastProducts(tf) {
  tf.unregisterGradient("BatchMatMul");
  tf.registerGradient({
    kernelName: "BatchMatMul",
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({
      a: () => tf.matMul(dy, tf.transpose(b)),
      b: () => tf.matMul(tf.transpose(a), dy),
    }),
  });
}

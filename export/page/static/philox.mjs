// Seeded draws: a seed gives the latent that `generator.sample(seed=[seed])` has in Python.
//
// Philox 4x32-10 (Salmon et al., 2011, section 5), and the normal's quantile by AS 241 (Wichura,
// 1988), as in export/portable_draw.py, which the same constants and the same order are of.

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57];
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85];
const SCRAMBLE = [0x3ec8f720, 0x02461e29];
const ROUNDS = 10;
export const UNIFORM_LIMIT = Math.fround(Math.sqrt(3));

// The upper 32 bits of a product of two words of 32 bits, of halves whose products are exact.
function upper(a, b) {
  const [ah, al, bh, bl] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const under = ah * bl + Math.floor((al * bl) / 65536);
  const over = (under % 65536) + al * bh;
  return (ah * bh + Math.floor(under / 65536) + Math.floor(over / 65536)) >>> 0;
}

// One block: four words of 32 bits, of a counter of four and a key of two.
export function philox(counter, key) {
  let [a, b, c, d] = counter;
  let [left, right] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const highA = upper(a, MULTIPLIERS[0]);
    const lowA = Math.imul(a, MULTIPLIERS[0]) >>> 0;
    const highC = upper(c, MULTIPLIERS[1]);
    const lowC = Math.imul(c, MULTIPLIERS[1]) >>> 0;
    [a, b, c, d] = [(highC ^ b ^ left) >>> 0, lowC, (highA ^ d ^ right) >>> 0, lowA];
    left = (left + KEY_STEPS[0]) >>> 0;
    right = (right + KEY_STEPS[1]) >>> 0;
  }
  return [a, b, c, d];
}

// A seed as two words: BigInt, number or text of a whole number from -2^63 to 2^63 - 1.
export function seedWords(seed) {
  const bits = BigInt.asUintN(64, BigInt(seed));
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

// The odd multiples of 2^-24 in (-1, 1) of which every draw is made.
function* odds(words, count) {
  const [k0, k1, s0, s1] = philox([...words, 0, 0], SCRAMBLE);
  for (let block = 0, left = count; left > 0; block++) {
    for (const bits of philox([block, 0, s0, s1], [k0, k1]).slice(0, left)) {
      yield (2 * (bits >>> 8) + 1 - 2 ** 24) * 2 ** -24;
      left--;
    }
  }
}

function filled(words, count, transform) {
  const drawn = new Float32Array(count);
  let i = 0;
  for (const odd of odds(words, count)) drawn[i++] = transform(odd);
  return drawn;
}

// Numbers from N(0, 1), of the two words of a seed.
export const normals = (words, count) =>
  filled(words, count, (odd) => Math.sign(odd) * -quantile(1 - Math.abs(odd)));

// Numbers from U(0, 1), of the two words of a seed.
export const uniforms = (words, count) => filled(words, count, (odd) => (1 + odd) / 2);

// The latent of a seed: as `zoo.random.draw_rows(prior, size, [seed])[0]`.
export function latent(prior, size, seed) {
  if (prior === "normal") return normals(seedWords(seed), size);
  return filled(seedWords(seed), size, (odd) => odd * UNIFORM_LIMIT);
}

// === The normal's quantile: coefficients of AS 241, the constant term first ===

const CENTRAL = [
  [
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
    45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
  ],
  [
    1.0, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077,
    21213.794301586595867, 39307.89580009271061, 28729.085735721942674, 5226.495278852854561,
  ],
];
const MIDDLE = [
  [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833,
    0.00077454501427834140764,
  ],
  [
    1.0, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455,
    0.14810397642748007459, 0.0151986665636164571966, 0.0005475938084995344946,
    1.05075007164441684324e-9,
  ],
];
const TAIL = [
  [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
    0.026532189526576123093, 0.0012426609473880784386, 0.0000271155556874348757815,
    2.01033439929228813265e-7,
  ],
  [
    1.0, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525,
    0.0007868691311456132591, 0.000018463183175100546818, 1.4215117583164458887e-7,
    2.04426310338993978564e-15,
  ],
];

const value = (coefficients, x) => coefficients.reduceRight((sum, c) => sum * x + c, 0);
const ratio = ([above, below], x) => value(above, x) / value(below, x);

// The number below which half of p lies, for p in (0, 1].
function quantile(p) {
  const half = p / 2;
  const q = half - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRAL, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(half));
  return -(r <= 5 ? ratio(MIDDLE, r - 1.6) : ratio(TAIL, r - 5));
}

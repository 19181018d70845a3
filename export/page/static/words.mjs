// What the second tab says: names, what a rule does, and what is to be seen at the moment.

export const NAMES = {
  ring: "Ring of 8",
  grid: "Grid of 25",
  minimax: "Minimax",
  non_saturating: "Non-saturating",
  wasserstein: "Wasserstein",
  plain: "Plain",
  r1: "R1",
  unrolled: "Unrolled",
  consensus: "Consensus",
  noise: "Instance noise",
};

export const EXPLAINED = {
  ring: "Eight small heaps of data on a circle.",
  grid: "Twenty-five small heaps of data.",
  minimax:
    "Minimax: the generator lowers log(1 − D), whose slope vanishes while the discriminator wins.",
  non_saturating:
    "Non-saturating: the generator raises log D, which pulls even when it is losing.",
  wasserstein:
    "Wasserstein: a critic's mean on data against that on fakes; a penalty holds its slope near 1.",
  plain: "Plain: the players move in turn, each as if the other stood still.",
  r1: "R1: the discriminator pays for being steep at the data, which damps the chase.",
  unrolled:
    "Unrolled: the generator looks three discriminator steps ahead, and thinks twice before " +
    "it runs to one place.",
  consensus:
    "Consensus: both players also make their own steps smaller, which brakes the circling.",
  noise:
    "Instance noise: the discriminator sees everything blurred, at first a lot, later hardly.",
};

const EARLY = 300; // Steps in which nothing can be said yet.

// One sentence on what is to be seen.
export function verdict({ rule }, made, modes, all, good, steps) {
  if (!made.every(Number.isFinite)) return "The weights are no numbers any more. Start over.";
  const count = made.length / 2;
  const mean = [0, 1].map(
    (c) => made.reduce((sum, x, i) => sum + (i % 2 === c ? x : 0), 0) / count,
  );
  const spread = Math.sqrt(made.reduce((sum, x, i) => sum + (x - mean[i % 2]) ** 2, 0) / count);
  const next = rule === "plain" ? " Now press 2, or choose another update rule." : "";
  if (modes === all && good > 0.65) {
    return `All ${all} modes are reached, and most points lie on one.`;
  }
  if (modes === all) return `All ${all} modes are reached. The points between them get fewer.`;
  if (spread < 1.1) {
    return `Collapse: nearly all points are at one place, and run after the warm spot.${next}`;
  }
  if (steps < EARLY) return "The points look for the data.";
  if (modes <= all / 2) {
    return `Only ${modes} of ${all} modes have points now: they run from one to the next.${next}`;
  }
  return `${modes} of ${all} modes are reached; the others get nothing at the moment.`;
}

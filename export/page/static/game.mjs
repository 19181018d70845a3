// One step of a GAN on points, by every objective and update rule of the page.
//
// The formulas are those of trainers/gan.py, unrolled.py, consensus.py, penalties.py and
// perturbations.py, and tests/export/page holds the steps to those on the same draws.

import { Adam } from "./adam.mjs";
import { call, firstWeights, shapes } from "./players.mjs";

export const OBJECTIVES = {
  // Of the logits: what D sums over real (sign -1) and generated points (+1), and what G does.
  minimax: {
    discriminator: (tf, signed) => tf.softplus(signed),
    generator: (tf, fake) => tf.neg(tf.softplus(fake)),
  },
  non_saturating: {
    discriminator: (tf, signed) => tf.softplus(signed),
    generator: (tf, fake) => tf.softplus(tf.neg(fake)),
  },
  wasserstein: {
    discriminator: (tf, signed) => signed,
    generator: (tf, fake) => tf.neg(fake),
    slope: 0.1, // Weight of the gradient penalty, without which W has no meaning.
  },
};

// What a rule adds to Algorithm 1. `unroll`: steps ahead; `consensus` and `r1`: weights; `noise`.
export const RULES = {
  plain: {},
  r1: { r1: 10 },
  unrolled: { unroll: 3 },
  consensus: { consensus: 1 },
  noise: { noise: true },
};

const TINY = 1e-12;

export class Game {
  // A game between two players, whose weights are drawn from the number of the run.
  constructor(tf, { rates, run = 0, weights = null }) {
    this.tf = tf;
    this.steps = 0;
    for (const player of ["generator", "discriminator"]) {
      const values = weights ? weights[player] : firstWeights(player, run);
      const form = shapes(player);
      this[player] = values.map((value, i) => tf.tensor(value, form[i]));
      this[`${player}Optimizer`] = new Adam(tf, rates[player], this[player]);
    }
  }

  // Takes one step of both players.
  //
  // draws: { real, latents: [of D's move, of G's], noise: [[real, fake], ...], shares }, tensors.
  // options: { objective, rule: {unroll, consensus, r1}, noise: scale of the noise, or 0 }.
  step(draws, { objective, rule, noise = 0 }) {
    const losses = OBJECTIVES[objective];
    const moves = { draws, losses, rule, noise };
    this.tf.tidy(() => {
      if (rule.consensus) this.consensusStep(moves);
      else this.alternatingStep(moves);
    });
    this.steps++;
  }

  // Frees all memory that the game holds.
  dispose() {
    for (const player of ["generator", "discriminator"]) {
      this.tf.dispose(this[player]);
      this[`${player}Optimizer`].dispose();
    }
  }

  // Algorithm 1 of Goodfellow et al. (2014) with one step of D: first D moves, then G.
  alternatingStep(moves) {
    const { tf } = this;
    const { draws } = moves;
    const made = call(tf, this.generator, draws.latents[0]);
    const [real, fake] = this.seen(draws.real, made, moves, 0);
    const dGradients = tf.grads((...d) => this.discriminatorLoss(d, real, fake, moves))(
      this.discriminator,
    );
    this.move("discriminator", dGradients);
    const gGradients = tf.grads((...g) => {
      const [x, y] = this.seen(draws.real, call(tf, g, draws.latents[1]), moves, 1);
      return this.generatorLoss(this.lookedAhead(x, y, moves), y, moves);
    })(this.generator);
    this.move("generator", gGradients);
  }

  // Consensus optimisation (Mescheder et al., 2017): both also descend weight/2 |v|^2.
  consensusStep(moves) {
    const { tf } = this;
    const { draws, rule } = moves;
    const split = this.discriminator.length;
    let field;
    const pulls = tf.grads((...weights) => {
      const [d, g] = [weights.slice(0, split), weights.slice(split)];
      const loss = (player, own) => {
        const [dNow, gNow] = player === "discriminator" ? [own, g] : [d, own];
        const made = call(tf, gNow, draws.latents[0]);
        const [x, y] = this.seen(draws.real, made, moves, 0);
        if (player === "generator") return this.generatorLoss(dNow, y, moves);
        return this.discriminatorLoss(dNow, x, y, moves);
      };
      field = [
        ...tf.grads((...own) => loss("discriminator", own))(d),
        ...tf.grads((...own) => loss("generator", own))(g),
      ];
      field.forEach((gradient) => tf.keep(gradient));
      const sizes = field.map((gradient) => tf.sum(tf.square(gradient)));
      return tf.mul(rule.consensus / 2, tf.addN(sizes));
    })([...this.discriminator, ...this.generator]);
    const moved = field.map((gradient, i) => tf.add(gradient, pulls[i]));
    tf.dispose(field);
    this.move("discriminator", moved.slice(0, split));
    this.move("generator", moved.slice(split));
  }

  move(player, gradients) {
    const before = this[player];
    this[player] = this[`${player}Optimizer`].step(before, gradients).map((w) => this.tf.keep(w));
    this.tf.dispose(before);
  }

  // Points as D sees them: with noise, of which every move has its own.
  seen(real, fake, { draws, noise }, number) {
    if (!noise) return [real, fake];
    const { tf } = this;
    return [real, fake].map((x, i) => tf.add(x, tf.mul(noise, draws.noise[number][i])));
  }

  // The mean over the batch of D's losses, with the penalties of its slope.
  discriminatorLoss(weights, real, fake, { losses, rule, draws }) {
    const { tf } = this;
    const rows = real.shape[0];
    const ones = tf.ones([rows, 1]);
    const signs = tf.concat([tf.neg(ones), ones]);
    const logits = call(tf, weights, tf.concat([real, fake]));
    const terms = losses.discriminator(tf, tf.mul(signs, logits));
    let loss = tf.div(tf.sum(terms), rows);
    if (rule.r1) {
      const squares = this.squaredSlopes(weights, real); // r1/2 |grad D(x)|^2
      loss = tf.add(loss, tf.mul(rule.r1 / 2, tf.mean(squares)));
    }
    if (losses.slope) {
      const point = tf.add(tf.mul(draws.shares, real), tf.mul(tf.sub(1, draws.shares), fake));
      const norms = tf.sqrt(tf.add(this.squaredSlopes(weights, point), TINY));
      loss = tf.add(loss, tf.mul(losses.slope, tf.mean(tf.square(tf.sub(norms, 1)))));
    }
    return loss;
  }

  generatorLoss(weights, fake, { losses }) {
    return this.tf.mean(losses.generator(this.tf, call(this.tf, weights, fake)));
  }

  squaredSlopes(weights, points) {
    const { tf } = this;
    const slopes = tf.grad((x) => tf.sum(call(tf, weights, x)))(points);
    return tf.sum(tf.square(slopes), 1);
  }

  // D's weights after the steps that it would take next (Metz et al., 2017): functions of G's.
  lookedAhead(real, fake, moves) {
    let weights = this.discriminator;
    if (!moves.rule.unroll) return weights;
    const optimizer = this.discriminatorOptimizer.copy();
    for (let k = 0; k < moves.rule.unroll; k++) {
      const loss = (...d) => this.discriminatorLoss(d, real, fake, moves);
      weights = optimizer.stepped(weights, this.tf.grads(loss)(weights));
    }
    return weights;
  }
}

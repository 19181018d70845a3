// Adam (Kingma and Ba, 2015) in the order of Keras and of zoo/adam.py, as a function of tensors.

const SMALLEST = 1e-30; // Under the root, whose slope at 0 is infinite.

export class Adam {
  constructor(tf, rate, weights, beta1 = 0.5, beta2 = 0.999, epsilon = 1e-7) {
    Object.assign(this, { tf, rate, beta1, beta2, epsilon });
    this.count = 0;
    const zeros = () => (weights ? weights.map((w) => tf.keep(tf.zeros(w.shape))) : []);
    [this.means, this.squares] = [zeros(), zeros()];
  }

  // Another one at the same place, whose moments move without those of this one.
  copy() {
    const { tf, rate, beta1, beta2, epsilon } = this;
    const other = new Adam(tf, rate, null, beta1, beta2, epsilon);
    return Object.assign(other, { count: this.count, means: this.means, squares: this.squares });
  }

  // The weights after a step, through which gradients flow; the moments move along.
  stepped(weights, gradients) {
    const { tf, beta1, beta2 } = this;
    this.count++;
    const toward = (old, now, share) => tf.add(old, tf.mul(share, tf.sub(now, old)));
    this.means = this.means.map((m, i) => toward(m, gradients[i], 1 - beta1));
    this.squares = this.squares.map((v, i) => toward(v, tf.square(gradients[i]), 1 - beta2));
    const rate = (this.rate * Math.sqrt(1 - beta2 ** this.count)) / (1 - beta1 ** this.count);
    return weights.map((w, i) => {
      const root = tf.add(tf.sqrt(tf.maximum(this.squares[i], SMALLEST)), this.epsilon);
      return tf.sub(w, tf.mul(rate, tf.div(this.means[i], root)));
    });
  }

  // As `stepped`, for good: the moments before are freed, those after are kept.
  step(weights, gradients) {
    const before = [...this.means, ...this.squares];
    const moved = this.stepped(weights, gradients);
    [...this.means, ...this.squares].forEach((moment) => this.tf.keep(moment));
    this.tf.dispose(before);
    return moved;
  }

  dispose() {
    this.tf.dispose([...this.means, ...this.squares]);
  }
}

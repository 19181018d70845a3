// Places in the latent space, as `zoo.latents` has them: walks, a plane of four corners, sums.

const norm = (a) => Math.sqrt(a.reduce((sum, x) => sum + x * x, 0));
const mix = (a, b, t) => a.map((x, i) => (1 - t) * x + t * b[i]);

// The point at t in [0, 1] between two latents: on the arc where the prior is normal.
export function between(prior, a, b, t) {
  [a, b] = [Float64Array.from(a), Float64Array.from(b)];
  if (prior !== "normal") return mix(a, b, t);
  const [na, nb] = [norm(a), norm(b)];
  const [u, v] = [a.map((x) => x / (na || 1)), b.map((x) => x / (nb || 1))];
  const angle = 2 * Math.atan2(norm(u.map((x, i) => x - v[i])), norm(u.map((x, i) => x + v[i])));
  if (Math.sin(angle) < 1e-6 || Math.min(na, nb) === 0) return mix(a, b, t);
  const length = ((1 - t) * na + t * nb) / Math.sin(angle);
  const [left, right] = [Math.sin((1 - t) * angle) * length, Math.sin(t * angle) * length];
  return u.map((x, i) => left * x + right * v[i]);
}

// The point (x, y) in the unit square whose corners are four latents, row by row from the top.
export function within(prior, corners, x, y) {
  const [a, b, c, d] = corners;
  return between(prior, between(prior, a, b, x), between(prior, c, d, x), y);
}

// a - b + c, as long as latents of the prior are.
export function arithmetic(prior, a, b, c) {
  const sum = Float64Array.from(a, (x, i) => x - b[i] + c[i]);
  const length = norm(sum);
  if (length === 0) return sum;
  const scale = Math.sqrt(sum.length) / length;
  return sum.map((x) => scale * x);
}

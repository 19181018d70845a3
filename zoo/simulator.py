"""A simulator as generator: adversarial variational optimisation (Louppe and Cranmer, 2017).

There is no network in it. A function of a few named parameters and of latents makes the samples,
and training tunes the parameters until its samples look like the data.
"""

import inspect
import math

import keras
import numpy as np
import tensorflow as tf

from zoo import constraints, random, tracing
from zoo.players import Generator, policy
from zoo.players.recorded import deserialized
from zoo.validation import as_tuple, check_choice, check_size, check_sizes

GRADIENTS = ("pathwise", "score", "finite_difference")


@keras.saving.register_keras_serializable(package="zoo")
class Simulator(Generator):
    """A generator that is a function of a few parameters, which are its weights.

    `gradient` says how the loss reaches the parameters theta:

    - `"pathwise"`: through the function, which TensorFlow has to differentiate.
    - `"score"`: `grad E L(theta + d) = E[L(theta + d) d / scale^2]` with `d ~ N(0, scale^2 I)`: the
      gradient of the loss averaged over a Gaussian of that width around theta.
    - `"finite_difference"`: `(L(theta + scale e_k) - L(theta - scale e_k)) / (2 scale)`, with the
      coordinates k in turn: less noise than `"score"`, and like that off by the order of
      `scale^2` from the gradient at theta.

    The last two ask nothing of the function but its values: when the generator moves, `explore`
    simulates each example of the batch at parameters of its own. Examples come in pairs with the
    same latents and opposite steps from theta. Each is its partner's baseline: whatever is
    subtracted from both losses cancels. Everything else is at theta: the discriminator's step of
    the alternating schedule, `sample`, `predict`, exported models. The estimator needs the loss of
    each example apart, so such a simulator does not go into a trainer, an objective or a
    discriminator that mixes them (`UnrolledGAN`, `relativistic_average`, batch normalization).

    A parameter with bounds is trained in a coordinate w without any: `low + exp(w)`,
    `high - exp(w)`, or `low + (high - low) sigmoid(w)`. The steps of the optimizer and `scale` are
    in that coordinate: for `[0, None]`, relative changes.

    A NumPy function is called from the graph: not under XLA (`jit_compile="auto"` knows), not in a
    SavedModel, and without a pathwise gradient.

    Args:
        function: `function(parameters, latents) -> samples (batch, *sample_shape)`, of TensorFlow
            or of NumPy. `parameters` is a dict of float32 columns `(batch, 1)`; `latents` is
            `(batch, latent_dim)`. All its randomness is to come from the latents, and row i of the
            samples from row i of both. To be saved or averaged (`ema_decay`) it has to be
            registered with `keras.saving.register_keras_serializable`; an object with `__call__`,
            `get_config` and `from_config` will do.
        parameters: dict of str to float. Where the parameters start.
        sample_shape: tuple. Shape of one sample.
        latent_dim: int. Coordinates of a latent.
        prior: `"normal"` (N(0, I)) or `"uniform"` (U(-sqrt 3, sqrt 3)).
        gradient: `"pathwise"`, `"score"` or `"finite_difference"`.
        scale: Positive float, or a dict of one for each parameter. Size of the steps from theta;
            unused by `"pathwise"`.
        bounds: dict of str to `[low, high]`, optional. `None` for an end that is open.
        dtype: Keras dtype policy, for the config; the simulation is float32 under all of them.

    Returns:
        Called on latents `(batch, latent_dim)`: float32 samples `(batch, *sample_shape)`.

    Raises:
        ValueError: If an argument is out of range; or if a trial call shows that the function
            raises, returns another shape, something that is not finite or no array, or that it
            has no pathwise gradient where that is asked for.

    Example:

    ```python
    import numpy as np
    import keras, trainers, zoo

    @keras.saving.register_keras_serializable(package="example")
    def decay(parameters, latents):
        u = (latents / 3**0.5 + 1) / 2  # The uniform prior has variance 1.
        return -parameters["tau"] * keras.ops.log(u)

    simulator = zoo.Simulator(
        decay, {"tau": 2.0}, (1,), latent_dim=1, prior="uniform", bounds={"tau": [0, None]}
    )
    gan = trainers.GAN(simulator, zoo.MLPDiscriminator((1,), units=(16,), dropout=0.0), seed=0)
    gan.compile()
    lifetimes = np.random.default_rng(0).exponential(1.0, (1000, 1)).astype("float32")
    gan.fit(lifetimes, batch_size=100, epochs=5)
    print(simulator.values())
    ```

    Reference:
        - [Louppe and Cranmer, 2017](https://arxiv.org/abs/1707.07113), algorithm 1.
        - [Borisyak et al., 2020](https://doi.org/10.7717/peerj-cs.274), for discriminators of
          low capacity.
    """

    def __init__(
        self,
        function,
        parameters,
        sample_shape,
        latent_dim,
        prior="normal",
        gradient="pathwise",
        scale=0.1,
        bounds=None,
        dtype=None,
        **kwargs,
    ):
        function = deserialized(function)  # Its config will do, as for an initializer.
        sample_shape = as_tuple(sample_shape=sample_shape)
        check_sizes(sample_shape=sample_shape)
        check_size(latent_dim=latent_dim)
        random.check_prior(prior)
        check_choice(GRADIENTS, gradient=gradient)
        bounds = {} if bounds is None else bounds
        coordinates = constraints.coordinates(parameters, bounds)
        scales = _scales(scale, coordinates)
        dtype = policy(dtype)
        simulation = _Simulation(function, coordinates, sample_shape, gradient, scales)
        simulation.check(prior, latent_dim)

        # === Functional Model ===
        inputs = latents = keras.Input((latent_dim,), name="latents")
        super().__init__(
            inputs,
            simulation(latents),
            latent_dim=latent_dim,
            prior=prior,
            value_range=None,
            dtype=dtype,
            **kwargs,
        )

        self.function, self.parameters, self.bounds = function, dict(parameters), dict(bounds)
        self.simulation = simulation

    @property
    def estimates_gradient(self):
        return self.gradient != "pathwise"

    def values(self):
        """The parameters as they are now: a dict of str to float."""
        theta = tf.stack([w.value for w in self.simulation.weights])
        return {
            name: v.numpy().item() for name, v in self.simulation.parameters(theta[None]).items()
        }

    @property
    def exportable(self):
        """Whether a SavedModel can hold it: a NumPy function stays in this process."""
        return not self.simulation.numpy

    def explore(self, latents, seed):
        """Samples at parameters a small step away from theta, whose losses `surrogate` takes.

        Args:
            latents: float32 `(batch, latent_dim)`. The second half takes those of the first.
            seed: Two integers, of which the steps are a function.

        Returns:
            float32 samples `(batch, *sample_shape)`. With `"pathwise"`, those at theta.
        """
        simulation = self.simulation
        if self.gradient == "pathwise":
            return simulation(latents)
        rows, steps, _ = simulation.steps(tf.shape(latents)[0], seed)
        return simulation.simulate(simulation.theta() + steps, tf.gather(latents, rows))

    def surrogate(self, losses, seed):
        """Losses whose gradient in the weights is the estimator: `L_i + c_i L_i (w - theta)`.

        w are the weights and theta their values, without a gradient. The c_i are those of the
        class's formulas, `d_i / scale^2` for `"score"`.

        Args:
            losses: float32 `(batch,)`. The losses of the samples of `explore`.
            seed: Two integers, the same.

        Returns:
            float32 `(batch,)`, equal to `losses`. The gradient of their mean estimates the gradient
            of the expected loss. With `"pathwise"` they are the losses themselves.
        """
        if self.gradient == "pathwise":
            return losses
        losses, weights = tf.stop_gradient(losses), self.simulation.theta()
        _, _, c = self.simulation.steps(tf.shape(losses)[0], seed)
        return losses + losses * tf.linalg.matvec(c, weights - tf.stop_gradient(weights))

    def serialized(self, name, value):
        return super().serialized(name, value) if name != "function" else _serialize(self.function)


class _Simulation(keras.layers.Layer):
    """The function as a layer; a scalar weight for each parameter, in its free coordinate."""

    def __init__(self, function, coordinates, sample_shape, gradient, scales):
        super().__init__(dtype="float32", name="output")
        self.function = function
        self.sample_shape = sample_shape
        self.gradient = gradient
        self.scales = np.array(scales, "float32")
        self.start = np.array([start for start, _, _ in coordinates.values()], "float32")
        self.limits = [(name, low, high) for name, (_, low, high) in coordinates.items()]
        self.numpy = False

    def build(self, input_shape):
        for (name, _, _), start in zip(self.limits, self.start, strict=True):
            self.add_weight((), keras.initializers.Constant(float(start)), name=name)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.sample_shape)

    def call(self, latents):
        theta = tf.repeat(self.theta()[None], tf.shape(latents)[0], axis=0)
        return self.simulate(theta, latents)

    def theta(self):
        """The weights as one vector `(k,)`."""
        return tf.stack([w.value for w in self.weights])

    def steps(self, count, seed):
        """What is drawn beside the latents: a function of the seed.

        Returns:
            `(rows, steps, coefficients)`: the row of the latents that each example takes,
            `(batch,)`; its step from theta, `(batch, k)`; and the c_i of `mean_i c_i L_i`,
            `(batch, k)`. The last row of an odd batch has no partner and stays at theta.
        """
        half, width = count // 2, len(self.scales)
        if self.gradient == "score":
            steps = self.scales * random.normal((half, width), seed)
            factors = steps / self.scales**2  # d / scale^2
        else:
            first = tf.cast(random.uniform((), seed, high=width), "int32")
            chosen = tf.one_hot((tf.range(half) + first) % width, width)
            steps = self.scales * chosen
            factors = width * chosen / self.scales  # Each coordinate has its turn in 1 of k pairs.
        share = tf.cast(count, "float32") / tf.cast(tf.maximum(2 * half, 1), "float32")
        order = tf.range(count)
        rows = tf.where(order < 2 * half, order % tf.maximum(half, 1), order)
        alone = tf.zeros((count - 2 * half, width))
        steps = tf.concat([steps, -steps, alone], 0)
        return rows, steps, share * tf.concat([factors, -factors, alone], 0)

    def parameters(self, theta):
        """Coordinates `(batch, k)` as a dict of parameters `(batch, 1)`."""
        columns = tf.split(theta, len(self.limits), axis=1)
        pairs = zip(self.limits, columns, strict=True)
        return {name: constraints.bounded(column, low, high) for (name, low, high), column in pairs}

    def simulate(self, theta, latents):
        """The function at coordinates `(batch, k)`, as float32."""
        parameters = self.parameters(theta)
        if not self.numpy:
            samples = tf.cast(self.function(parameters, latents), "float32")
            return tf.ensure_shape(samples, (None, *self.sample_shape))

        def call(latents, *columns):
            named = dict(zip(parameters, columns, strict=True))
            return np.asarray(self.function(named, latents), "float32")

        arrays = [latents, *parameters.values()]
        samples = tf.numpy_function(call, arrays, "float32", stateful=False)
        return tf.ensure_shape(samples, (None, *self.sample_shape))

    def check(self, prior, latent_dim):
        """A trial call on a batch of a size that no other axis has, which also finds the kind."""
        taken = {*self.sample_shape, latent_dim}
        count = next(n for n in range(5, 100) if n not in taken)
        latents = random.draw(prior, count, latent_dim, (0, 0))
        theta = tf.repeat(self.start[None], count, axis=0)
        parameters = self.parameters(theta)
        samples, error = _attempt(self.function, parameters, latents)
        if not tf.is_tensor(samples):
            arrays = {name: column.numpy() for name, column in parameters.items()}
            samples, error = _attempt(self.function, arrays, latents.numpy())
            self.numpy = isinstance(samples, np.ndarray) and samples.dtype.kind in "biuf"
            self.supports_jit = not self.numpy
        call = f"{_name(self.function)} on parameters (batch, 1) and latents (batch, {latent_dim})"
        if error is not None:
            raise ValueError(
                f"`function` does not run: {type(error).__name__}: {error}. Expected it to take "
                f"parameters and latents, and return samples. Received: {call}"
            ) from error
        expected = (count, *self.sample_shape)
        if not self.numpy and not tf.is_tensor(samples):
            raise ValueError(
                f"`function` returns no numbers. Expected a tensor or a NumPy array {expected} for "
                f"a batch of {count}. Received: {type(samples).__name__} from {call}"
            )
        if tuple(samples.shape) != expected:
            raise ValueError(
                f"`function` returns another shape. Expected {expected} for a batch of {count}. "
                f"Received: {tuple(samples.shape)} from {call}"
            )
        bad = int(np.sum(~np.isfinite(np.asarray(samples, "float64"))))
        if bad:
            raise ValueError(
                "`function` returns something that is not finite at the parameters it starts from. "
                f"Expected finite samples. Received: {bad} of {np.size(samples)} values NaN or "
                f"infinite from {call}"
            )
        self._check_graph(latent_dim)

    def _check_graph(self, latent_dim):
        """A TensorFlow function runs in the graph of a training step, and has its derivatives."""
        differentiable = self.gradient == "pathwise"
        if self.numpy and differentiable:
            raise ValueError(
                "`function` is of NumPy, which TensorFlow cannot differentiate. Expected a "
                "TensorFlow function, or gradient='score' or 'finite_difference'. Received: "
                f"function={_name(self.function)} with gradient='pathwise'"
            )
        if self.numpy:
            return

        def trace(parameters, latents):
            with tf.GradientTape() as tape:
                tape.watch(parameters)
                samples = self.function(parameters, latents)
            if differentiable:
                derivatives.update(tape.gradient(samples, parameters))
            return samples

        derivatives = {}
        column = tf.TensorSpec((None, 1), "float32")
        columns = {name: column for name, _, _ in self.limits}
        try:
            traced = tf.function(tracing.traced(trace), autograph=False)
            traced.get_concrete_function(columns, tf.TensorSpec((None, latent_dim), "float32"))
        except Exception as error:  # Whatever the user's function raises.
            raise ValueError(
                f"`function` does not run in a graph: {type(error).__name__}: {error}. Expected "
                "TensorFlow operations from the parameters and latents to the samples, or NumPy "
                f"alone. Received: function={_name(self.function)}"
            ) from error
        lost = [name for name, derivative in derivatives.items() if derivative is None]
        if lost:
            raise ValueError(
                "`function` has no derivative with respect to a parameter. Expected a "
                "differentiable function of all of them, or gradient='score' or "
                f"'finite_difference'. Received: {lost} without one in {_name(self.function)}"
            )


def _attempt(function, parameters, latents):
    try:
        return function(parameters, latents), None
    except Exception as error:  # Whatever the user's function raises.
        return None, error


def _scales(scale, coordinates):
    """One positive number for each parameter."""
    scales = scale if isinstance(scale, dict) else dict.fromkeys(coordinates, scale)
    right = set(scales) == set(coordinates) and all(
        isinstance(s, (int, float, np.number)) and 0 < s < math.inf for s in scales.values()
    )
    if not right:
        raise ValueError(
            "`scale` is not positive, or names other parameters. Expected a positive number, or a "
            f"dict of one for each of {sorted(coordinates)}. Received: scale={scale!r}"
        )
    return [float(scales[name]) for name in coordinates]


def _serialize(function):
    """The config of a registered function or object."""
    target = function if inspect.isfunction(function) else type(function)
    if keras.saving.get_registered_object(keras.saving.get_registered_name(target)) is not target:
        raise ValueError(
            "`function` cannot be found again from a file. Expected one that is defined in a "
            "module, with `@keras.saving.register_keras_serializable()` above it. "
            f"Received: function={_name(function)}"
        )
    return keras.saving.serialize_keras_object(function)


def _name(function):
    return getattr(function, "__qualname__", None) or type(function).__qualname__

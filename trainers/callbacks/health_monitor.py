"""The health monitor: names what goes wrong in a training while it does, and acts."""

import json
import math
import pathlib
import warnings

import keras

from trainers.callbacks.rhythm import Rhythm
from trainers.health import signs, troubles
from trainers.health.probe import Probe
from trainers.health.way_back import MEMBER, WayBack, optimizers
from zoo import untrusted
from zoo.files import check_writable, write_text
from zoo.finite import REMEDY, Diverged, broken_weights
from zoo.validation import (
    check_choice,
    check_integer,
    check_number,
    check_positive,
    check_seed,
    in_short,
    users_level,
)

POLICIES = ("warn", "stop", "rollback")
STATE = "health.json"
WINDOW = max(trouble.looks for trouble in troubles.TROUBLES.values())


class HealthMonitor(keras.callbacks.Callback):
    """Looks at both players every so many steps, and names the trouble that it sees.

    What it knows: `not_finite`, `discriminator_won`, `vanishing_gradient`,
    `discriminator_overfits`, `generator_won`, `one_sample`, `few_modes`, `oscillation`,
    `memorisation`, `dead_units` and `loss_scale`: `trainers.health.troubles.TROUBLES` has their
    signs, thresholds and remedies, `docs/health.md` their pictures. Three looks in a row have to
    show most of them. It draws latents of its own, and changes nothing of a training that it lets
    go on: the same weights come out with it and without.

    Args:
        real: Real samples to compare with, in any form that `fit` takes; `(samples, labels)` for
            a conditional generator. At most 10,000 are used.
        held_out: Others that the trainer does not learn from, optional: memorisation and a
            discriminator that overfits show beside them alone.
        every_steps: int. Steps from one look to the next, counted from the trainer's first.
        policy: What is done when a trouble is named: `"warn"` (a `UserWarning`), `"stop"` (the
            training ends after this step), `"rollback"` (both players and their optimizers' moments
            go back to where the last healthy look was, or to the beginning, and the learning rates
            are multiplied by `factor`; after `rollbacks` times it stops), or a function
            `f(monitor, name, sentence)`. Or a dict of them by the trouble's name; `"warn"` for
            others.
        warm_up: int. Steps before which only `not_finite` and `loss_scale` are named: every
            training begins in a bad place.
        path: Where to write a record, a line of JSON a look, optional. A file that is there goes
            on.
        count: int. Samples of a look.
        factor: float in (0, 1]. Of `"rollback"`.
        rollbacks: int. How often at most.
        seed: int. Of its latents.

    Attributes:
        history: List of the last looks: dicts of numbers.
        troubles: Dict from the troubles' names to the steps at which they were named.
        stopped_by: The name of the trouble that ended the training, or `None`.
        says: Function of a text that is called in the place of a warning, or `None`.

    Raises:
        ValueError: If an argument is out of range. When training starts: if the samples do not fit
            the generator, or the trainer is an ensemble.

    Example:

    ```python
    import trainers, zoo

    x, _ = zoo.datasets.arrays("mnist")
    held_out, _ = zoo.datasets.arrays("mnist", "test")
    gan = trainers.GAN(zoo.DCGANGenerator(filters=8), zoo.DCGANDiscriminator(filters=8))
    gan.compile()
    monitor = trainers.HealthMonitor(x, held_out, policy={"not_finite": "rollback"})
    gan.fit(x, epochs=20, callbacks=[monitor])
    ```

    Reference:
        - [Goodfellow, 2016](https://arxiv.org/abs/1701.00160), section 5, for what goes wrong.
        - [Karras et al., 2020](https://arxiv.org/abs/2006.06676), for a discriminator that
          overfits.
    """

    def __init__(
        self,
        real,
        held_out=None,
        every_steps=500,
        policy="warn",
        path=None,
        count=256,
        factor=0.5,
        rollbacks=3,
        warm_up=troubles.WARM_UP,
        seed=0,
    ):
        super().__init__()
        check_positive(every_steps=every_steps, count=count, rollbacks=rollbacks)
        check_integer(0, warm_up=warm_up)
        check_seed(seed)
        check_number("a number in (0, 1]", factor=factor)
        if not 0 < factor <= 1:
            raise ValueError(
                f"`factor` is out of range. Expected a number in (0, 1]. Received: factor={factor}"
            )
        self.real, self.held_out = real, held_out
        self.rhythm = Rhythm(every_steps)
        self.policies = _policies(policy)
        self.path = None if path is None else pathlib.Path(path)
        if self.path is not None:
            check_writable(self.path.parent, "path")
        self.count, self.factor, self.rollbacks = count, factor, rollbacks
        self.warm_up, self.seed = warm_up, seed
        self.history, self.troubles, self.stopped_by = [], {}, None
        self.says = None
        self._present, self._rolled, self._sums = set(), 0, {}
        self._probe = self._way_back = None
        self._restored = None

    # === When ===

    def on_train_begin(self, logs=None):
        gan = self.model
        if not hasattr(gan, "sample") or hasattr(gan, "members"):
            raise ValueError(
                "`model` is no pair of players. Expected a trainer of one, such as trainers.GAN; "
                "of a trainers.GANEnsemble take out a member. "
                f"Received: model={type(gan).__name__}"
            )
        if self._probe is None or self._probe.gan is not gan:
            self._probe = self._probe_of(gan)
            self._way_back = None
        if self._way_back is None and self._goes_back():
            self._way_back = WayBack(gan)
            if self._restored is not None:
                self._way_back.from_bytes(self._restored)
            else:  # Where nothing healthy was seen yet, the way leads to the beginning.
                self._way_back.remember(int(gan.steps.numpy()))
        self.stopped_by = None
        self._cut_record()

    def _probe_of(self, gan):
        return Probe(gan, self.real, self.held_out, self.count, self.seed)

    def on_epoch_begin(self, epoch, logs=None):
        self.rhythm.begin(self.model)
        self._sums = {k: v for k, v in self._sums.items() if self._goes_on(k, v)}

    def on_train_batch_end(self, batch, logs=None):
        if self.rhythm.reaches(batch):
            self.look()

    def on_divergence(self, sentence):
        """Called when weights have become NaN or infinite: whether the training goes on."""
        look = {"step": int(self.model.steps.numpy()), "finite": 0.0}
        self._write(look, ["not_finite"])
        self._name("not_finite", sentence, look)
        if self.policies.get("not_finite") == "rollback" and self._go_back():
            return True
        self.stopped_by = "not_finite"
        return False

    # === What ===

    def look(self):
        """Looks now: the troubles that it sees, as a list of names."""
        step = int(self.model.steps.numpy())
        broken = broken_weights(self.model)
        if broken:  # Losses may be finite all the same: some kernels take NaN for 0.
            said = (
                f"Weights became NaN or infinite by step {step}, first {broken[0]!r}: the training "
                f"diverged. Expected {REMEDY}. Received: NaN or infinity in {len(broken)} of "
                f"{len(self.model.weights)} weights"
            )
            if not self.on_divergence(said):
                raise Diverged(said)
            return ["not_finite"]
        look = {"step": step, **self._probe(), **self._means()}
        if self.history and "shares" in look and "shares" in self.history[-1]:
            look["moved"] = signs.moved(self.history[-1]["shares"], look["shares"])
        scales = [_scale(optimizer) for optimizer in optimizers(self.model).values()]
        if any(scale is not None for scale in scales):
            look["loss_scale"] = min(scale for scale in scales if scale is not None)
        self.history = [*self.history, look][-WINDOW:]
        names = troubles.found(self.history, self.warm_up)
        self._write(look, names)
        for name in names:
            if name not in self._present:
                self._name(name, troubles.sentence(name, look), look)
        self._present = set(names)
        if not names and self._way_back is not None and not self._is_suspect(look):
            self._way_back.remember(step)
        for name in names:
            if self._act(name):
                break
        return names

    def _is_suspect(self, look):
        """Whether a look by itself shows what three in a row would be named for."""
        return look["step"] >= self.warm_up and any(
            trouble.looks == troubles.PATIENCE and trouble.shows([look] * trouble.looks)
            for trouble in troubles.TROUBLES.values()
        )

    def _means(self):
        """The means of the trainer's figures since the last look, by their names."""
        found = {}
        for name, tracker in getattr(self.model, "trackers", {}).items():
            total, count = float(tracker.total), float(tracker.count)
            before = self._sums.get(name, (0.0, 0.0))
            if count > before[1]:
                found[name] = (total - before[0]) / (count - before[1])
            self._sums[name] = (total, count)
        levels = [v for k, v in found.items() if k.endswith("js_estimate")]
        if levels:
            found["js_estimate"] = max(levels)
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _goes_on(self, name, before):
        """Whether a figure's sum was not reset since it was looked at."""
        tracker = self.model.trackers.get(name)
        return tracker is not None and float(tracker.count) >= before[1] > 0

    # === Acts ===

    def _name(self, name, said, look):
        self.troubles.setdefault(name, []).append(look["step"])
        text = f"step {look['step']:,}: {name}. {said}"
        policy = self.policies.get(name, "warn")
        if callable(policy):
            policy(self, name, said)
        elif self.says is not None:
            self.says(text)
        else:
            warnings.warn(text, stacklevel=users_level())

    def _act(self, name):
        """Does what the policy wants of a trouble that is there; whether players have moved."""
        policy = self.policies.get(name, "warn")
        if policy == "rollback" and self._go_back():
            return True
        if policy in ("stop", "rollback"):
            self.stopped_by = self.stopped_by or name
            self.model.stop_training = True
        return False

    def _goes_back(self):
        return "rollback" in self.policies.values()

    def _go_back(self):
        """Returns to the last healthy look, with a smaller step; whether there was a way."""
        if self._rolled >= self.rollbacks:
            return False
        self._rolled += 1
        self._way_back.go(self.factor)
        self.history, self._present, self._sums = [], set(), {}
        text = (
            f"back to step {self._way_back.step:,}, with learning rates times {self.factor:g} "
            f"({self._rolled} of at most {self.rollbacks})"
        )
        print(text) if self.says is None else self.says(text)
        return True

    # === The record, and what a checkpoint keeps ===

    def _write(self, look, names):
        if self.path is not None:
            numbers = {k: _rounded(v) for k, v in look.items()}
            with open(self.path, "a") as file:
                file.write(json.dumps({**numbers, "troubles": names}) + "\n")

    def _cut_record(self):
        """Takes out the looks that a training that goes on has yet to make."""
        if self.path is None or not self.path.exists():
            return
        step = int(self.model.steps.numpy())
        kept = [line for line in read_record(self.path) if line["step"] <= step]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))

    def members(self):
        """What a checkpoint is to keep of it: contents by the names of its file's members."""
        state = {
            "history": self.history,
            "troubles": self.troubles,
            "present": sorted(self._present),
            "rolled": self._rolled,
            "sums": self._sums,
        }
        found = {STATE: json.dumps(state)}
        content = None if self._way_back is None else self._way_back.to_bytes()
        return found if content is None else {**found, MEMBER: content}

    def restore(self, read):
        """Goes on from such members.

        Args:
            read: Function of a member's name to its content, bytes or `None`.

        Raises:
            ValueError: If they are no such members.
        """
        content = read(STATE)
        if content is None:
            return
        try:
            state = untrusted.parse_json(content, STATE)
            self.history, self.troubles = list(state["history"]), dict(state["troubles"])
            self._present, self._rolled = set(state["present"]), int(state["rolled"])
            self._sums = {name: tuple(sums) for name, sums in state["sums"].items()}
        except (TypeError, KeyError, ValueError, AttributeError):
            raise ValueError(
                f"`path` is damaged: its {STATE} says no state of a monitor. Expected what "
                f"trainers.HealthMonitor wrote. Received: {in_short(content)}"
            ) from None
        self._restored = read(MEMBER)


def read_record(path):
    """The looks in a record: list of dicts. A line that was cut off is left out."""
    found = []
    for line in pathlib.Path(path).read_text().splitlines():
        try:
            look = json.loads(line)
        except ValueError:
            continue
        if isinstance(look, dict) and isinstance(look.get("step"), int):
            found.append(look)
    return found


def _policies(policy):
    """A policy for each trouble."""
    if isinstance(policy, dict):
        for name in policy:
            check_choice(list(troubles.TROUBLES), policy=name)
        given = policy
    else:
        given = dict.fromkeys(troubles.TROUBLES, policy)
    for value in given.values():
        if not callable(value):
            check_choice(POLICIES, policy=value)
    return given


def _scale(optimizer):
    """The loss scale of an optimizer, or `None`."""
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return None
    return float(optimizer.dynamic_scale.numpy())


def _rounded(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value

"""What decides a run: settings, which are flags of the command, and details from a recipe."""

import dataclasses
import numbers

from trainers.gan import SCHEDULES
from trainers.runs import cluster, games, health
from trainers.runs.choices import FAMILIES, OBJECTIVES, PRECISIONS, TRAINERS
from zoo.toys import TOYS
from zoo.validation import check_above_zero, check_positive

# Of trainers that have players of their own.
OWN_FAMILIES = {"laplacian": "lapgan", "vae": "mlp"}


# Whole numbers above 0, and those that may be left out.
POSITIVE = ("batch_size", "steps_per_execution", "score_every", "score_samples", "sample_every")
POSITIVE_IF_GIVEN = ("steps", "sample_every_steps", "checkpoint_every_steps", "discriminator_steps")
POSITIVE_IF_GIVEN += ("latent_dim", "filters", "image_size")
KINDS = {int: "an integer", float: "a number", str: "a text", bool: "true or false"}


def _of_kind(field, value):
    """The value of a field in Python's own type.

    Raises:
        ValueError: If it is of another kind than the field.
    """
    if value is None and field.default is None:
        return value
    fits = isinstance(
        value, {float: numbers.Real, int: numbers.Integral}.get(field.type, field.type)
    )
    if not fits or isinstance(value, bool) and field.type is not bool:
        expected = KINDS[field.type] + (", or none" if field.default is None else "")
        raise ValueError(
            f"`{field.name}` is of another kind. Expected {expected}. "
            f"Received: {field.name}={value!r}"
        )
    return field.type(value)


def _flag(default, help, choices=None):
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices})


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that decides a run; each field is a flag of the command.

    What is `None` and has a value in the published game of the players gets that value here
    (`trainers.runs.games`), and so do the family and the trainer: `Settings(dataset="ring")` has
    dense players.
    """

    dataset: str = _flag(
        "mnist",
        "What to learn: mnist (embedded), keras:NAME, tfds:NAME, a folder of images, or a toy "
        "(ring, grid, normal, mixture).",
    )
    epochs: int = _flag(10, "Passes over the data.")
    steps: int = _flag(None, "Batches to train on in all, in the place of --epochs.")
    batch_size: int = _flag(128, "Examples a step.")
    image_size: int = _flag(None, "Crops and resizes images to this many pixels a side.")
    skip_unreadable: bool = _flag(False, "Leaves out the files of a folder that cannot be read.")
    validation_split: float = _flag(
        None, "Share of a folder's images that is held out, where it has no test/ or val/."
    )
    bit_depth: int = _flag(
        None, "Bits that a folder's files of 16 use. Default: what their largest sample needs."
    )
    data_dir: str = _flag(None, "Where TFDS keeps its data.")
    generator: str = _flag(
        None,
        "Family of both players. Default: mlp for toys and --trainer=vae, lapgan for "
        "--trainer=laplacian, else dcgan.",
        tuple(FAMILIES),
    )
    filters: int = _flag(None, "Maps of a layer, as the family counts.")
    latent_dim: int = _flag(None, "Coordinates of a latent.")
    conditional: bool = _flag(False, "Learn the labels too, so that a class can be asked for.")
    trainer: str = _flag(
        None,
        "How the players move. Default: laplacian for --generator=lapgan, else gan.",
        tuple(TRAINERS),
    )
    objective: str = _flag(
        None,
        "What the players minimize; of fgan, its divergence. Default: non_saturating; hinge of "
        "resnet, relativistic_pairing of r3gan; kl of fgan, wasserstein of wasserstein and "
        "wasserstein_gp.",
        OBJECTIVES,
    )
    schedule: str = _flag(
        None,
        "How the players take turns. Default: alternating; simultaneous of fgan and consensus.",
        SCHEDULES,
    )
    discriminator_steps: int = _flag(
        None,
        "Discriminator steps for each generator step. Default: 1; 5 of resnet, wasserstein and "
        "wasserstein_gp.",
    )
    learning_rate: float = _flag(
        None,
        "Of both optimizers. Default: 0.0002; 0.00005 of wasserstein, 0.0001 of wasserstein_gp, "
        "0.001 of vae.",
    )
    ema_decay: float = _flag(
        None,
        "Moving average of the generator that draws samples; 0: none. Default: 0.99; 0.999 of "
        "r3gan.",
    )
    score: str = _flag(
        None,
        "Measures samples during the training, keeps the best trainer in score/best.keras, and "
        "draws the curve into the report: frechet, sliced_wasserstein, modes and the other names "
        "of python -m evaluation.",
    )
    score_every: int = _flag(1, "Epochs between two scores.")
    score_samples: int = _flag(10_000, "Samples of a score.")
    score_extractor: str = _flag(
        None,
        "Whose features are compared: as --extractor of python -m evaluation. Default: that of the "
        "data.",
    )
    sample_every: int = _flag(1, "Epochs between two pictures of samples.")
    sample_every_steps: int = _flag(
        None, "Batches between two pictures, in the place of --sample_every."
    )
    checkpoint_every_steps: int = _flag(
        None,
        "Batches between two writings of gan.keras. Default: after every epoch, and after every "
        "minute of a longer one.",
    )
    health: str = _flag(
        "warn",
        "What is done when a training goes wrong (a player has won, samples collapse, NaN): warn, "
        "stop (exit status 3), rollback (to the last healthy look, with half the learning rates) "
        "or off.",
        health.CHOICES,
    )
    precision: str = _flag("float32", "Keras dtype policy of the players.", PRECISIONS)
    jit_compile: str = _flag("auto", "XLA: auto is on with a GPU.", ("auto", "true", "false"))
    steps_per_execution: int = _flag(1, "Steps between two looks at the progress.")
    strategy: str = _flag(
        "none",
        "Devices that share each batch: mirrored (the GPUs of this machine) or multi_worker (the "
        "processes that TF_CONFIG names; see docs/cluster.md).",
        cluster.STRATEGIES,
    )
    seed: int = _flag(0, "Decides the first weights, every draw and the order of the data.")

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _of_kind(field, getattr(self, field.name)))
        chosen = {
            "generator": OWN_FAMILIES.get(self.trainer, "mlp" if self.dataset in TOYS else "dcgan"),
            "trainer": "laplacian" if self.generator == "lapgan" else "gan",
        }
        self._complete(chosen)
        self._complete(games.settings(self.generator, self.trainer, self.schedule))

    def _complete(self, values):
        for name, value in values.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    def check(self):
        """Raises a `ValueError` if a number is out of range."""
        if self.steps is None:
            check_positive(epochs=self.epochs)
        check_positive(**{name: getattr(self, name) for name in POSITIVE})
        given = {name: getattr(self, name) for name in POSITIVE_IF_GIVEN}
        check_positive(**{name: value for name, value in given.items() if value is not None})
        if self.learning_rate is not None:
            check_above_zero(learning_rate=self.learning_rate)
        if (self.steps or 0) % self.steps_per_execution:
            raise ValueError(
                "`steps` are no whole executions. Expected a multiple of steps_per_execution="
                f"{self.steps_per_execution}. Received: steps={self.steps}"
            )

    @property
    def source(self):
        """What tells `zoo.datasets` about the data besides their name: keyword arguments."""
        always = ("image_size", "data_dir", "skip_unreadable")
        given = {name: getattr(self, name) for name in (*always, "validation_split", "bit_depth")}
        return {name: v for name, v in given.items() if name in always or v is not None}


@dataclasses.dataclass(frozen=True)
class Details:
    """Arguments beyond the settings, in the words of JSON.

    An object is written as its class with its arguments: `{"Adam": {"learning_rate": 0.001}}`,
    `{"R1": {"weight": 1.0, "every": 16}}`, and so is a schedule within it
    (`trainers.runs.objects`).

    Attributes:
        generator: dict. Arguments of the generator's class.
        discriminator: dict. Of the discriminator's.
        trainer: dict. Of the trainer's.
        compile: dict. Of its `compile`.
    """

    generator: dict = dataclasses.field(default_factory=dict)
    discriminator: dict = dataclasses.field(default_factory=dict)
    trainer: dict = dataclasses.field(default_factory=dict)
    compile: dict = dataclasses.field(default_factory=dict)

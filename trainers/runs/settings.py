"""What decides a run: settings, which are flags of the command, and details from a recipe."""

import dataclasses

from trainers.gan import SCHEDULES
from trainers.runs import cluster, games
from trainers.runs.choices import FAMILIES, OBJECTIVES, PRECISIONS, TRAINERS
from zoo.toys import TOYS

# Of trainers that have players of their own.
OWN_FAMILIES = {"laplacian": "lapgan", "vae": "mlp"}


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

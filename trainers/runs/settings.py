"""What decides a run: settings, which are flags of the command, and details from a recipe."""

import dataclasses

from trainers.gan import SCHEDULES
from trainers.runs import cluster
from trainers.runs.choices import FAMILIES, OBJECTIVES, PRECISIONS, TRAINERS


def _flag(default, help, choices=None):
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices})


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that decides a run; each field is a flag of the command."""

    dataset: str = _flag(
        "mnist",
        "What to learn: mnist (embedded), keras:NAME, tfds:NAME, a folder of images, or a toy "
        "(ring, grid, normal, mixture).",
    )
    epochs: int = _flag(10, "Passes over the data.")
    batch_size: int = _flag(128, "Examples a step.")
    image_size: int = _flag(None, "Crops and resizes images to this many pixels a side.")
    skip_unreadable: bool = _flag(False, "Leaves out the files of a folder that cannot be read.")
    data_dir: str = _flag(None, "Where TFDS keeps its data.")
    generator: str = _flag("dcgan", "Family of both players; toys need mlp.", tuple(FAMILIES))
    filters: int = _flag(None, "Maps of a layer, as the family counts. Default: the family's.")
    latent_dim: int = _flag(None, "Coordinates of a latent. Default: the family's.")
    conditional: bool = _flag(False, "Learn the labels too, so that a class can be asked for.")
    trainer: str = _flag("gan", "How the players move.", tuple(TRAINERS))
    objective: str = _flag(
        None,
        "What the players minimise; of fgan, its divergence. Default: the paper's.",
        OBJECTIVES,
    )
    schedule: str = _flag(None, "How the players take turns. Default: the paper's.", SCHEDULES)
    discriminator_steps: int = _flag(
        None, "Discriminator steps for each generator step. Default: the paper's."
    )
    learning_rate: float = _flag(None, "Of both optimizers. Default: the paper's.")
    ema_decay: float = _flag(0.99, "Moving average of the generator that draws samples; 0: none.")
    score: str = _flag(
        None,
        "Measures samples during the training, keeps the best trainer in score/best.keras, and "
        "draws the curve into the report: frechet, sliced_wasserstein, modes and the other names "
        "of python -m evaluation.",
    )
    score_every: int = _flag(1, "Epochs between two scores.")
    score_samples: int = _flag(10_000, "Samples of a score.")
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

    @property
    def source(self):
        """What tells `zoo.datasets` about the data besides their name: keyword arguments."""
        return {
            "image_size": self.image_size,
            "data_dir": self.data_dir,
            "skip_unreadable": self.skip_unreadable,
        }


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

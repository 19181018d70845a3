"""From settings to players, and to a compiled trainer."""

import keras

import zoo
from trainers.runs import games, objects
from trainers.runs.choices import FAMILIES, TRAINERS
from trainers.runs.settings import Details
from zoo.validation import check_choice


def players(settings, info, details=None):
    """The two players that settings and data ask for.

    Args:
        settings: `Settings`.
        info: `zoo.datasets.DatasetInfo`.
        details: `Details`, optional; they prevail over what the settings mean.

    Raises:
        ValueError: If the family cannot make such samples, or labels are wanted and not there.
    """
    _check_players(settings, info)
    shared = {
        "image_shape": info.sample_shape,
        "num_classes": info.num_classes if settings.conditional else None,
        "dtype": settings.precision,
    }
    if settings.filters is not None:
        shared["filters"] = settings.filters
    ours, theirs = {}, {}
    if settings.latent_dim is not None:
        ours["latent_dim"] = settings.latent_dim
    details = details or Details()
    theirs |= _apart(settings, details)
    packing = details.trainer.get("packing", 1)
    if packing > 1:
        theirs["image_shape"] = (*info.sample_shape[:-1], packing * info.sample_shape[-1])
    if settings.generator == "mlp" and info.dtype != "uint8":  # Points.
        shared |= {"units": (128, 128), "kernel_initializer": "glorot_uniform"}
        ours |= {"output_activation": "linear", "prior": "normal"}
        theirs |= {"activation": "relu", "input_dropout": 0.0, "dropout": 0.0}
    generator, discriminator = FAMILIES[settings.generator]
    generator = objects.call(generator, {**shared, **ours, **details.generator})
    if generator.num_classes and info.class_names:
        generator.class_names = info.class_names
    return (
        generator,
        objects.call(discriminator, {**shared, **theirs, **details.discriminator}),
    )


def _apart(settings, details):
    """Arguments by which a penalty on the slope at single examples has one to measure.

    It wants a critic that treats examples apart; that of WGAN-GP, one whose slope nothing else
    holds.
    """
    if settings.trainer == "wasserstein_gp" and settings.generator == "resnet":
        return {"spectral_normalization": False}
    penalties = objects.resolve(details.compile.get("discriminator_penalties", []))
    slope = settings.trainer == "wasserstein_gp" or any(p.measures_slope for p in penalties)
    return {"batch_normalization": False} if slope and settings.generator == "dcgan" else {}


def _check_players(settings, info):
    """Raises a `ValueError` if the settings of the players do not fit each other or the data."""
    check_choice(FAMILIES, generator=settings.generator)
    if settings.conditional and info.num_classes is None:
        raise ValueError(
            "`--conditional` needs labels to learn. Expected a labelled data set with it. "
            f"Received: dataset={settings.dataset!r}"
        )
    if (settings.generator == "lapgan") != (settings.trainer == "laplacian"):
        raise ValueError(
            "`--generator` and `--trainer` do not fit: a pyramid has its own of both. Expected "
            "--generator=lapgan with --trainer=laplacian, or neither. Received: "
            f"generator={settings.generator!r}, trainer={settings.trainer!r}"
        )
    if settings.generator == "mlp" and settings.filters is not None:
        raise ValueError(
            "`--filters` is of no use to dense layers, which have no maps. Expected --filters with "
            f"a convolutional family. Received: generator='mlp', filters={settings.filters}"
        )


def make(settings, info, details=None):
    """A compiled trainer from settings, with the weights that the seed decides.

    Args:
        settings: `Settings`.
        info: `zoo.datasets.DatasetInfo`.
        details: `Details`, optional; they prevail over what the settings mean.

    Raises:
        ValueError: If the settings do not go together.
    """
    check_choice(TRAINERS, trainer=settings.trainer)
    keras.utils.set_random_seed(settings.seed)
    details = games.completed(settings, details or Details())
    if settings.trainer == "vae":
        return _autoencoder(settings, info, details)
    asked = {
        "discriminator_steps": settings.discriminator_steps,
        "schedule": settings.schedule,
        "divergence": settings.objective if settings.trainer == "fgan" else None,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    generator, discriminator = players(settings, info, details)
    gan = objects.call(
        TRAINERS[settings.trainer],
        {
            "generator": generator,
            "discriminator": discriminator,
            "seed": settings.seed,
            **asked,
            **details.trainer,
        },
    )
    wanted = {"ema_decay": settings.ema_decay or None}
    if settings.objective and settings.trainer != "fgan":
        wanted["objective"] = settings.objective
    return _compiled(gan, settings, details, wanted)


def _autoencoder(settings, info, details):
    """The baseline, which has no opponent."""
    plain = {"generator": "mlp", "conditional": False, "precision": "float32"}
    for name in ("objective", "schedule", "discriminator_steps", "filters"):
        plain[name] = None
    wrong = {n: getattr(settings, n) for n, v in plain.items() if getattr(settings, n) != v}
    if wrong or info.dtype != "uint8":
        raise ValueError(
            "`--trainer=vae` has dense layers in float32, no opponent and no labels. Expected "
            "--generator=mlp and images, without --objective, --schedule, --discriminator_steps, "
            f"--filters, --conditional and --precision. Received: {wrong or settings.dataset}"
        )
    size = {} if settings.latent_dim is None else {"latent_dim": settings.latent_dim}
    shared = {"image_shape": info.sample_shape, "seed": settings.seed}
    vae = objects.call(zoo.VAE, {**shared, **size, **details.generator})
    return _compiled(vae, settings, details, {})


def _compiled(model, settings, details, wanted):
    """The model, compiled as settings, `wanted` and details say; the later ones prevail."""
    arguments = {
        "steps_per_execution": settings.steps_per_execution,
        "jit_compile": {"auto": "auto", "true": True, "false": False}[settings.jit_compile],
        **wanted,
        **details.compile,
    }
    objects.call(model.compile, arguments)
    if settings.learning_rate is not None:
        for optimizer in getattr(model, "optimizers", None) or [model.optimizer]:
            optimizer.learning_rate = settings.learning_rate
    return model

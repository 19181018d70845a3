"""From flags to a run: objects in words, a recipe that flags prevail over, flags of no use."""

import dataclasses

import pytest
from absl import flags as absl_flags

from tests.trainers.runs.ring import written
from trainers import perturbations
from trainers.runs import arguments, command_line, recipes
from trainers.runs.construction import make
from trainers.runs.settings import Details, Settings
from zoo import datasets

RING = datasets.DatasetInfo("ring", (2,), "float32", None, 1000)
FLAGS = absl_flags.FlagValues()
command_line.define(FLAGS)


def asked(*argv):
    """What the flags of a command line ask for."""
    FLAGS.unparse_flags()
    for name in FLAGS:
        FLAGS[name].value, FLAGS[name].present = FLAGS[name].default, 0
    FLAGS(["trainers", *argv])
    return command_line.given(FLAGS)


def test_nothing_given_is_nothing_changed():
    assert asked() == {}
    assert command_line.run_of({}) == (Settings(), Details())


def test_one_flag_chooses_what_goes_with_it():
    """A set of points has dense players; a trainer with players of its own has those."""
    for flag, family, trainer in (
        ("--dataset=ring", "mlp", "gan"),
        ("--dataset=stacked_mnist", "dcgan", "gan"),
        ("--trainer=vae", "mlp", "vae"),
        ("--trainer=laplacian", "lapgan", "laplacian"),
        ("--generator=lapgan", "lapgan", "laplacian"),
        ("--trainer=unrolled", "dcgan", "unrolled"),
    ):
        settings, _ = command_line.run_of(asked(flag))
        assert (settings.generator, settings.trainer) == (family, trainer), flag


def test_flags_of_all_kinds_make_a_trainer():
    flags = ["--dataset=ring", "--units=8", "--generator_units=8,4", "--trainer=wasserstein"]
    flags += ["--clip=0.5", "--discriminator_penalty=r1:3:every=4", "--label_flips=0.25"]
    flags += ["--discriminator_penalty=gradient:2,R2", "--generator_penalty=historical_averaging"]
    flags += ["--instance_noise=0.2:0.05:100", "--generator_optimizer=sgd:0.5:momentum=0.25"]
    settings, details = command_line.run_of(asked(*flags))
    gan = make(settings, RING, details)
    assert gan.generator.units == (8, 4) and gan.discriminator.units == (8,) and gan.clip == 0.5
    found = [(type(p).__name__, p.weight, p.every) for p in gan.discriminator_penalties]
    assert found == [("R1", 3.0, 4), ("GradientPenalty", 2.0, 1), ("R2", 10.0, 1)]
    assert [type(p).__name__ for p in gan.generator_penalties] == ["HistoricalAveraging"]
    noise, labels = gan.perturbations
    assert type(noise) is perturbations.InstanceNoise and labels.scale == 0.25
    for step, scale in ((0, 0.2), (50, 0.125), (100, 0.05), (200, 0.05)):  # A straight line.
        assert float(noise.scale(step)) == pytest.approx(scale)
    assert gan.generator_optimizer.momentum == 0.25
    assert float(gan.generator_optimizer.learning_rate) == 0.5
    assert type(gan.discriminator_optimizer).__name__ == "RMSprop"  # The paper's still.


def test_targets_of_the_labels():
    for flag in ("--label_smoothing=0.25", "--real_target=0.75"):
        gan = make(*_with_info(command_line.run_of(asked("--dataset=ring", flag))))
        assert (gan.objective.real_target, gan.objective.fake_target) == (0.75, 0.0)
    flags = ["--dataset=ring", "--objective=kl", "--generator_loss=exact", "--units=4"]
    gan = make(*_with_info(command_line.run_of(asked(*flags))))
    assert gan.objective.generator == "exact" and gan.objective.divergence.name == "kl"


def _with_info(found):
    settings, details = found
    return settings, RING, details


def test_an_optimizer_of_both_and_of_an_autoencoder():
    _, details = command_line.run_of(asked("--optimizer=adam:0.5"))
    adam = {"Adam": {"learning_rate": 0.5}}
    assert details.compile == {"generator_optimizer": adam, "discriminator_optimizer": adam}
    _, details = command_line.run_of(asked("--optimizer=adam:0.5", "--trainer=vae"))
    assert details.compile == {"optimizer": adam}
    _, details = command_line.run_of(asked("--discriminator_penalty=none"))
    assert details.compile == {"discriminator_penalties": []}


def test_flags_prevail_over_a_recipe():
    recipe = recipes.load("consensus_ring")
    given = asked("--learning_rate=0.5", "--weight=3", "--instance_noise=0.1", "--epochs=1")
    settings, details = command_line.run_of(given, recipe.settings, recipe.details)
    same = {"epochs": recipe.settings.epochs, "learning_rate": None}
    assert dataclasses.replace(settings, **same) == recipe.settings
    gan = make(settings, RING, details)
    assert gan.weight == 3.0 and gan.ema_decay == 0.999
    (noise,) = gan.perturbations
    assert noise.scale == 0.1  # In the place of the recipe's, which decays.
    for optimizer in gan.optimizers:  # In the place of a schedule; the rest of Adam stays.
        assert float(optimizer.learning_rate) == 0.5 and optimizer.beta_1 == 0.5
    assert recipes.load("consensus_ring") == recipe


def test_a_setting_prevails_over_a_detail_of_the_same_name(tmp_path):
    hinge = {"Hinge": {}}
    file = written(tmp_path, compile={"objective": hinge, "ema_decay": 0.25}, trainer={"seed": 3})
    recipe = recipes.load(file)
    given = asked("--objective=least_squares", "--ema_decay=0.75", "--seed=5")
    gan = make(*_with_info(command_line.run_of(given, recipe.settings, recipe.details)))
    assert type(gan.objective).__name__ == "LeastSquares"
    assert gan.ema_decay == 0.75 and gan.seed == 5


def test_what_a_recipe_says_already_changes_nothing():
    recipe = recipes.load("unrolled_ring")
    given = asked("--unroll_steps=3", "--batch_size=256", "--discriminator_units=96,96")
    assert command_line.run_of(given, recipe.settings, recipe.details) == (
        recipe.settings,
        recipe.details,
    )


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--steps=5", "--epochs=2"], "`--steps` stands in the place of `--epochs`"),
        (["--sample_every=2", "--sample_every_steps=5"], "`--sample_every_steps` stands in"),
        (["--label_smoothing=0.1", "--real_target=0.9"], "`--label_smoothing` stands in"),
        (["--score_every=2"], "`--score_every` would change nothing. Expected it with --score"),
        (["--score_samples=9"], "`--score_samples` would change nothing"),
        (["--data_dir=x"], "`--data_dir` would change nothing. Expected it with --dataset=tfds"),
        (["--skip_unreadable"], "`--skip_unreadable` would change nothing.*a folder of images"),
        (["--trainer=vae", "--ema_decay=0.5"], "`--ema_decay` would.*trainer of two players"),
        (["--trainer=vae", "--discriminator_penalty=r1"], "`--discriminator_penalty` would"),
        (["--trainer=vae", "--instance_noise=0.1"], "`--instance_noise` would change nothing"),
        (["--trainer=vae", "--clip=0.1"], "`--clip` would change nothing"),
        (["--learning_rate=1", "--optimizer=sgd:2"], "`--learning_rate` would take the place"),
        (["--discriminator_penalty=r3:1"], "`discriminator_penalty` is unknown.*did you mean"),
        (["--discriminator_penalty=r1:x"], "`discriminator_penalty` has an argument that is no"),
        (["--optimizer=adma"], "`optimizer` is unknown.*did you mean.*'adam'"),
        (["--instance_noise=a"], "`--instance_noise` is no strength"),
        (["--instance_noise=1:0"], "`--instance_noise` is no strength"),
        (["--instance_noise=-1"], "`scale` of InstanceNoise is out of range"),
        (["--label_flips=2"], "`scale` of LabelFlips is out of range"),
    ],
)
def test_flags_that_are_wrong_or_of_no_use(flags, message):
    with pytest.raises(ValueError, match=message):
        command_line.run_of(asked(*flags))


def test_integers_with_commas():
    assert asked("--units=8, 4")["units"] == (8, 4) and asked("--units=")["units"] == ()
    with pytest.raises(absl_flags.IllegalFlagValueError, match="units=a"):
        asked("--units=a")


def test_every_flag_can_be_given():
    """All that decides a run is read: nothing is defined and then forgotten."""
    values = {tuple: "1", int: "1", float: "0.5", str: "x", bool: "true"}
    argv = [f"--{name}={values[a.kind]}" for name, a in arguments.FLAGS.items()]
    assert set(asked(*argv)) == set(arguments.FLAGS)
    assert set(FLAGS) - set(arguments.FLAGS) == {
        *(field.name for field in dataclasses.fields(Settings)),
        *command_line.PENALTIES,
        *command_line.OPTIMIZERS,
        *command_line.PERTURBATIONS,
        "label_smoothing",
    }

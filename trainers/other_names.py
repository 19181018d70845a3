"""What people type for an objective, a divergence or an argument that has another name here."""

import keras

OBJECTIVES = {
    "wgan": "wasserstein",
    "wgan_gp": "wasserstein",
    "wgangp": "wasserstein",
    "w": "wasserstein",
    "lsgan": "least_squares",
    "ls": "least_squares",
    "mse": "least_squares",
    "ns": "non_saturating",
    "nsgan": "non_saturating",
    "bce": "non_saturating",
    "logistic": "non_saturating",
    "vanilla": "non_saturating",
    "mm": "minimax",
    "saturating": "minimax",
    "original": "minimax",
    "ragan": "relativistic_average",
    "rpgan": "relativistic_pairing",
    "r3gan": "relativistic_pairing",
    "js": "jensen_shannon",
    "jsd": "jensen_shannon",
    "tv": "total_variation",
    "chi2": "pearson",
    "chi_squared": "pearson",
    "hellinger": "squared_hellinger",
    "rkl": "reverse_kl",
    "forward_kl": "kl",
}
COMPILE = {
    "g_optimizer": "generator_optimizer",
    "g_opt": "generator_optimizer",
    "gen_optimizer": "generator_optimizer",
    "d_optimizer": "discriminator_optimizer",
    "d_opt": "discriminator_optimizer",
    "disc_optimizer": "discriminator_optimizer",
    "critic_optimizer": "discriminator_optimizer",
    "loss_fn": "objective",
    "losses": "objective",
}
# Arguments of Keras's `compile` for one model, and what two players have in their place.
OF_ONE_MODEL = {
    "loss": "objective=..., which says the losses of both players",
    "optimizer": "generator_optimizer=... and discriminator_optimizer=..., one for each player",
    "metrics": "fit(..., callbacks=[trainers.Score(...)]) with a measure of `evaluation`, which "
    "looks at samples; what the players' losses say is logged anyway",
}
OF_ONE_MODEL["weighted_metrics"] = OF_ONE_MODEL["metrics"]
OF_ONE_MODEL["loss_weights"] = "weights of the penalties, R1(weight=...) say"
# What Keras's `compile` takes first.
KERAS_OPTIMIZERS = {name.lower() for name in dir(keras.optimizers) if name[0].isupper()}
# Who means these wants a penalty, beside any objective.
PENALTIES = {
    "gp": "GradientPenalty",
    "gradient_penalty": "GradientPenalty",
    "wgan_gp": "GradientPenalty",
    "wgangp": "GradientPenalty",
    "r1": "R1",
    "r2": "R2",
}


def hint(name):
    """What is added where an objective is the name of a penalty or of an optimizer, else `""`."""
    if isinstance(name, keras.optimizers.Optimizer) or str(name).lower() in KERAS_OPTIMIZERS:
        return "; an optimizer is generator_optimizer=... and discriminator_optimizer=..."
    penalty = PENALTIES.get(str(name).lower().replace("-", "_"))
    if penalty is None:
        return ""
    return f"; a penalty is discriminator_penalties=trainers.penalties.{penalty}()"

"""What people type for an objective or a divergence that has another name here."""

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
# Who means these wants a penalty, beside any objective.
PENALTIES = {
    "gp": "GradientPenalty",
    "gradient_penalty": "GradientPenalty",
    "wgan_gp": "GradientPenalty",
    "wgangp": "GradientPenalty",
    "r1": "R1",
    "r2": "R2",
}


def penalty_hint(name):
    """`"; R1 is a penalty: ..."` where a name is one of a penalty, else `""`."""
    penalty = PENALTIES.get(str(name).lower().replace("-", "_"))
    if penalty is None:
        return ""
    return f"; a penalty is discriminator_penalties=trainers.penalties.{penalty}()"

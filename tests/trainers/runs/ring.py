"""A small recipe, as the file of one."""

import json

RING = {
    "description": "A small game on the ring.",
    "settings": {
        "dataset": "ring",
        "generator": "mlp",
        "latent_dim": 4,
        "epochs": 2,
        "batch_size": 20_000,
        "jit_compile": "false",
        "score": "modes",
        "score_samples": 500,
    },
    "generator": {"units": [8]},
    "discriminator": {"units": [8]},
    "compile": {"generator_optimizer": {"Adam": {"learning_rate": 0.001}}},
    "selection": "best",
    "measures": ["modes:400", "sliced_wasserstein"],
    "targets": [
        ["modes:400", "value", "at least", 8],
        ["sliced_wasserstein", "value", "at most", 100],
        ["modes:400", "high_quality", "at least", 0],
    ],
    "seeds": [1],
}


def written(tmp_path, **changes):
    """The path of a recipe's file."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**RING, **changes}))
    return str(path)

"""What an optimizer is asked before it moves a model's weights."""

import keras


def taken(argument, identifier):
    """The optimizer of a name, a config, or itself.

    Args:
        argument: The name of the argument, for the message.
        identifier: What was given.

    Raises:
        ValueError: If it is none of those.
    """
    try:
        optimizer = keras.optimizers.get(identifier)
    except (TypeError, ValueError, KeyError):
        optimizer = None
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"`{argument}` is no optimizer. Expected one of keras.optimizers, such as "
            f"keras.optimizers.Adam(0.0002), or its name. Received: {argument}={identifier!r}"
        )
    return optimizer


def check_met(argument, optimizer, model):
    """Raises a `ValueError` if an optimizer has been built for other weights than a model's.

    Args:
        argument: The name of the argument, for the message.
        optimizer: A Keras optimizer.
        model: The model that it shall move.
    """
    known = {id(variable) for variable in optimizer._trainable_variables}
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        known |= {id(variable) for variable in inner._trainable_variables}
    built = optimizer.built or getattr(inner, "built", False)
    strange = [v.path for v in model.trainable_variables if id(v) not in known]
    if built and strange:
        raise ValueError(
            f"`{argument}` has moved other weights before, and keeps their moments. Expected a new "
            f"optimizer, such as {type(optimizer).__name__}.from_config("
            f"{argument}.get_config()). Received: {argument}={optimizer.name!r}, built for "
            f"{len(known)} weights, of which {strange[0]!r} of {model.name!r} is none"
        )

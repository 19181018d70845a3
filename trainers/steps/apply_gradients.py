"""A player's move: one step of its optimizer, after all that the step read of its weights.

TensorFlow orders a read of a weight before a later write to it by an edge of the graph. Keras hands
all gradients through one `IdentityN`; Grappler takes that for a path from every forward read to
every write, drops the edges as redundant, then takes the `IdentityN` apart and the path with it
(TensorFlow 2.21). Where a weight's gradient does not depend on the weight, as a last kernel's under
the KL divergence, whose term of real samples is linear in the logit, a forward pass may then read
what the step has already written, and the gradient below that layer is wrong.
"""

import tensorflow as tf

from zoo import replicas


def together(gradients):
    """The same gradients, each of which is ready only when all are. `None` stays `None`."""
    present = [g for g in gradients if g is not None]
    with tf.control_dependencies(present):
        ready = tf.no_op()
    with tf.control_dependencies([ready]):
        return [None if g is None else tf.identity(g) for g in gradients]


def apply(optimizer, gradients, variables):
    """The optimizer's step on this replica's gradients, which are averaged over the replicas."""
    optimizer.apply(together(replicas.shared(gradients)), variables)

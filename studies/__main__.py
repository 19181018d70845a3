"""The studies: every figure and table that the zoo regenerates.

  python -m studies                  # each with a line, what has been made of it, and its seconds
  python -m studies --run=quick      # makes all that have not been made; --run=full at length
  python -m studies game_dynamics --quick        # of those that are named; --full likewise
  python -m studies --publish        # their pages, docs/studies, from what has been made

One by itself is python -m studies.NAME, which has a --help.
"""

import importlib
import pathlib
import sys

from absl import flags

from studies import pages, study
from zoo import command
from zoo.validation import nearest

FLAGS = flags.FlagValues()
flags.DEFINE_enum("run", None, ["quick", "full"], "Make them.", flag_values=FLAGS)
flags.DEFINE_bool("quick", False, "As --run=quick.", flag_values=FLAGS)
flags.DEFINE_bool("full", False, "As --run=full.", flag_values=FLAGS)
flags.DEFINE_bool("publish", False, "Write their pages.", flag_values=FLAGS)
flags.DEFINE_string("docs", "docs", "Folder of the pages.", flag_values=FLAGS)


def chosen(given):
    """The names that are asked for: all, or those given.

    Raises:
        ValueError: If one is no study.
    """
    known = pages.names()
    for name in given:
        if name not in known:
            raise ValueError(
                f"This study is unknown. Expected some of {', '.join(known)}"
                f"{nearest(name, known)}. Received: {name}"
            )
    return given or known


def mode():
    """`"quick"`, `"full"` or `None`, by whichever flag says it.

    Raises:
        ValueError: If flags say different things.
    """
    said = {FLAGS.run, "quick" if FLAGS.quick else None, "full" if FLAGS.full else None} - {None}
    if len(said) > 1:
        raise ValueError(
            "`--run`, `--quick` and `--full` contradict each other. Expected one of them. "
            f"Received: --run={FLAGS.run} --quick={FLAGS.quick} --full={FLAGS.full}"
        )
    return next(iter(said), None)


def main(arguments):
    names, failed, asked = chosen(arguments), [], mode()
    for name in names if asked else ():
        module = importlib.import_module(f"studies.{name}")
        try:
            findings = study.make(module.STUDY, asked == "full")
            failed += [name] * any(finding.holds is False for finding in findings)
        except command.USER_ERRORS as error:  # One without its data does not stop the others.
            failed.append(name)
            print(f"{name}: {error}", file=sys.stderr, flush=True)
    if FLAGS.publish:
        pages.publish(pathlib.Path(FLAGS.docs), names)
        failed += [name for name in arguments if pages.made(name) is None]
    for name in names:
        print(f"{name:25}{pages.state(name):32}{pages.title(name)}")
    return int(bool(failed))


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)

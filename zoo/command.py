"""How every command runs: its help, one-line errors, quiet TensorFlow, exit codes."""

import contextlib
import os
import sys
import tempfile
import textwrap

from absl import flags

from zoo.validation import nearest

USER_ERRORS = (ValueError, OSError, ImportError)
HELP = {"--help", "-help", "-h", "--helpshort", "--helpfull"}


def run(main, doc, flag_values=flags.FLAGS, argv=None):
    """Runs a command and leaves Python with its exit status.

    Write a `__main__.py` like this; the doc is the module's own docstring, a usage line with an
    example first:

    ```python
    FLAGS = flags.FlagValues()
    flags.DEFINE_integer("count", 64, "Number of samples.", lower_bound=1, flag_values=FLAGS)

    def main(arguments):
        ...

    if __name__ == "__main__":
        command.run(main, __doc__, FLAGS)
    ```

    `--help` prints the doc and the flags that the module of `main` defines, and no others.
    An unknown flag names the nearest. A `ValueError`, `OSError` or `ImportError` is the user's:
    it becomes the line `error: ...`. Anything else is ours and keeps its traceback.

    Exit status: 0, or what `main` returns; 2 for a user's error; 130 for Ctrl-C.

    Args:
        main: Function of the list of arguments that are not flags. It finds TensorFlow imported,
            without the messages that TensorFlow prints when it starts.
        doc: The text of `--help`, above the flags.
        flag_values: The absl flags of the command: its own `flags.FlagValues()`, or the global
            `flags.FLAGS`.
        argv: The command line. Defaults to `sys.argv`.
    """
    argv = list(sys.argv if argv is None else argv)
    own = _own_flags(main, flag_values)
    try:
        if HELP & set(argv[1:]):
            print(_help(doc, own))
            sys.exit(0)
        arguments = _parse(argv, flag_values, own)
        import_tensorflow()
        sys.exit(main(arguments))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except USER_ERRORS as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


def choose(arguments, commands):
    """The function of a command with subcommands: `choose(["sample"], {"sample": sample})`.

    Raises:
        ValueError: If there is not exactly one argument, or it is no subcommand.
    """
    if len(arguments) != 1 or arguments[0] not in commands:
        hint = nearest(arguments[0], commands) if arguments else ""
        raise ValueError(
            f"Unknown command. Expected one of {sorted(commands)}{hint}; --help says more. "
            f"Received: {' '.join(arguments) or 'nothing'}"
        )
    return commands[arguments[0]]


def no_arguments(arguments):
    """Raises a `ValueError` if a command that takes only flags was given something else."""
    if arguments:
        raise ValueError(
            f"This command takes flags only. Expected --name=value; --help lists them. "
            f"Received: {' '.join(arguments)}"
        )


def _own_flags(main, flag_values):
    """The flags that the module of `main` defines. absl knows a script by its path."""
    module = sys.argv[0] if main.__module__ == "__main__" else main.__module__
    return flag_values.get_key_flags_for_module(module)


def _parse(argv, flag_values, own):
    flag_values.set_gnu_getopt(True)  # Flags may follow the name of a subcommand.
    try:
        return flag_values(argv)[1:]
    except flags.UnrecognizedFlagError as error:
        hint = nearest(error.flagname, [flag.name for flag in own])
        raise ValueError(
            f"Unknown flag --{error.flagname}{hint}. Expected one of "
            f"{', '.join('--' + flag.name for flag in own)}; --help says more."
        ) from error
    except flags.Error as error:
        raise ValueError(f"{str(error).rstrip('.')}. --help says what the flags mean.") from error


def _help(doc, own):
    lines = [doc.strip(), "", "Flags:"]
    for flag in own:
        name = f"--[no]{flag.name}" if flag.boolean else f"--{flag.name}"
        default = str(flag.default).lower() if flag.boolean else flag.default
        lines.append(f"  {name}" if default is None else f"  {name} (default: {default})")
        lines += textwrap.wrap(flag.help, 88, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def import_tensorflow():
    """Imports TensorFlow and lets it look for devices, without what it says while it does.

    It writes those lines to the file descriptor before any of its own settings apply, so they are
    hidden there. A user who asks for them with `TF_CPP_MIN_LOG_LEVEL=0` or 1 gets to see them.
    """
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" in sys.modules or level in ("0", "1"):
        return
    with _hidden_stderr():
        import tensorflow as tf

        tf.config.list_physical_devices()
        tf.get_logger().setLevel("WARNING")


@contextlib.contextmanager
def _hidden_stderr():
    """Keeps what is written to stderr, by C++ too, and shows it only if the block fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                hidden.seek(0)
                sys.stderr.write(hidden.read().decode(errors="replace"))


if sys.argv[:1] == ["-m"]:  # Python is still importing the package of `python -m package`.
    try:
        import_tensorflow()
    except KeyboardInterrupt:
        sys.exit(130)

"""How every command runs: its help, one-line errors, quiet TensorFlow, exit codes."""

import contextlib
import glob
import os
import re
import select
import signal
import sys
import tempfile
import textwrap

from absl import flags

from zoo.validation import nearest

ACCELERATORS = ("/dev/nvidia*", "/dev/dxg", "/dev/accel*", "/dev/vfio/*")
USER_ERRORS = (ValueError, OSError, ImportError)
VALUE_RANGE = (
    "The numbers of the generator's pictures: LOW,HIGH, such as -1,1; 'none' where its samples are "
    "no pictures; 'auto' for what is seen in its last layers."
)
_received = {}  # The signal that ends a command.
WIDTH = 80  # Columns of a help.
HELP = {"--help", "-help", "-h", "--helpshort", "--helpfull"}


def parse_range(text):
    """The `value_range` that a flag gives: `"-1,1"`, `"none"` or `"auto"`.

    Raises:
        ValueError: If it is none of these.
    """
    if text in ("auto", "none"):
        return None if text == "none" else text
    try:
        low, high = (float(end) for end in text.split(","))
    except ValueError:
        raise ValueError(
            "`--value_range` is no range. Expected --value_range=LOW,HIGH, 'none' or 'auto'. "
            f"Received: --value_range={text}"
        ) from None
    return low, high


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

    `--help` prints the doc and the flags of `flag_values` (of the global ones those that the module
    of `main` defines), in lines of 80 columns.
    An unknown flag names the nearest. A `ValueError`, `OSError` or `ImportError` is the user's:
    it becomes the line `error: ...`. Anything else is ours and keeps its traceback. Ctrl-C becomes
    the line `interrupted`, followed by what the `KeyboardInterrupt` says.

    Exit status: 0, or what `main` returns; 2 for a user's error; 130 for Ctrl-C, and 128 and its
    number for another signal that `stop_politely` was told of.

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
    except KeyboardInterrupt as interrupt:
        print(": ".join(filter(None, ["interrupted", str(interrupt)])), file=sys.stderr)
        sys.exit(128 + _received.get("signal", signal.SIGINT))
    except USER_ERRORS as error:
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            sys.exit(128 + signal.SIGPIPE)
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


def _reader_is_gone():
    """Whether nobody reads what is printed any more, as after `| head`; then nothing is printed."""
    try:
        out = sys.stdout.fileno()
    except (OSError, ValueError):  # Not a file, but a test's or a notebook's.
        return False
    poll = select.poll()
    poll.register(out, 0)
    gone = any(event & select.POLLERR for _, event in poll.poll(0))
    if gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out)
    return gone


def stop_politely(*signals):
    """Makes these signals what Ctrl-C is: a `KeyboardInterrupt`, on which a command saves."""

    def interrupt(number, frame):
        _received["signal"] = number
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, interrupt)


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


def check_flags(flag_values, takes, name):
    """Raises a `ValueError` if a flag was given that belongs to other subcommands only.

    Args:
        flag_values: The flags of the command.
        takes: `{subcommand: names of its flags}`.
        name: The subcommand that was asked for.
    """
    own = takes[name]
    for flag in flag_values:
        if flag_values[flag].present and flag not in own:
            owners = [other for other, flags_of in takes.items() if flag in flags_of]
            wanted = f"one of {', '.join('--' + flag for flag in own)}" if own else "none"
            raise ValueError(
                f"`--{flag}` is not a flag of `{name}`. Expected {wanted}; it belongs to "
                f"{', '.join(owners)}. Received: --{flag}"
            )


def no_arguments(arguments):
    """Raises a `ValueError` if a command that takes only flags was given something else."""
    if arguments:
        raise ValueError(
            f"This command takes flags only. Expected --name=value; --help lists them. "
            f"Received: {' '.join(arguments)}"
        )


def _own_flags(main, flag_values):
    """The flags of a command. Of the global ones absl knows a script's by its path."""
    if flag_values is not flags.FLAGS:
        return [flag_values[name] for name in flag_values]
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
        wanted = _wanted(str(error), own)
        raise ValueError(
            f"{str(error).rstrip('.')}.{wanted} --help says what the flags mean."
        ) from error


def _wanted(said, own):
    """What the flag takes that absl says something of, as a sentence; `""` where it is not seen."""
    found = re.match(r"flag --(\w+)=", said)
    flags_of_it = [flag for flag in own if found is not None and flag.name == found[1]]
    if not flags_of_it:
        return ""
    (flag,) = flags_of_it
    choices = getattr(flag.parser, "enum_values", None)
    kind = "true or false" if flag.boolean else flag.parser.syntactic_help
    kind = f"one of {', '.join(choices)}" if choices else kind
    return f" Expected {kind}." if kind else ""


def _help(doc, own):
    lines = [*_doc_lines(doc), "", "Flags:"]
    for flag in own:
        name = f"--[no]{flag.name}" if flag.boolean else f"--{flag.name}"
        default = str(flag.default).lower() if flag.boolean else flag.default
        unset = flag.default is None
        lines.append(f"  {name}" if unset else f"  {name} (default: {default})")
        lines += _wrapped(_meaning(flag), " " * 6)
    return "\n".join(lines)


def _meaning(flag):
    """The help of a flag as it was written, and what can be chosen in words that can be wrapped."""
    if isinstance(flag, flags.EnumFlag):
        return f"{flag.help.partition('>: ')[2]} One of {', '.join(flag.parser.enum_values)}."
    return re.split(r";\s+repeat this option", flag.help)[0]  # absl's remark on a flag of a list.


def _wrapped(text, indent="", further=None):
    """The lines of a text, at most `WIDTH` long where no word is longer; words stay whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _doc_lines(doc):
    """A doc in lines of `WIDTH`: prose is filled anew, indented examples go on after a backslash.

    A table of names and what they mean, two spaces apart, goes on below its second column.
    """
    lines = []
    for paragraph in doc.strip().split("\n\n"):
        rows = paragraph.split("\n")
        if lines:
            lines.append("")
        if not any(row.startswith(" ") or "  " in row for row in rows):
            lines += _wrapped(" ".join(rows))
            continue
        for row in rows:
            lines += _row_lines(row)
    return lines


def _row_lines(row):
    """An example or a row of a table, in lines of `WIDTH`."""
    if len(row) <= WIDTH:
        return [row]
    if row.startswith(" "):
        first, *rest = textwrap.wrap(
            row.strip(), WIDTH - 8, break_long_words=False, break_on_hyphens=False
        )
        whole = [f"  {first}", *(f"      {line}" for line in rest)]
        return [f"{line} \\" for line in whole[:-1]] + whole[-1:]
    column = len(row) - len(row.partition("  ")[2].lstrip())
    return _wrapped(row[column:], row[:column], " " * column)


def import_tensorflow(look=True):
    """Imports TensorFlow and lets it look for devices, without what it says while it does.

    It writes those lines to the file descriptor before any of its own settings apply, so they are
    hidden there. A user who asks for them with `TF_CPP_MIN_LOG_LEVEL=0` or 1 gets to see them, and
    where TensorFlow was imported before, everything stays as it is.

    Args:
        look: bool. Whether to look for devices now, which starts CUDA where there is a GPU.
    """
    if "tensorflow" in sys.modules:
        return
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") in ("0", "1"):
        return
    with _hidden_stderr():
        import tensorflow as tf

        if look:
            tf.config.list_physical_devices()
        tf.get_logger().setLevel("WARNING")


@contextlib.contextmanager
def _hidden_stderr():
    """Keeps what is written to stderr, by C++ too, and shows it only if the block fails."""
    try:
        sys.stderr.flush()
        stderr = os.dup(2)
    except (AttributeError, OSError):  # A program without one.
        yield
        return
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


try:
    # In `python -m package` the package is still being imported. A program of the user's may fork,
    # and a child cannot use CUDA that was started before: then TensorFlow looks when it is used.
    # Without a GPU nothing starts, and it would only complain later.
    import_tensorflow(look=sys.argv[:1] == ["-m"] or not any(map(glob.glob, ACCELERATORS)))
except KeyboardInterrupt:
    if sys.argv[:1] != ["-m"]:
        raise
    sys.exit(130)

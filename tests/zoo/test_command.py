"""What every command shares: flags, help, errors in one line, exit codes, quiet TensorFlow."""

import os
import subprocess
import sys

import pytest
from absl import flags

from zoo import command

FLAGS = flags.FlagValues()


flags.DEFINE_integer("count", 64, "How many.", lower_bound=1, flag_values=FLAGS)


flags.DEFINE_boolean("quick", False, "In a hurry.", flag_values=FLAGS)


flags.DEFINE_string("output", None, "Where to.", flag_values=FLAGS)


def run(main, *arguments):
    main.__module__ = __name__
    FLAGS.unparse_flags()
    with pytest.raises(SystemExit) as stop:
        command.run(
            main, "Usage: python -m test\n\n  python -m test --count=1", FLAGS, ["t", *arguments]
        )
    return stop.value.code


def test_a_reader_that_has_gone_is_no_error(tmp_path, capsys):
    """As of `| head`; a connection that broke still is one."""
    script = tmp_path / "talk.py"
    script.write_text(
        "from absl import flags\nfrom zoo import command\n"
        "def main(arguments):\n    while True:\n        print('a line', flush=True)\n"
        "command.run(main, 'Usage: talk', flags.FlagValues())\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, script], env=environment, **pipes) as process:
        assert process.stdout.readline() == b"a line\n"
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 141 and said == b""

    def broken(arguments):
        raise BrokenPipeError(32, "Broken pipe")

    assert run(broken) == 2 and "Broken pipe" in capsys.readouterr().err


def test_flags_and_arguments_arrive(capsys):
    seen = []
    assert run(lambda arguments: seen.append((arguments, FLAGS.count, FLAGS.quick))) is None
    assert (
        run(lambda a: seen.append((a, FLAGS.count, FLAGS.quick)), "do", "--count=3", "--quick")
        is None
    )
    assert seen == [([], 64, False), (["do"], 3, True)]
    assert run(lambda arguments: 1) == 1
    FLAGS["count"].value, FLAGS["quick"].value = 64, False


@pytest.mark.parametrize("flag", ["--help", "-h", "--helpfull"])
def test_help_shows_this_commands_flags_only(capsys, flag):
    assert run(lambda arguments: pytest.fail("ran"), "do", flag) == 0
    assert capsys.readouterr().out == (
        "Usage: python -m test\n\n  python -m test --count=1\n\nFlags:\n"
        "  --count (default: 64)\n      How many.\n"
        "  --[no]quick (default: false)\n      In a hurry.\n"
        "  --output\n      Where to.\n"
    )


def test_help_in_80_columns_with_whole_words():
    """Prose and tables are filled anew, examples go on after a backslash, choices are words."""
    other, choices = flags.FlagValues(), [f"a_choice_of_many_{i}" for i in range(9)]
    flags.DEFINE_enum("kind", None, choices, "Which.", flag_values=other)
    flags.DEFINE_multi_string("term", None, "Terms.", flag_values=other)
    flags.DEFINE_boolean("unset", None, "Neither.", flag_values=other)
    row = "name      " + "what it means, well-known, " * 5
    doc = "Usage: " + "a-hyphenated-word " * 9 + "\n\n  python -m test " + "--flag=value " * 9
    text = command._help(f"{doc}\n\n{row}", [other[name] for name in ("kind", "term", "unset")])
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80 and not [line for line in lines if line != line.rstrip()]
    words = text.split()
    assert words.count("a-hyphenated-word") == 9 and words.count("--flag=value") == 9
    assert words.count("well-known,") == 5 and all(f"{c}," in words for c in choices[:-1])
    example = [line for line in lines if "--flag" in line]
    assert all(line.endswith(" \\") for line in example[:-1]) and example[0].startswith("  python")
    assert "  --[no]unset\n      Neither." in text and "Terms.\n" in text
    assert "repeat" not in text and "<" not in text


@pytest.mark.parametrize(
    "argument, message",
    [
        (
            "--cuont=3",
            "Unknown flag --cuont; did you mean 'count'. Expected one of --count, --qui",
        ),
        ("--zzz", "Unknown flag --zzz. Expected one of --count, --quick, --output; --help says"),
        (
            "--count=many",
            "flag --count=many: invalid literal for int() with base 10: 'many'. Expected a "
            "positive integer. --help",
        ),
        (
            "--count=0",
            "flag --count=0: 0 is not a positive integer. Expected a positive integer. --help",
        ),
        (
            "--quick=maybe",
            "flag --quick=maybe: ('Non-boolean argument to boolean flag', 'maybe'). "
            "Expected true or false. --help",
        ),
    ],
)
def test_wrong_flags(capsys, argument, message):
    assert run(lambda arguments: pytest.fail("ran"), argument) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: " + message) and err.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError, FileNotFoundError, ImportError])
def test_errors_of_users(capsys, error):
    def main(arguments):
        raise error("What is wrong.\n  Received:   x=1")

    assert run(main) == 2
    assert capsys.readouterr().err == "error: What is wrong. Received: x=1\n"


def test_errors_of_ours_keep_their_traceback():
    def main(arguments):
        raise KeyError("a bug")

    main.__module__ = __name__
    with pytest.raises(KeyError, match="a bug"):
        command.run(main, "Usage: ...", FLAGS, ["t"])


def test_interrupt(capsys):
    def main(arguments):
        raise KeyboardInterrupt

    assert run(main) == 130
    assert capsys.readouterr().err == "interrupted\n"

    def saved(arguments):
        raise KeyboardInterrupt("the same command goes on")

    assert run(saved) == 130
    assert capsys.readouterr().err == "interrupted: the same command goes on\n"


def test_subcommands():
    commands = {"sample": "draws", "list": "lists"}
    assert command.choose(["list"], commands) == "lists"
    with pytest.raises(ValueError, match="Expected one of .*did you mean 'sample'.*Received: smpl"):
        command.choose(["smpl"], commands)
    with pytest.raises(ValueError, match="Unknown command.* Received: nothing"):
        command.choose([], commands)
    command.no_arguments([])
    with pytest.raises(ValueError, match="flags only. Expected --name=value.* Received: a b"):
        command.no_arguments(["a", "b"])


def test_hidden_stderr(capfd):
    with command._hidden_stderr():
        os.write(2, b"noise of C++\n")
    with pytest.raises(RuntimeError), command._hidden_stderr():
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert capfd.readouterr().err == "the reason\n"


def test_a_value_range_of_a_flag():
    assert command.parse_range("-1,1") == (-1.0, 1.0) and command.parse_range("0,255") == (0, 255)
    assert command.parse_range("none") is None and command.parse_range("auto") == "auto"
    for text in ("1", "a,b", "1,2,3", ""):
        with pytest.raises(ValueError, match=f"`--value_range` is no range.*value_range={text}"):
            command.parse_range(text)

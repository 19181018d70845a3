"""What tests of the command share."""

import signal

import pytest

import trainers.__main__ as trainers_main
from zoo import command

SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.fixture
def in_process(tmp_path, monkeypatch, capsys):
    """A function that runs the command here, and gives its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    FLAGS = trainers_main.FLAGS

    def run(*arguments):
        FLAGS.unparse_flags()
        for name in FLAGS:
            FLAGS[name].value, FLAGS[name].present = FLAGS[name].default, 0
        with pytest.raises(SystemExit) as stop:
            command.run(trainers_main.main, trainers_main.__doc__, FLAGS, ["t", *arguments])
        return stop.value.code, *capsys.readouterr()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)

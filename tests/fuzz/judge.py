"""What a fuzzed case comes to: it is right, or refused in the library's own words."""

import faulthandler
import pathlib
import resource
import signal
import warnings

ROOT = pathlib.Path(__file__).parents[2]
ROOMS = tuple(str(ROOT / room) for room in ("gan_zoo", "zoo", "trainers", "evaluation", "export"))
REFUSALS = (ValueError, TypeError, FileNotFoundError)
SECONDS, GIBIBYTE = 20, 1 << 30  # Of one case.
ROOM = 8 * GIBIBYTE  # What a process may take beyond what it has: none takes the machine's all.


def limit_memory():
    """Keeps this process from the machine's last gibibytes, whatever a case asks for."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


class Fault(AssertionError):
    """A case that is neither right nor refused."""


def outcome(function, /, *args, **kwargs):
    """`("right", result)`, or `("refused", message)`.

    Raises:
        Fault: If it raises what is no refusal of the library's, takes too long or a gibibyte.
    """
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(4 * SECONDS, exit=True)  # What never comes back to Python.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A warning is said, and no refusal.
            found = "right", function(*args, **kwargs)
    except Fault:
        raise
    except REFUSALS as error:
        check_refusal(error)
        found = "refused", str(error)
    except BaseException as error:
        raise Fault(f"{type(error).__name__} from the depths: {str(error)[:300]}") from error
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    if grown > GIBIBYTE:
        raise Fault(f"it took {grown / GIBIBYTE:.1f} GiB, and is {found[0]}")
    return found


def check_refusal(error):
    """Raises a `Fault` unless an error is the library's own, and says what was expected."""
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    place = last.tb_frame.f_code.co_filename
    if not place.startswith(ROOMS):
        raise Fault(
            f"{type(error).__name__} from the depths, {place}:{last.tb_lineno}: {str(error)[:300]}"
        ) from error
    if "Expected" not in str(error):
        raise Fault(f"a refusal that does not say what is expected: {str(error)[:300]}") from error


def _too_long(number, frame):
    raise Fault(f"it takes more than {SECONDS} s")

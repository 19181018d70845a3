"""One peer in a process of its own, which takes as many steps as it is told and says how long.

Reads lines of JSON: first a cell, then numbers of steps; answers each with a line of JSON.
"""

import importlib
import json
import resource
import sys
import time


def main():
    start = time.perf_counter()
    cell = json.loads(sys.stdin.readline())
    run = importlib.import_module(cell["peer"]).make(cell)
    losses = run(1)
    _say(first_step=time.perf_counter() - start, losses=losses)
    for line in sys.stdin:
        steps = int(line)
        start = time.perf_counter()
        losses = run(steps)
        seconds = (time.perf_counter() - start) / steps
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _say(seconds=seconds, peak_mib=peak, losses=losses)


def _say(**found):
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

"""A study of no work, for tests of what every study has."""

from studies import tables
from studies.study import Finding, Study


def toy_study(calls, holds=True):
    """One part, or three in full, that say when they are made."""

    def parts(full, seed):
        for k in range(3 if full else 1):
            yield f"part_{k}", lambda k=k: calls.append(k) or {"value": 10 * seed + k}

    def report(results, directory):
        (directory / "figure.png").write_bytes(b"PNG")
        tables.write(directory / "by_part", [["part", "value"], ["first", "0.25"]])
        for name, result in results.items():
            yield Finding(name, "less than 9", str(result["value"]), holds)

    return Study("toy", parts, report)

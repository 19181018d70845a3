"""The page's modules as one script: what each imports comes before it.

A page that was opened from a disk cannot import files. Its modules are written so that they can be
joined: imports are of `./NAME.mjs` by name, at the beginning of a line, and what is exported says
so where it is declared. Names of one module are thus names of all, and are used once.
"""

import re

IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.mjs)";\n', re.MULTILINE)
NAME = re.compile(r"^(?:async )?(?:function\*?|class|const|let) +(\w+)", re.MULTILINE)


def joined(folder, first):
    """The module `first` of a folder, behind all that it needs.

    Raises:
        ValueError: If modules go round in a circle, or two have a name in common.
    """
    texts, owners = {}, {}

    def take(name, above):
        if name in above:
            raise ValueError(
                "`folder` has modules that import each other in a circle. Expected arrows one way. "
                f"Received: {', '.join(above)}, {name}"
            )
        if name in texts:
            return
        text = (folder / name).read_text()
        for _, needed in IMPORT.findall(text):
            take(needed, (*above, name))
        text = re.sub(r"^export ", "", IMPORT.sub("", text), flags=re.MULTILINE)
        for own in NAME.findall(text):
            if own in owners:
                raise ValueError(
                    "`folder` has modules that use a name twice. Expected each once on top. "
                    f"Received: {own} in {name} and in {owners[own]}"
                )
            owners[own] = name
        texts[name] = text

    take(first, ())
    return "\n".join(texts.values())

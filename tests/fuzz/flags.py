"""The flags of the four commands, and what is wrong for each."""

from absl import flags as absl_flags

import evaluation.__main__ as evaluation_command
import export.__main__ as export_command
import trainers.__main__ as trainers_command
import zoo.__main__ as zoo_command

COMMANDS = {
    "trainers": trainers_command.FLAGS,
    "evaluation": evaluation_command.FLAGS,
    "export": export_command.FLAGS,
    "zoo": zoo_command.FLAGS,
}
WRONG = {
    absl_flags.IntegerParser: ("x", "1.5", "", "nan", "1e3", "0x", "--"),
    absl_flags.FloatParser: ("x", "", "1,5", "1e", "--"),
    absl_flags.BooleanParser: ("x", "2", "yess", ""),
    absl_flags.EnumParser: ("", "x", "zzz"),
}


def wrong():
    """`(command, flag, value)` of every flag whose parser can tell a wrong value."""
    for command, values in COMMANDS.items():
        for name in values:
            parser = values[name].parser
            kinds = [kind for kind in WRONG if isinstance(parser, kind)]
            texts = WRONG[kinds[0]] if kinds else ()
            if isinstance(parser, absl_flags.IntegerParser) and parser.lower_bound is not None:
                texts += (str(parser.lower_bound - 1),)
            if type(parser).__name__ == "_Integers":
                texts = ("x", "1,x", "1.5", "1;2")
            for text in texts:
                yield command, name, text

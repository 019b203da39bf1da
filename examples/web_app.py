"""A book behind a web app of your own: one question at a time, and only the book's own photos.

python examples/web_app.py        (flask --app examples/web_app.py run serves it)
"""

import tempfile
import threading
from pathlib import Path

from flask import Flask, abort, request, send_file

from rememberai import RememberAI

folder = tempfile.TemporaryDirectory()
book = RememberAI.create(Path(folder.name) / "family.memories")
book.add_folder(Path(__file__).parent / "sample_album" / "year")

app = Flask(__name__)
turn = threading.Lock()  # Flask answers in several threads


@app.get("/search")
def search():
    with turn:
        hits = book.search(request.args["q"], k=3)
    return [{"photo": f"/photo/{hit.photo_id}", "text": hit.text} for hit in hits]


@app.get("/photo/<photo_id>")
def photo(photo_id):
    row = book.store.read_rows([photo_id]).get(photo_id) or abort(404)
    return send_file(row["path"])


if __name__ == "__main__":
    client = app.test_client()
    found = client.get("/search", query_string={"q": "three tiers of cake"}).json
    print(found[0]["text"])
    print(client.get(found[0]["photo"]).content_type)
    print(client.get("/photo/..%2Fpasswd").status)

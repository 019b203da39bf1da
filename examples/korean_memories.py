"""Memories in Korean and in English in one vector space; words alone, the photos live elsewhere.

python examples/korean_memories.py
"""

import tempfile
from pathlib import Path

from rememberai import Album, RememberAI

MEMORIES = [
    "졸업식에서 친구들과 학사모를 던졌다",
    "할머니 생신에 케이크 촛불을 다 같이 불었다",
    "바닷가에서 모래성을 쌓고 수영을 했다",
    "Our first concert: we sang along to every song",
    "설악산 정상까지 올라가는 데 다섯 시간이 걸렸다",
]
SEEDS = {
    "graduation": ["the graduation ceremony at the university", "학위를 받은 날", "졸업 사진"],
    "birthday": ["blowing out the candles on a birthday cake", "생일 파티", "생일 선물을 받았다"],
    "beach": ["swimming in the sea", "해변에서 보낸 하루", "모래사장에서 놀았다"],
    "hiking": ["we climbed a mountain", "등산을 했다", "산 정상에서 본 풍경"],
}

with tempfile.TemporaryDirectory() as folder:
    book = RememberAI.create(Path(folder) / "korean.memories", embedder="use-multilingual")
    book.add_album(Album.from_texts(MEMORIES, name="지난 몇 해"))

    for query in ("a birthday party", "여름 바다", "school is over"):
        best = book.search(query, k=1)[0]
        print(f"{query} -> {best.text} ({best.distance:.2f})")

    book.learn_events(SEEDS)
    print(book.assign(["학사모를 쓴 우리 딸", "졸업장을 들고 가족 사진을 찍었다"]))

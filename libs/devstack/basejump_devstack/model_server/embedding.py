"""Embeddings without a model: texts that share words are near each other, always in the same way, and those
that a script calls alike."""

import base64
import math
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from basejump_devstack.model_server import tokens
from basejump_devstack.model_server.wire import decode, encode

_WORD = re.compile(r"\w+")


class _Request(msgspec.Struct):
    model: str
    input: str | list[int | str | list[int]]
    dimensions: Annotated[int, Meta(ge=1, le=3072)] = 1536
    encoding_format: Literal["float", "base64"] = "float"


def embeddings(body: bytes, alike: Sequence[Sequence[str]] = ()) -> bytes:
    """The body that answers OpenAI's `POST /v1/embeddings`; texts of one list of `alike` have one embedding. Raises
    BadRequest."""
    same = {text: texts[0] for texts in alike for text in texts}
    request = decode(body, _Request)
    texts = _texts(request.input)
    vectors = [embedded(same.get(text, text), request.dimensions) for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": _written(vector, request.encoding_format)}
        for index, vector in enumerate(vectors)
    ]
    count = sum(map(tokens.count, texts))
    usage = {"prompt_tokens": count, "total_tokens": count}
    return encode({"object": "list", "model": request.model, "data": data, "usage": usage})


def embedded(text: str, dimensions: int) -> list[float]:
    """A unit vector: each word adds or takes one at the place that its checksum says."""
    vector = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [text]:
        checksum = zlib.crc32(word.encode())
        vector[(checksum >> 1) % dimensions] += 1 if checksum & 1 else -1
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def _texts(given: str | list[int | str | list[int]]) -> list[str]:
    """Texts, and tokens as clients make them from texts, written out."""
    if isinstance(given, str):
        return [given]
    if given and all(isinstance(each, int) for each in given):
        return [" ".join(map(str, given))]
    return [" ".join(map(str, each)) if isinstance(each, list) else str(each) for each in given]


def _written(vector: list[float], encoding: str) -> list[float] | str:
    if encoding == "float":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

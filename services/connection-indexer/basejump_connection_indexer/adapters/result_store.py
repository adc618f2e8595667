"""Rows of results as Parquet files in an object store: a local folder, S3, GCS or Azure, or a client's own bucket."""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import unquote, urlparse
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, from_url

from basejump_common.errors import StorageAway

PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part of a larger object (docs of CompleteMultipartUpload)."""

AHEAD_BYTES = 2 * 1024 * 1024
"""What is fetched at once from a store over the network, where less was asked for."""

_KEY = re.compile(
    r"[0-9a-f-]{36}/(?:(?P<run>[0-9a-f-]{36})-[0-9]+(?P<copy>-[0-9a-f]{12})?\.parquet|probe-[0-9a-f-]{36})"
)
_RETRY_AFTER = 5.0
_ABORT_SECONDS = 5.0


@contextmanager
def told() -> Iterator[None]:
    """What the store raises, as StorageAway; FileNotFoundError stays for an object that isn't there."""
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise _away("its bucket is gone") from error
        raise
    except (PermissionError, PermissionDeniedError, UnauthenticatedError) as error:
        raise _away("it refuses us") from error
    except (BaseError, OSError) as error:
        raise _away("it doesn't answer as it should") from error


@contextmanager
def told_of_writing() -> Iterator[None]:
    """As `told`; what isn't there when something is written is the place itself."""
    try:
        with told():
            yield
    except FileNotFoundError as error:
        raise _away("its bucket or folder is gone") from error


class ResultFile:
    """A file being written; nothing is visible under its name before `close`.

    Left by an exception, it takes back the parts that the store has already, which nobody sees and somebody pays for.
    """

    def __init__(self, store: ObjectStore, key: str) -> None:
        self.key = key
        self.bytes = 0
        self._store = store
        self._first = bytearray()
        self._writer: obstore.AsyncWritableFile | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None and self._writer is not None:
            await asyncio.shield(self._abort(self._writer, error))

    async def _abort(self, writer: "obstore.AsyncWritableFile", error: BaseException) -> None:
        # A store that is away, or has the file whole: what it can't take back now its own rule deletes.
        with suppress(StorageAway, TimeoutError):
            async with asyncio.timeout(_ABORT_SECONDS):
                with told_of_writing():
                    await writer.__aexit__(type(error), error, None)

    async def write(self, data: bytes) -> None:
        """Append. Most results are small: the store hears of one only when it is whole. Raises StorageAway."""
        self.bytes += len(data)
        with told_of_writing():
            if self._writer is not None:
                await self._writer.write(data)
                return
            self._first += data
            if len(self._first) >= PART_BYTES:
                self._writer = obstore.open_writer_async(self._store, self.key, buffer_size=PART_BYTES)
                first, self._first = bytes(self._first), bytearray()
                await self._writer.write(first)

    async def close(self) -> None:
        """Make it visible. Not called: nothing is kept. Raises StorageAway."""
        with told_of_writing():
            if self._writer is not None:
                await self._writer.close()
            else:
                await obstore.put_async(self._store, self.key, bytes(self._first))

    async def delete(self) -> None:
        """Take back what `close` made visible. Raises StorageAway."""
        with told_of_writing():
            await obstore.delete_async(self._store, self.key)


class StoredFile:
    """A kept file as Python's readers like it, fetched range by range. For threads.

    Readers of Parquet ask for each column of each group of rows, one after the other as they lie in the file: where a
    question takes its time, `AHEAD_BYTES` are fetched at once and kept until something else is asked for.
    """

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        self._ahead = 0 if isinstance(store, LocalStore) else AHEAD_BYTES
        self._fetched, self._fetched_from = b"", 0
        with told():
            self.bytes: int = obstore.head(store, key)["size"]
        self._position = 0
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer at the end. Raises FileNotFoundError and StorageAway."""
        left = self.bytes - self._position
        length = left if size < 0 else min(size, left)
        if length <= 0:
            return b""
        data = self._range(self._position, length)
        self._position += len(data)
        return data

    def _range(self, start: int, length: int) -> bytes:
        before = start - self._fetched_from
        if before >= 0 and before + length <= len(self._fetched):
            return self._fetched[before : before + length]
        more = max(length, min(self._ahead, self.bytes - start))
        with told():
            data = bytes(obstore.get_range(self._store, self._key, start=start, length=more))
        if more == length:
            return data
        self._fetched, self._fetched_from = data, start
        return data[:length]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where to read on."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.bytes}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True


class Place:
    """One object store that holds results: the installation's own, or a client's bucket."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str) -> "Place":
        """The installation's own: file://, s3://, gs:// or az://."""
        parsed = urlparse(url)
        if parsed.scheme == "file":
            # With the last file of a client its folder goes, which bears the client's UUID.
            return cls(LocalStore(Path(unquote(parsed.path)), mkdir=True, automatic_cleanup=True))
        return cls(from_url(url))

    def create(self, key: str) -> ResultFile:
        """A new file."""
        return ResultFile(self._store, key)

    def open(self, key: str) -> StoredFile:
        """A file to read in a thread. Raises FileNotFoundError and StorageAway."""
        return StoredFile(self._store, key)

    async def size(self, key: str) -> int:
        """Bytes of a file. Raises FileNotFoundError and StorageAway."""
        with told():
            return (await obstore.head_async(self._store, key))["size"]

    async def parts(self, key: str) -> AsyncIterator[bytes]:
        """A file, part by part. Raises FileNotFoundError and StorageAway."""
        size = await self.size(key)
        for start in range(0, size, PART_BYTES):
            with told():
                part = await obstore.get_range_async(
                    self._store, key, start=start, length=min(PART_BYTES, size - start)
                )
            yield bytes(part)

    async def delete(self, key: str) -> None:
        """Remove a file; one that isn't there is as good. Raises StorageAway."""
        try:
            with told():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return

    async def keys(self, client_uuid: UUID) -> AsyncIterator[list[str]]:
        """What we wrote for a client, many at a time. Raises StorageAway."""
        with told_of_writing():
            async for files in obstore.list(self._store, prefix=f"{client_uuid}/"):
                yield [file["path"] for file in files if _KEY.fullmatch(file["path"])]

    async def forget(self, client_uuid: UUID) -> int:
        """Remove every file of a client, and nothing else; how many. Raises StorageAway."""
        count = 0
        async for keys in self.keys(client_uuid):
            for key in keys:
                await self.delete(key)
            count += len(keys)
        return count


class Buckets(Protocol):
    """Where clients' own buckets are found."""

    async def place(self, client_uuid: UUID, storage_uuid: UUID) -> Place:
        """One of the client's. Raises NotFound, StorageAway."""
        ...


class ResultStore:
    """Where results are kept: `storage_uuid` is None for the installation's own storage."""

    def __init__(self, own: Place, buckets: Buckets) -> None:
        self.own = own
        self._buckets = buckets

    async def place(self, client_uuid: UUID, storage_uuid: UUID | None) -> Place:
        """Raises NotFound for a bucket that is no longer the client's, and StorageAway."""
        if storage_uuid is None:
            return self.own
        return await self._buckets.place(client_uuid, storage_uuid)

    async def delete(self, client_uuid: UUID, storage_uuid: UUID | None, key: str) -> None:
        """Remove a file; one that isn't there is as good. Raises NotFound and StorageAway."""
        await (await self.place(client_uuid, storage_uuid)).delete(key)

    async def open(self, client_uuid: UUID, storage_uuid: UUID | None, key: str) -> StoredFile:
        """A file to read in a thread. Raises FileNotFoundError, NotFound and StorageAway."""
        place = await self.place(client_uuid, storage_uuid)
        return await asyncio.to_thread(place.open, key)


def key_of(client_uuid: UUID, run_uuid: UUID, attempt: int) -> str:
    """Where a run's file is in its place; a run that was taken over writes another one."""
    return f"{client_uuid}/{run_uuid}-{attempt}.parquet"


def copy_key(key: str) -> str:
    """A name that no file of the run had before."""
    found = _KEY.fullmatch(key)
    end = found.start("copy") if found and found["copy"] else len(key) - len(".parquet")
    return f"{key[:end]}-{secrets.token_hex(6)}.parquet"


def run_of(key: str) -> UUID | None:
    """The run that a file is of; None for what is no run's."""
    found = _KEY.fullmatch(key)
    return UUID(found["run"]) if found and found["run"] else None


def _away(why: str) -> StorageAway:
    return StorageAway(f"the storage of results can't be used at the moment: {why}", retry_after=_RETRY_AFTER)

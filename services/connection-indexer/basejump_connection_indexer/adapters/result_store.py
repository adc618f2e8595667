"""Rows of results as Parquet files in an object store: a local folder, S3, GCS or Azure."""

import os
from pathlib import Path
from urllib.parse import unquote, urlparse
from uuid import UUID

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

_PART_BYTES = 4_000_000


class ResultFile:
    """A file being written; nothing is visible under its name before `close`."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self.key = key
        self.bytes = 0
        self._store = store
        self._first = bytearray()
        self._writer: obstore.AsyncWritableFile | None = None

    async def write(self, data: bytes) -> None:
        """Append. Most results are small: the store hears of one only when it is whole."""
        self.bytes += len(data)
        if self._writer is not None:
            await self._writer.write(data)
            return
        self._first += data
        if len(self._first) >= _PART_BYTES:
            self._writer = obstore.open_writer_async(self._store, self.key, buffer_size=_PART_BYTES)
            first, self._first = bytes(self._first), bytearray()
            await self._writer.write(first)

    async def close(self) -> None:
        """Make it visible. Not called: nothing is kept."""
        if self._writer is not None:
            await self._writer.close()
        else:
            await obstore.put_async(self._store, self.key, bytes(self._first))


class StoredFile:
    """A kept file as Python's readers like it, fetched range by range: none of it is kept here. For threads."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        self.bytes: int = obstore.head(store, key)["size"]
        self._position = 0
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer at the end."""
        left = self.bytes - self._position
        length = left if size < 0 else min(size, left)
        if length <= 0:
            return b""
        data = bytes(obstore.get_range(self._store, self._key, start=self._position, length=length))
        self._position += len(data)
        return data

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


class ResultStore:
    """Where results are kept, by client and run."""

    def __init__(self, url: str) -> None:
        self._store = _store(url)

    def create(self, client_uuid: UUID, run_uuid: UUID, attempt: int) -> ResultFile:
        """A new file; a run that was taken over writes another one."""
        return ResultFile(self._store, f"{client_uuid}/{run_uuid}-{attempt}.parquet")

    async def read(self, key: str) -> bytes:
        """A whole file."""
        answer = await obstore.get_async(self._store, key)
        return bytes(await answer.bytes_async())

    def open(self, key: str) -> "StoredFile":
        """A file to read in a thread. Raises FileNotFoundError."""
        return StoredFile(self._store, key)

    async def delete(self, key: str) -> None:
        """Remove a file; one that isn't there is as good."""
        await obstore.delete_async(self._store, key)

    async def forget(self, client_uuid: UUID) -> int:
        """Remove every file of a client; how many."""
        count = 0
        async for files in obstore.list(self._store, prefix=f"{client_uuid}/"):
            await obstore.delete_async(self._store, [file["path"] for file in files])
            count += len(files)
        return count


def _store(url: str) -> ObjectStore:
    parsed = urlparse(url)
    if parsed.scheme == "file":
        # With the last file of a client its folder goes, which bears the client's UUID.
        return LocalStore(Path(unquote(parsed.path)), mkdir=True, automatic_cleanup=True)
    return from_url(url)

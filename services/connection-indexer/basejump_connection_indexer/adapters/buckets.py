"""Clients' own buckets: how one is opened, and tried before it is trusted."""

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from obstore.store import S3Store

from basejump_common.errors import (
    BasejumpError,
    BucketMissing,
    NotFound,
    StorageAway,
    StorageRefused,
    StorageUnreachable,
)
from basejump_common.security.envelope import EnvelopeError
from basejump_common.storage.database import Database
from basejump_connection_indexer.adapters import storage_rows
from basejump_connection_indexer.adapters.egress import Egress
from basejump_connection_indexer.adapters.result_store import Place
from basejump_connection_indexer.adapters.storage_rows import StorageRow
from basejump_connection_indexer.adapters.vault import Keys, Vault
from basejump_connection_indexer.domain.storage_fields import address_of, endpoint_of

if TYPE_CHECKING:
    from obstore.store import RetryConfig, S3Credential

TRY_SECONDS = 20.0
_KEPT = 200
_PROBE = b"Basejump writes, reads and deletes this before it keeps results here.\n"
_RETRY: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
_REFUSALS = ("SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied", "403 Forbidden", "401 Unauthorized")


class OpenBuckets:
    """Opens buckets as their rows are at that moment; one that hasn't changed keeps its connections."""

    def __init__(self, database: Database, vault: Vault, egress: Egress) -> None:
        self._database = database
        self._vault = vault
        self._egress = egress
        self._open: OrderedDict[tuple[UUID, int], Place] = OrderedDict()

    async def place(self, client_uuid: UUID, storage_uuid: UUID) -> Place:
        """Raises NotFound for what isn't the client's, StorageAway when its keys don't open."""
        async with self._database.tenant(client_uuid) as tx:
            row = await storage_rows.find(tx, storage_uuid)
        if row is None:
            raise NotFound("there is no such storage")
        known = (storage_uuid, row.version)
        if known not in self._open:
            self._open[known] = self._opened(row)
            if len(self._open) > _KEPT:
                self._open.popitem(last=False)
        self._open.move_to_end(known)
        return self._open[known]

    async def check(self, row: StorageRow, keys: Keys) -> None:
        """Write, read and delete an object. Raises HostForbidden, StorageUnreachable, StorageRefused, BucketMissing."""
        await self._check_address(row)
        try:
            async with asyncio.timeout(TRY_SECONDS):
                await _try(self._bucket(row, keys), row.client_uuid)
        except TimeoutError as error:
            raise _unreachable(row, "it doesn't answer in time") from error
        except (StorageAway, FileNotFoundError) as error:
            raise _plainly(row, str(error.__cause__ or error)) from error

    async def _check_address(self, row: StorageRow) -> None:
        host, port = address_of(endpoint_of(row.storage_provider, row.region, row.endpoint))
        try:
            await self._egress.check(host, port, _address_field(row))
        except (OSError, UnicodeError) as error:
            raise _unreachable(row, f"no address is known for {host}") from error

    def _opened(self, row: StorageRow) -> Place:
        try:
            keys = self._vault.keys(row.client_uuid, row.storage_uuid, row.sealed_keys)
        except EnvelopeError as error:
            raise StorageAway("the keys of this storage don't open: give them again") from error
        return self._bucket(row, keys)

    def _bucket(self, row: StorageRow, keys: Keys) -> Place:
        """The environment may hold the operator's own keys and tokens: none of them is to be sent there."""
        credential: S3Credential = {
            "access_key_id": keys.access_key.reveal(),
            "secret_access_key": keys.secret_access_key.reveal(),
            "token": None,
            "expires_at": None,
        }
        store = S3Store(
            row.bucket_name,
            prefix=row.prefix or None,
            endpoint=endpoint_of(row.storage_provider, row.region, row.endpoint),
            region=row.region or "auto",
            virtual_hosted_style_request=False,
            skip_signature=False,
            disable_bulk_delete=True,  # not every service that speaks S3 has it
            credential_provider=lambda: credential,
            client_options={
                "proxy_url": self._egress.url,
                "allow_http": True,  # what the operator allows was checked when the bucket was added
                "connect_timeout": "5s",
                "timeout": "60s",
                **({"root_certificate": row.ssl_root_cert} if row.ssl_root_cert else {}),
            },
            retry_config=_RETRY,
        )
        return Place(store)


async def _try(place: Place, client_uuid: UUID) -> None:
    key = f"{client_uuid}/probe-{uuid4()}"
    file = place.create(key)
    await file.write(_PROBE)
    await file.close()
    read = b"".join([part async for part in place.parts(key)])
    await file.delete()
    if read != _PROBE:
        raise StorageAway("what was written is not what is read")


def _plainly(row: StorageRow, said: str) -> BasejumpError:
    """What is wrong, from what the store said."""
    if "NoSuchBucket" in said:
        return BucketMissing.field("bucket_name", f"there is no bucket {row.bucket_name}")
    if any(refusal in said for refusal in _REFUSALS):
        return StorageRefused.field(
            "access_key", "the storage refuses these keys, or to write, read or delete objects with them"
        )
    if "certificate" in said.lower():
        return _unreachable(row, "its certificate can't be verified")
    return _unreachable(row, "nothing that speaks S3 answers there, or not as it should")


def _unreachable(row: StorageRow, why: str) -> BasejumpError:
    return StorageUnreachable.field(_address_field(row), why)


def _address_field(row: StorageRow) -> str:
    return "endpoint" if row.endpoint else "region"

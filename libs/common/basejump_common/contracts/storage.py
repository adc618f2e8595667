"""Clients' own buckets for the rows of their results: adding and testing one, using it, and moving what is kept."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.common import Done, Name, Nothing, PageRequest
from basejump_common.contracts.operation import Operation
from basejump_common.errors import (
    BucketMissing,
    Conflict,
    HostForbidden,
    InvalidInput,
    NotFound,
    StorageRefused,
    StorageUnreachable,
)
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret

_TRIED = (InvalidInput, HostForbidden, StorageUnreachable, StorageRefused, BucketMissing)
_TRY_SECONDS = 30.0


class StorageProvider(StrEnum):
    """Who keeps the bucket; `gcs` is reached over its S3-compatible interface, with HMAC keys."""

    S3 = "s3"
    S3_COMPATIBLE = "s3_compatible"
    GCS = "gcs"


class StorageFields(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket and the keys to it.

    `endpoint` (`https://host:port`) is needed for `s3_compatible` and given for nothing else; `ssl_root_cert` (PEM)
    says which authority its certificate comes from. `region` is needed for `s3`. Objects lie below `prefix`.
    `active`: whether new results are kept here, and those that are kept move here; not given, that stays as it is.
    """

    alias: Name
    storage_provider: StorageProvider
    region: Annotated[str, Meta(max_length=50, pattern=r"^[a-z0-9-]+$")] | None = None
    bucket_name: Annotated[str, Meta(max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$")]
    prefix: Annotated[str, Meta(max_length=500, pattern=r"^[A-Za-z0-9!_.*'()/-]*$")] = ""
    endpoint: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    ssl_root_cert: Annotated[str, Meta(max_length=100_000)] | None = None
    access_key: Secret
    secret_access_key: Secret
    active: bool | None = None


class CreateStorage(StorageFields, frozen=True, kw_only=True):
    """A bucket; an object is written, read and deleted in it before it is added."""


class UpdateStorage(StorageFields, frozen=True, kw_only=True):
    """Replaces all that is said of a bucket. Where it is can't change while results are in it."""

    storage_uuid: UUID


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket, without the keys to it; `results` counts those that are kept in it."""

    storage_uuid: UUID
    alias: str
    storage_provider: StorageProvider
    region: str | None
    bucket_name: str
    prefix: str
    endpoint: str | None
    active: bool
    results: int
    created_at: datetime


class ByStorage(msgspec.Struct, frozen=True, kw_only=True):
    """Names a bucket."""

    storage_uuid: UUID


class StoragePage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Storage, ...]
    next_cursor: str | None = None


class MigrationState(StrEnum):
    """`none`: nothing was ever moved; `waiting`: a bucket is away, it goes on by itself."""

    NONE = "none"
    QUEUED = "queued"
    STARTED = "started"
    WAITING = "waiting"
    FINISHED = "finished"


class MigrationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far results have moved to `storage_uuid` (null: to the installation's own storage).

    `done` of `total` have moved; `failed` could not in the last attempt and are tried again; `error` says why.
    """

    state: MigrationState
    storage_uuid: UUID | None = None
    total: int = 0
    done: int = 0
    failed: int = 0
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


CREATE_STORAGE = Operation(
    "basejump.v1.connection.storage.create",
    takes=CreateStorage,
    gives=Storage,
    allow=Role.OWNER,
    errors=(Conflict, *_TRIED),
    timeout=_TRY_SECONDS,
)
GET_STORAGE_IN_USE = Operation(
    "basejump.v1.connection.storage.in-use", takes=Nothing, gives=Storage, allow=Role.OWNER, errors=(NotFound,)
)
LIST_STORAGES = Operation("basejump.v1.connection.storage.list", takes=PageRequest, gives=StoragePage, allow=Role.OWNER)
MIGRATION_STATUS = Operation(
    "basejump.v1.connection.storage.migration-status", takes=Nothing, gives=MigrationStatus, allow=Role.OWNER
)
GET_STORAGE = Operation(
    "basejump.v1.connection.storage.get", takes=ByStorage, gives=Storage, allow=Role.OWNER, errors=(NotFound,)
)
UPDATE_STORAGE = Operation(
    "basejump.v1.connection.storage.update",
    takes=UpdateStorage,
    gives=Storage,
    allow=Role.OWNER,
    errors=(NotFound, Conflict, *_TRIED),
    timeout=_TRY_SECONDS,
)
DELETE_STORAGE = Operation(
    "basejump.v1.connection.storage.delete",
    takes=ByStorage,
    gives=Done,
    allow=Role.OWNER,
    errors=(NotFound, Conflict),
)
ACTIVATE_STORAGE = Operation(
    "basejump.v1.connection.storage.activate",
    takes=ByStorage,
    gives=MigrationStatus,
    allow=Role.OWNER,
    errors=(NotFound, *_TRIED),
    timeout=_TRY_SECONDS,
)
DEACTIVATE_STORAGE = Operation(
    "basejump.v1.connection.storage.deactivate",
    takes=ByStorage,
    gives=MigrationStatus,
    allow=Role.OWNER,
    errors=(NotFound,),
)

"""A client's own bucket is tried before it is trusted; its keys are never shown, and go nowhere but there."""

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from basejump_common.contracts import storage
from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.storage import ByStorage, Storage, StorageProvider, UpdateStorage
from basejump_common.errors import (
    BasejumpError,
    BucketMissing,
    Conflict,
    HostForbidden,
    InvalidInput,
    NotFound,
    StorageRefused,
    StorageUnreachable,
)
from basejump_common.security.secret import Secret
from basejump_connection_indexer.adapters import buckets
from basejump_devstack.child import free_port
from connection_house import Desk
from identity import Person
from installation import Installation
from own_bucket import SECRET_KEY, Answer, ObjectServer, refuse_other_keys


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    with ObjectServer() as started:
        yield started


@pytest.fixture
async def owner(desk: Desk) -> Person:
    return await (await desk.house.tenant()).owner()


async def test_a_bucket_is_written_read_and_deleted_in_before_it_is_added(server: ObjectServer, owner: Person) -> None:
    bucket = server.make_bucket()
    server.requests.clear()
    added = await owner.call(storage.CREATE_STORAGE, server.fields(bucket, prefix="/ours/"))
    assert [method for method, path, _ in server.requests if "probe-" in path] == ["PUT", "HEAD", "GET", "DELETE"]
    assert all(path.startswith(f"/{bucket}/ours/") for _, path, _ in server.requests)
    assert server.keys(bucket) == []
    assert (added.bucket_name, added.prefix, added.active, added.results) == (bucket, "ours", False, 0)


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"bucket_name": "not-there"}, BucketMissing, "bucket_name"),
        ({"access_key": Secret("AKIANOBODY")}, StorageRefused, "access_key"),
        ({"endpoint": "http://localhost:{free}"}, StorageUnreachable, "endpoint"),
        ({"endpoint": "https://localhost:{port}"}, StorageUnreachable, "endpoint"),
        ({"endpoint": "http://nobody.invalid"}, StorageUnreachable, "endpoint"),
        ({"endpoint": "http://169.254.169.254"}, HostForbidden, "endpoint"),
        ({"endpoint": "http://localhost:{port}/path"}, InvalidInput, "endpoint"),
        ({"endpoint": "http://me:pw@localhost:{port}"}, InvalidInput, "endpoint"),
        ({"endpoint": "ftp://localhost"}, InvalidInput, "endpoint"),
        ({"endpoint": "http://[::"}, InvalidInput, "endpoint"),
        ({"endpoint": None}, InvalidInput, "endpoint"),
        ({"prefix": "a/../b"}, InvalidInput, "prefix"),
        ({"prefix": "a//b"}, InvalidInput, "prefix"),
        ({"secret_access_key": Secret("")}, InvalidInput, "secret_access_key"),
        ({"storage_provider": StorageProvider.S3}, InvalidInput, "endpoint"),
        ({"storage_provider": StorageProvider.S3, "region": None, "endpoint": None}, InvalidInput, "region"),
    ],
)
async def test_what_is_wrong_is_named(
    server: ObjectServer, owner: Person, changes: dict[str, object], error: type[BasejumpError], field: str
) -> None:
    bucket, server.spoil = server.make_bucket(), refuse_other_keys
    if isinstance(text := changes.get("endpoint"), str):
        changes = changes | {"endpoint": text.replace("{port}", str(server.port)).replace("{free}", str(free_port(0)))}
    try:
        with pytest.raises(error) as raised:
            await owner.call(storage.CREATE_STORAGE, server.fields(bucket, **changes))
    finally:
        server.spoil = None
    assert type(raised.value) is error
    assert [wrong.field for wrong in raised.value.errors] == [field]
    assert (await owner.call(storage.LIST_STORAGES, PageRequest())).data == ()


async def test_keys_are_shown_to_nobody_and_kept_sealed(
    server: ObjectServer, owner: Person, installation: Installation
) -> None:
    added = await owner.call(storage.CREATE_STORAGE, server.fields(server.make_bucket()))
    shown = await owner.call(storage.GET_STORAGE, ByStorage(storage_uuid=added.storage_uuid))
    assert shown == added
    assert not {"access_key", "secret_access_key"} & set(Storage.__struct_fields__)
    database = await installation.database()
    row = await database.fetchrow(
        "select * from connection_indexer.storage where storage_uuid = $1", added.storage_uuid
    )
    await database.close()
    assert row is not None
    assert SECRET_KEY not in str(row)
    assert SECRET_KEY.encode() not in row["sealed_keys"]


async def test_the_operators_own_keys_are_not_sent_to_a_clients_bucket(
    server: ObjectServer, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", "the-operators")
    server.requests.clear()
    await owner.call(storage.CREATE_STORAGE, server.fields(server.make_bucket()))
    assert "x_amz_date" in server.requests[-1][2]
    assert "the-operators" not in str(server.requests)
    assert "proxy" not in str(server.requests).lower(), "how we reach the bucket is ours"


async def test_an_alias_is_given_once(server: ObjectServer, owner: Person, desk: Desk) -> None:
    fields = server.fields(server.make_bucket(), alias="results")
    first = await owner.call(storage.CREATE_STORAGE, fields)
    with pytest.raises(Conflict, match="alias"):
        await owner.call(storage.CREATE_STORAGE, fields)
    second = await owner.call(storage.CREATE_STORAGE, server.fields(fields.bucket_name))
    with pytest.raises(Conflict, match="alias"):
        await owner.call(storage.UPDATE_STORAGE, _update(server, second, alias="results"))
    await owner.call(storage.UPDATE_STORAGE, _update(server, first, alias="results"))
    stranger = await (await desk.house.tenant()).owner()
    await stranger.call(storage.CREATE_STORAGE, fields)


async def test_a_change_is_tried_and_replaces_all(server: ObjectServer, owner: Person) -> None:
    added = await owner.call(storage.CREATE_STORAGE, server.fields(server.make_bucket()))
    with pytest.raises(BucketMissing):
        await owner.call(storage.UPDATE_STORAGE, _update(server, added, bucket_name="not-there"))
    other = server.make_bucket()
    changed = await owner.call(storage.UPDATE_STORAGE, _update(server, added, bucket_name=other, prefix=""))
    assert (changed.bucket_name, changed.prefix) == (other, "")


async def test_buckets_are_their_clients_alone(server: ObjectServer, owner: Person, desk: Desk) -> None:
    added = await owner.call(storage.CREATE_STORAGE, server.fields(server.make_bucket()))
    stranger, named = await (await desk.house.tenant()).owner(), ByStorage(storage_uuid=added.storage_uuid)
    for call in (
        lambda: stranger.call(storage.GET_STORAGE, named),
        lambda: stranger.call(storage.DELETE_STORAGE, named),
        lambda: stranger.call(storage.ACTIVATE_STORAGE, named),
        lambda: stranger.call(storage.DEACTIVATE_STORAGE, named),
        lambda: stranger.call(storage.UPDATE_STORAGE, _update(server, added)),
    ):
        with pytest.raises(NotFound):
            await call()
    await owner.call(storage.DELETE_STORAGE, named)
    with pytest.raises(NotFound):
        await owner.call(storage.GET_STORAGE, named)


async def test_lists_come_in_pages(server: ObjectServer, owner: Person) -> None:
    bucket = server.make_bucket()
    added = [await owner.call(storage.CREATE_STORAGE, server.fields(bucket, prefix=f"p{n}")) for n in range(3)]
    first = await owner.call(storage.LIST_STORAGES, PageRequest(limit=2))
    rest = await owner.call(storage.LIST_STORAGES, PageRequest(limit=2, cursor=first.next_cursor))
    assert [one.prefix for one in (*first.data, *rest.data)] == [one.prefix for one in reversed(added)]
    assert rest.next_cursor is None


async def test_tls_is_verified_by_the_authority_that_is_given(owner: Person) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    certificate = authority.cert_pem.bytes().decode()
    with ObjectServer(context) as server:
        bucket = server.make_bucket()
        with pytest.raises(StorageUnreachable):
            await owner.call(storage.CREATE_STORAGE, server.fields(bucket))
        with pytest.raises(StorageUnreachable):
            other_name = server.url.replace("localhost", "127.0.0.1")
            await owner.call(
                storage.CREATE_STORAGE, server.fields(bucket, endpoint=other_name, ssl_root_cert=certificate)
            )
        with pytest.raises(InvalidInput, match="ssl_root_cert"):
            await owner.call(storage.CREATE_STORAGE, server.fields(bucket, ssl_root_cert="no certificate"))
        added = await owner.call(storage.CREATE_STORAGE, server.fields(bucket, ssl_root_cert=certificate))
        assert added.endpoint == server.url


async def test_a_bucket_that_never_answers_is_not_waited_for(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "TRY_SECONDS", 1.0)
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(30), "127.0.0.1", 0)
    async with silent:
        endpoint = f"http://localhost:{silent.sockets[0].getsockname()[1]}"
        with pytest.raises(StorageUnreachable, match="in time"):
            await owner.call(storage.CREATE_STORAGE, ObjectServer().fields("bucket", endpoint=endpoint))


@pytest.mark.parametrize("method", ["PUT", "HEAD", "GET", "DELETE"])
async def test_a_bucket_that_sends_us_elsewhere_is_not_followed(
    server: ObjectServer, owner: Person, method: str
) -> None:
    def send_elsewhere(environ: dict[str, Any]) -> Answer | None:
        if environ["REQUEST_METHOD"] != method:
            return None
        return "307 Temporary Redirect", [("Location", f"{elsewhere.url}{environ['PATH_INFO']}")], b""

    bucket = server.make_bucket()
    with ObjectServer() as elsewhere:
        server.spoil = send_elsewhere
        try:
            with pytest.raises(StorageUnreachable):
                await owner.call(storage.CREATE_STORAGE, server.fields(bucket))
        finally:
            server.spoil = None
        assert elsewhere.requests == []


def _update(server: ObjectServer, added: Storage, **changes: object) -> UpdateStorage:
    fields = server.fields(added.bucket_name, **{"alias": added.alias, "prefix": added.prefix, **changes})
    given = {name: getattr(fields, name) for name in fields.__struct_fields__}
    return UpdateStorage(storage_uuid=added.storage_uuid, **given)

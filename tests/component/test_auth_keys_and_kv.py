"""Signing keys and revocations: one key for all replicas, rotation without a refused token, KV rebuilt when lost."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator

import jwt
import pytest

import identity
from basejump_auth.domain import lifetimes
from basejump_common.bus import KEYS, REVOCATIONS, Bus, Context, KeyValueMirror
from basejump_common.bus.permissions import OPERATOR
from basejump_common.bus.topology import declare
from basejump_common.contracts import account, auth
from basejump_common.contracts.auth import BySecret, CreateSecret, Jwks
from basejump_common.contracts.common import Nothing, PageRequest
from basejump_common.errors import Unauthenticated, Unavailable
from basejump_common.security.principal import UserRole
from basejump_common.security.secret import Secret
from basejump_devstack.postgres import EmbeddedPostgres
from identity import Caller
from installation import Installation


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """Servers of this module's own: its tests take keys away and end NATS."""
    folder = tmp_path_factory.mktemp("keys")
    async with (
        EmbeddedPostgres(folder / "postgres", durable=False) as postgres,
        Installation.open(postgres, folder) as opened,
    ):
        yield opened


@pytest.fixture
async def fresh(own: Installation) -> Installation:
    """No auth has run yet, as far as keys and KV can tell."""
    await _execute(own, "truncate auth.signing_key, auth.revocation")
    await _lose_kv(own)
    return own


async def _lose_kv(installation: Installation) -> None:
    async with installation.bus(OPERATOR) as operator:
        for bucket in (KEYS, REVOCATIONS):
            await operator.jetstream.delete_key_value(bucket)
        await declare(operator.jetstream)


async def _jwks(bus: Bus) -> Jwks:
    return await bus.call(auth.GET_JWKS, Nothing(), Context.new())


async def _execute(installation: Installation, sql: str) -> None:
    database = await installation.database()
    try:
        await database.execute(sql)
    finally:
        await database.close()


async def _age_keys(installation: Installation, days: int) -> None:
    await _execute(installation, f"update auth.signing_key set active_from = active_from - interval '{days} days'")


async def _published(bus: Bus) -> set[str]:
    async with KeyValueMirror(bus, KEYS).running() as mirror:
        await mirror.wait_fresh()
        return set(mirror.entries)


async def test_two_replicas_that_start_at_once_share_one_key(fresh: Installation) -> None:
    async with fresh.running("auth"), fresh.running("auth"), fresh.bus("gateway") as bus:
        seen = {key["kid"] for _ in range(20) for key in (await _jwks(bus)).keys}
    assert len(seen) == 1


async def test_many_keyrings_that_open_at_the_same_moment_make_one_key(fresh: Installation) -> None:
    async def start() -> None:
        async with fresh.running("auth"):
            await asyncio.sleep(0.2)

    await asyncio.gather(*(start() for _ in range(4)))
    async with fresh.running("auth"), fresh.bus("gateway") as bus:
        assert len((await _jwks(bus)).keys) == 1


async def test_the_private_key_is_sealed_and_the_public_one_published(fresh: Installation) -> None:
    async with fresh.running("auth"), fresh.bus("gateway") as bus:
        (public,) = (await _jwks(bus)).keys
        async with fresh.bus(OPERATOR) as operator:
            published = await (await operator.jetstream.key_value(KEYS)).get(public["kid"])
        assert json.loads(published.value or b"") == public
        assert public["kty"] == "OKP"
        assert "d" not in public


async def test_a_rotated_key_signs_and_tokens_of_the_old_one_stay_good(fresh: Installation) -> None:
    async with identity.people(fresh) as house:
        tenant = await house.tenant()
        before = await tenant.owner()
    await _age_keys(fresh, days=40)
    async with identity.people(fresh) as house:  # a new key is made and published, but its time hasn't come
        old, new = sorted((await _jwks(house.bus)).keys, key=lambda key: _signed_by(before.token) != key["kid"])
        assert _signed_by((await _owner_of(house, tenant)).token) == old["kid"]
    await _execute(
        fresh, f"update auth.signing_key set active_from = now() - interval '1 s' where kid = '{new['kid']}'"
    )
    async with identity.people(fresh) as house:
        assert _signed_by((await _owner_of(house, tenant)).token) == new["kid"]
        assert await Caller(house.bus, before.token).call(account.LIST_TEAMS, PageRequest())
        assert await identity.access_token(house.bus, before.refresh_token)


async def _owner_of(house: identity.House, tenant: identity.Tenant) -> identity.Person:
    """The client's owner, signed in over the connection that is open now."""
    again = identity.Tenant(house.bus, tenant.client_uuid, tenant.owner_uuid, tenant.secret, tenant.secret_uuid)
    return await again.owner()


async def test_a_key_whose_last_token_has_expired_is_removed_everywhere(fresh: Installation) -> None:
    longer_than_any_token = lifetimes.REFRESH // 86_400 + 1
    async with fresh.running("auth"), fresh.bus("gateway") as bus:
        (first,) = (await _jwks(bus)).keys
    async with fresh.bus(OPERATOR) as operator:
        await _age_keys(fresh, longer_than_any_token)
        async with fresh.running("auth"):
            assert len(await _published(operator)) == 2  # its successor hasn't signed for that long
        await _age_keys(fresh, longer_than_any_token)
        async with fresh.running("auth"), fresh.bus("gateway") as bus:
            assert first["kid"] not in {key["kid"] for key in (await _jwks(bus)).keys} | await _published(operator)


async def test_keys_and_revocations_that_kv_lost_are_back_after_a_start(fresh: Installation) -> None:
    async with identity.people(fresh) as house:
        tenant = await house.tenant()
        owner = await tenant.owner()
        made = await owner.call(auth.CREATE_SECRET, CreateSecret(role=UserRole.OWNER))
        thief = await tenant.sign_in(tenant.owner_uuid, made.client_secret)
        await owner.call(auth.DELETE_SECRET, BySecret(client_secret_uuid=made.client_secret_uuid))
        assert await identity.within(5.0, lambda: _is_refused(thief))
    await _lose_kv(fresh)
    async with identity.people(fresh) as house:
        assert await Caller(house.bus, owner.token).call(account.LIST_TEAMS, PageRequest())
        assert await identity.within(5.0, lambda: _is_refused(Caller(house.bus, thief.token)))


async def test_a_revocation_made_while_nats_is_away_gets_there_afterwards(fresh: Installation) -> None:
    async with identity.people(fresh) as house:
        tenant = await house.tenant()
        thief = await tenant.owner()
        nats = fresh.around.nats
        nats.kill()
        await _revoke_by_row(fresh, tenant)
        await asyncio.sleep(1.5)
        await nats.start()
        assert await identity.within(15.0, lambda: _is_refused(thief))


async def test_a_nats_that_comes_back_empty_is_filled_again(fresh: Installation) -> None:
    async with identity.people(fresh) as house:
        tenant = await house.tenant()
        owner = await tenant.owner()
        made = await owner.call(auth.CREATE_SECRET, CreateSecret(role=UserRole.OWNER))
        thief = await tenant.sign_in(tenant.owner_uuid, made.client_secret)
        await owner.call(auth.DELETE_SECRET, BySecret(client_secret_uuid=made.client_secret_uuid))
        assert await identity.within(5.0, lambda: _is_refused(thief))
        nats = fresh.around.nats
        nats.kill()
        shutil.rmtree(nats.store_dir / "jetstream")
        await nats.start()
        async with fresh.bus(OPERATOR) as operator:
            await declare(operator.jetstream)
        assert await identity.within(15.0, lambda: _is_accepted(owner))
        assert await identity.within(5.0, lambda: _is_refused(thief))


async def _is_accepted(caller: Caller) -> bool:
    try:
        await caller.call(account.LIST_TEAMS, PageRequest())
    except (Unauthenticated, Unavailable):
        return False
    return True


async def _revoke_by_row(installation: Installation, tenant: identity.Tenant) -> None:
    """What a replica had committed just before it lost NATS."""
    await _execute(installation, f"insert into auth.revocation (name) values ('secret.{tenant.secret_uuid}')")


async def _is_refused(caller: Caller) -> bool:
    try:
        await caller.call(account.LIST_TEAMS, PageRequest())
    except Unauthenticated:
        return True
    except Unavailable:
        return False
    return False


def _signed_by(token: Secret | None) -> str:
    assert token is not None
    return str(jwt.get_unverified_header(token.reveal())["kid"])

"""Sessions: a refresh token begins one, access and delegated tokens live within it, a revocation ends it.

A session has the role that its user had when it began, and so have all its tokens: with another role, or gone, the user
has no tokens any more. That account is asked at every signing makes it so before the user's event is here; the event
then reaches the tokens that were signed earlier. No clock is compared between services.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from basejump_auth.adapters import revocation_rows, secret_rows, session_rows
from basejump_auth.adapters.session_rows import Ended, SessionRow
from basejump_auth.client_secrets import revoke as revoke_secret
from basejump_auth.domain import lifetimes, rules
from basejump_auth.keyring import Keyring
from basejump_auth.revocations import session_key, user_key
from basejump_auth.standing import Standings
from basejump_common.bus import Context, Event, publish
from basejump_common.contracts import auth
from basejump_common.contracts.account import UserChanged, UserGone
from basejump_common.contracts.auth import (
    AccessToken,
    CreateAccessToken,
    CreateRefreshToken,
    Delegate,
    DelegatedToken,
    RefreshToken,
    SessionRevoked,
)
from basejump_common.contracts.common import Done, Nothing
from basejump_common.errors import Forbidden, NotFound, Unauthenticated
from basejump_common.security.principal import Credential, Principal, Role, UserRole
from basejump_common.security.secret import Secret
from basejump_common.storage.database import Database, Transaction


class Sessions:
    """What auth does about sessions and their tokens."""

    def __init__(self, database: Database, keyring: Keyring, standings: Standings) -> None:
        self._database = database
        self._keyring = keyring
        self._standings = standings

    async def begin(self, context: Context, request: CreateRefreshToken) -> RefreshToken:
        """A refresh token for a user up to the secret's role. Raises Forbidden, NotFound."""
        secret = context.caller
        user = await self._standings.of_user(secret.tenant, request.user_uuid, context)
        rules.check_may_ask_for(secret, user)
        rules.check_not_above(secret.role, user.role)
        principal = Principal(
            credential=Credential.REFRESH,
            role=Role(user.role),
            client_uuid=secret.tenant,
            user_uuid=request.user_uuid,
            session_uuid=uuid4(),
            secret_uuid=secret.secret_uuid,
        )
        token, expires_at = self._keyring.sign(principal, lifetimes.REFRESH)
        async with self._database.tenant(secret.tenant) as tx:
            await session_rows.insert(tx, _row(principal, token, expires_at))
        return RefreshToken(refresh_token=token, expires_at=expires_at)

    async def refresh(self, context: Context, request: CreateAccessToken) -> AccessToken:
        """An access token for the refresh token's user. Raises Unauthenticated (the session has ended), Forbidden
        (another user's), NotFound (another client's)."""
        caller = context.caller
        if request.user_uuid is not None and request.user_uuid != caller.user:
            await self._standings.of_user(caller.tenant, request.user_uuid, context)
            raise Forbidden("the refresh token belongs to another user")
        session = await self._alive(caller.tenant, caller.session_uuid, context)
        if context.token is None or _token_hash(context.token) != session.token_hash:
            raise _ended()
        token, expires_at = self._keyring.sign(_principal(session, Credential.ACCESS), lifetimes.ACCESS)
        return AccessToken(access_token=token, expires_at=expires_at)

    async def delegate(self, context: Context, request: Delegate) -> DelegatedToken:
        """A token for work in the background. Raises Unauthenticated once session, secret or user is revoked, or the
        user has another role than when the work was accepted."""
        session = await self._alive(request.client_uuid, request.session_uuid, context)
        if session.user_uuid != request.user_uuid or Role(session.role) is not request.role:
            raise _ended()
        principal = _principal(session, Credential.DELEGATED, actor=request.actor)
        token, expires_at = self._keyring.sign(principal, lifetimes.DELEGATED)
        return DelegatedToken(token=token, expires_at=expires_at)

    async def revoke(self, context: Context, _request: Nothing) -> Done:
        """End all sessions of the caller."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            ended = await session_rows.revoke_of_user(tx, caller.user)
            await _tell(tx, caller.tenant, ended, context)
        return Done()

    async def user_updated(self, tx: Transaction, event: Event[UserChanged]) -> None:
        """A new role ends the sessions that began in another one, and those that a service member began for others;
        another service member ends what the one before began."""
        user = event.data
        ended = await session_rows.revoke_of_service_members(tx, user.user_uuid, user.service_user_uuid)
        if user.role_changed:
            ended += await session_rows.revoke_of_user(tx, user.user_uuid, unless_role=user.role)
            ended += await session_rows.revoke_of_sub_members(tx, user.user_uuid)
        await _tell(tx, event.client_uuid, ended, event.context)

    async def user_deleted(self, tx: Transaction, event: Event[UserGone]) -> None:
        """Nothing of the user's is good any more, nor the secrets that are bound to it."""
        user_uuid = event.data.user_uuid
        for client_secret_uuid in await secret_rows.bound_to(tx, user_uuid):
            await revoke_secret(tx, event.client_uuid, client_secret_uuid, event.context)
        ended = await session_rows.revoke_of_user(tx, user_uuid)
        await revocation_rows.add(tx, [user_key(user_uuid)])
        await _tell(tx, event.client_uuid, ended, event.context)

    async def _alive(self, client_uuid: UUID, session_uuid: UUID | None, context: Context) -> SessionRow:
        """The session, if it lives and its user has still the role and the service member it began with.

        Raises Unauthenticated.
        """
        async with self._database.tenant(client_uuid) as tx:
            session = await session_rows.find_alive(tx, session_uuid) if session_uuid else None
        if session is None or not await self._stands(session, context):
            raise _ended()
        return session

    async def _stands(self, session: SessionRow, context: Context) -> bool:
        try:
            user = await self._standings.of_user(session.client_uuid, session.user_uuid, context)
        except NotFound:
            return False
        return user.role is session.role and rules.is_still_theirs(session.bound_to, user)


def _ended() -> Unauthenticated:
    return Unauthenticated("the session has ended; get a new refresh token")


def _token_hash(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()


def _row(refresh: Principal, token: Secret, expires_at: datetime) -> SessionRow:
    assert refresh.session_uuid is not None
    assert refresh.secret_uuid is not None, "only a client secret begins a session"
    return SessionRow(
        client_uuid=refresh.tenant,
        session_uuid=refresh.session_uuid,
        user_uuid=refresh.user,
        client_secret_uuid=refresh.secret_uuid,
        role=UserRole(refresh.role),
        token_hash=_token_hash(token),
        expires_at=expires_at,
    )


def _principal(session: SessionRow, credential: Credential, actor: str | None = None) -> Principal:
    return Principal(
        credential=credential,
        role=Role(session.role),
        client_uuid=session.client_uuid,
        user_uuid=session.user_uuid,
        session_uuid=session.session_uuid,
        secret_uuid=session.client_secret_uuid,
        actor=actor,
    )


async def _tell(tx: Transaction, client_uuid: UUID, ended: Sequence[Ended], context: Context) -> None:
    """KV, for the tokens; and an event for each session that ended."""
    await revocation_rows.add(tx, [session_key(session.session_uuid) for session in ended])
    for session in ended:
        revoked = SessionRevoked(session_uuid=session.session_uuid, user_uuid=session.user_uuid)
        await publish(tx, auth.SESSION_REVOKED, client_uuid, session.session_uuid, revoked, context)

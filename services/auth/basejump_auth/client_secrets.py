"""Client secrets: created, shown once, recognised, revoked."""

from uuid import UUID, uuid4

from basejump_auth.adapters import revocation_rows, secret_rows
from basejump_auth.adapters.secret_rows import OPERATOR, SecretRow
from basejump_auth.domain import lifetimes, rules
from basejump_auth.domain.secret_text import is_well_formed
from basejump_auth.issuing import Issued, Issuer
from basejump_auth.keyring import Keyring
from basejump_auth.revocations import secret_key
from basejump_auth.standing import Standings
from basejump_auth.uses import Uses
from basejump_common.bus import Context, publish
from basejump_common.contracts import auth
from basejump_common.contracts.auth import (
    BySecret,
    ClientSecretPage,
    CreatedSecret,
    CreateSecret,
    ExchangedToken,
    ExchangeSecret,
    IssueFirstSecret,
    SecretRevoked,
)
from basejump_common.contracts.common import Done, PageRequest
from basejump_common.errors import NotFound, Unauthenticated
from basejump_common.security.principal import Credential, Principal, Role, UserRole
from basejump_common.storage.database import Database, Transaction


class ClientSecrets:
    """What auth does about client secrets."""

    def __init__(self, database: Database, issuer: Issuer, keyring: Keyring, standings: Standings, uses: Uses) -> None:
        self._database = database
        self._issuer = issuer
        self._keyring = keyring
        self._standings = standings
        self._uses = uses

    async def exchange(self, context: Context, request: ExchangeSecret) -> ExchangedToken:
        """A five-minute token that says what the secret may do. Raises Unauthenticated."""
        row = await self._recognise(request.client_secret.reveal())
        if row.client_uuid != OPERATOR and not await self._standings.is_active(row.client_uuid, context):
            raise Unauthenticated("the client is suspended")
        principal = Principal(
            credential=Credential.CLIENT_SECRET,
            role=row.role,
            client_uuid=None if row.client_uuid == OPERATOR else row.client_uuid,
            user_uuid=row.user_uuid,
            secret_uuid=row.client_secret_uuid,
        )
        token, expires_at = self._keyring.sign(principal, lifetimes.CLIENT_SECRET)
        return ExchangedToken(token=token, expires_at=expires_at)

    async def create(self, context: Context, request: CreateSecret) -> CreatedSecret:
        """A secret of a role below the caller's. Raises Forbidden, InvalidInput, NotFound (its user)."""
        caller = context.caller
        rules.check_may_create_secret(caller.role, request)
        if request.user_uuid is not None:
            user = await self._standings.of_user(caller.tenant, request.user_uuid, context)
            rules.check_not_above(Role(request.role), user.role)
        draft = SecretRow(
            client_uuid=caller.tenant,
            client_secret_uuid=uuid4(),
            role=Role(request.role),
            description=request.description,
            user_uuid=request.user_uuid,
        )
        async with self._database.tenant(draft.client_uuid) as tx:
            return _shown_once(await self._issuer.issue(tx, draft))

    async def issue_first(self, _context: Context, request: IssueFirstSecret) -> CreatedSecret:
        """The OWNER secret of a new client. Asked again it replaces the first one, whose answer may have been lost."""
        draft = SecretRow(
            client_uuid=request.client_uuid,
            client_secret_uuid=uuid4(),
            role=Role.OWNER,
            description=f"first secret of {request.client_name}",
            is_first=True,
        )
        async with self._database.tenant(request.client_uuid) as tx:
            earlier = await secret_rows.first_of_client(tx, request.client_uuid)
            if earlier is not None:
                await revoke(tx, request.client_uuid, earlier)
            return _shown_once(await self._issuer.issue(tx, draft))

    async def page(self, context: Context, request: PageRequest) -> ClientSecretPage:
        """The client's secrets without their values."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await secret_rows.page(tx, request)

    async def delete(self, context: Context, request: BySecret) -> Done:
        """Revoke it: every token that came from it ends within seconds. Raises NotFound."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            if not await revoke(tx, tenant, request.client_secret_uuid, context):
                raise NotFound("there is no such client secret")
        return Done()

    async def _recognise(self, text: str) -> SecretRow:
        row = await self._look_up(text) if is_well_formed(text, self._issuer.environment) else None
        if row is None:
            raise Unauthenticated("the client secret is not valid")
        return row

    async def _look_up(self, text: str) -> SecretRow | None:
        async with self._database.platform() as tx:
            owner = await secret_rows.owner_of(tx, self._issuer.hash(text))
        if owner is None:
            return None
        async with self._database.tenant(owner.client_uuid) as tx:
            row = await secret_rows.find_alive(tx, owner.client_secret_uuid)
        self._uses.note(owner)
        return row


async def revoke(tx: Transaction, client_uuid: UUID, client_secret_uuid: UUID, context: Context | None = None) -> bool:
    """Revoke a client's secret and tell everybody; False when there is none alive."""
    if not await secret_rows.revoke(tx, client_secret_uuid):
        return False
    await revocation_rows.add(tx, [secret_key(client_secret_uuid)])
    revoked = SecretRevoked(client_secret_uuid=client_secret_uuid)
    await publish(tx, auth.SECRET_REVOKED, client_uuid, client_secret_uuid, revoked, context)
    return True


def _shown_once(issued: Issued) -> CreatedSecret:
    row = issued.row
    return CreatedSecret(
        client_secret_uuid=row.client_secret_uuid,
        public_key=row.public_key,
        role=UserRole(row.role),
        prefix=row.prefix,
        description=row.description,
        user_uuid=row.user_uuid,
        created_at=issued.created_at,
        last_used=None,
        client_secret=issued.text,
    )

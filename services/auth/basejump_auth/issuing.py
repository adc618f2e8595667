"""Making a secret: its text is shown once, its hash is kept."""

from datetime import datetime

import msgspec

from basejump_auth.adapters import secret_rows
from basejump_auth.adapters.secret_rows import SecretRow
from basejump_auth.domain.secret_text import display_prefix, new_secret, public_key, secret_hash
from basejump_common.security.secret import Secret
from basejump_common.storage.database import Transaction


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that was just made, and its row."""

    text: Secret
    row: SecretRow
    created_at: datetime


class Issuer:
    """Makes the secrets of one environment, hashed under one pepper."""

    def __init__(self, environment: str, pepper: Secret) -> None:
        self.environment = environment
        self._pepper = pepper

    def hash(self, text: str) -> bytes:
        """By which a secret is found."""
        return secret_hash(self._pepper, text)

    async def issue(self, tx: Transaction, draft: SecretRow) -> Issued:
        """A secret as the draft describes it."""
        text = new_secret(self.environment)
        shown = public_key(self.environment, text)
        row = msgspec.structs.replace(draft, prefix=display_prefix(text), public_key=shown)
        created_at = await secret_rows.insert(tx, row, self.hash(text.reveal()))
        return Issued(text=text, row=row, created_at=created_at)

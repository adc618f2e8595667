"""What webhooks hold that nobody may read: secrets that sign, addresses and headers. Each sealed for its row alone."""

from uuid import UUID

from basejump_chat_agent.domain.webhooks import Target
from basejump_common.contracts import wire
from basejump_common.security.envelope import Envelope
from basejump_common.security.secret import Secret


class WebhookVault:
    """Seals and opens; moved to another row or tenant nothing opens (EnvelopeError)."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def seal_secret(self, client_uuid: UUID, webhook_secret_uuid: UUID, secret: Secret) -> bytes:
        """What goes into the secret's row."""
        context = (str(client_uuid), "webhook secret", str(webhook_secret_uuid))
        return self._envelope.encrypt(secret.reveal().encode(), context=context)

    def open_secret(self, client_uuid: UUID, webhook_secret_uuid: UUID, sealed: bytes) -> Secret:
        """The secret."""
        context = (str(client_uuid), "webhook secret", str(webhook_secret_uuid))
        return Secret(self._envelope.decrypt(sealed, context=context).decode())

    def seal_target(self, client_uuid: UUID, delivery_uuid: UUID, target: Target) -> bytes:
        """What goes into the delivery's row."""
        context = (str(client_uuid), "webhook target", str(delivery_uuid))
        return self._envelope.encrypt(wire.encode(target), context=context)

    def open_target(self, client_uuid: UUID, delivery_uuid: UUID, sealed: bytes) -> Target:
        """The target."""
        context = (str(client_uuid), "webhook target", str(delivery_uuid))
        return wire.decode(self._envelope.decrypt(sealed, context=context), Target)

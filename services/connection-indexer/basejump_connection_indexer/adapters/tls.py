"""TLS as libpq's `sslmode` words mean it, to an address that was checked, for the name that was asked for."""

import ssl
from typing import Any

from basejump_common.contracts.connection import SslMode


class _NamedContext(ssl.SSLContext):
    """Verifies the name that the customer gave; the driver knows only the checked address."""

    name: str

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        incoming, outgoing, server_side = (*args, False)[:3]
        session = kwargs.get("session")
        return super().wrap_bio(incoming, outgoing, server_side, server_hostname=self.name, session=session)


def tls_context(mode: SslMode, root_certificate: str | None, host: str) -> ssl.SSLContext:
    """`require` encrypts, `verify-ca` also checks who signed, `verify-full` also the name.

    As with libpq, a root certificate that is given is also checked under `require`.
    """
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.name = host.rstrip(".")
    context.check_hostname = mode is SslMode.VERIFY_FULL
    if root_certificate is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=root_certificate)
    return context

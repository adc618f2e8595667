"""A certificate authority of our own and one server certificate for this machine, kept in a folder.

The authority's key is thrown away after it signed: nobody can ever sign another name with it. A pair that
runs out is replaced as a whole.
"""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from basejump_devstack.files import write_private

_LIFETIME = dt.timedelta(days=3650)
_RENEW_BEFORE = dt.timedelta(days=30)
_NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


@dataclass(frozen=True, kw_only=True)
class LocalCertificate:
    """`authority` is what clients trust; `chain` (key and certificate, PEM) is what the server shows."""

    authority: Path
    chain: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.chain)
        return context


def local_certificate(folder: Path) -> LocalCertificate:
    """The certificate kept in `folder`, for localhost, 127.0.0.1 and ::1; made when there is none that lasts."""
    found = LocalCertificate(authority=folder / "ca.pem", chain=folder / "server.pem")
    if not _lasts(found):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority, chain = _issue(dt.datetime.now(dt.UTC))
        write_private(found.chain, chain)
        write_private(found.authority, authority)
    return found


def _lasts(found: LocalCertificate) -> bool:
    if not (found.authority.exists() and found.chain.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(found.authority.read_bytes())
    return certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > _RENEW_BEFORE


def _issue(now: dt.datetime) -> tuple[bytes, bytes]:
    """The authority's certificate, and the server's key and certificate, as PEM."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name, server_name = _name("Basejump local authority"), _name("Basejump demo database")
    authority = (
        _draft(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    server = (
        _draft(server_name, authority_name, server_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(issuer_id, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return authority.public_bytes(pem), key + server.public_bytes(pem)


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

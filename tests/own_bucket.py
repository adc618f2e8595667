"""A customer's own object storage: a server that speaks S3, in a thread, which can be away, refuse, or spoil things.

with ObjectServer() as server:
    server.make_bucket("results")
"""

import http.client
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

import obstore
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from obstore.store import S3Store
from werkzeug.serving import BaseWSGIServer, make_server

from basejump_common.contracts.storage import CreateStorage, StorageProvider
from basejump_common.security.secret import Secret
from installation import unique

REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY = "AKIATESTTESTTESTTEST", "a secret / with + all = kinds"
Answer = tuple[str, list[tuple[str, str]], bytes]
Spoil = Callable[[dict[str, Any]], Answer | None]


class ObjectServer:
    """`requests` keeps method, path and headers of each request; `spoil` may answer one in the server's place."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server: BaseWSGIServer | None = None
        self.port = 0
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.spoil: Spoil | None = None

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def come_back(self) -> None:
        """On the port that it had; what was stored is still there."""
        self._server = make_server("127.0.0.1", self.port, self._serve, threaded=True, ssl_context=self._tls)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def go_away(self) -> None:
        """Nothing listens any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def make_bucket(self, name: str | None = None) -> str:
        """A new bucket."""
        name = name or unique("bucket")
        self._ask("PUT", f"/{name}")
        return name

    def unfinished(self, bucket: str) -> int:
        """Uploads in parts that have neither been finished nor aborted."""
        return self._ask("GET", f"/{bucket}?uploads").count(b"<UploadId>")

    def _ask(self, method: str, path: str) -> bytes:
        """What clients of object stores don't offer."""
        if self._tls is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl._create_unverified_context())
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        connection.close()
        return body

    def fields(self, bucket: str, **changes: Any) -> CreateStorage:
        """A request that adds a bucket."""
        keys = {"access_key": Secret(ACCESS_KEY), "secret_access_key": Secret(SECRET_KEY)}
        given = fields_in_json(self.url, bucket) | {"storage_provider": StorageProvider.S3_COMPATIBLE} | keys
        return CreateStorage(**(given | changes))

    def store(self, bucket: str) -> S3Store:
        """The bucket as its owner sees it."""
        return S3Store(
            bucket,
            endpoint=self.url,
            region=REGION,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            client_options={"allow_http": True, "allow_invalid_certificates": True},
        )

    def keys(self, bucket: str) -> list[str]:
        """Every object in it."""
        return sorted(file["path"] for files in obstore.list(self.store(bucket)) for file in files)

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {name[5:].lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], headers))
        answer = self.spoil(environ) if self.spoil else None
        if answer is not None:
            status, fields, body = answer
            start_response(status, [("Content-Length", str(len(body))), *fields])
            return [body]
        served: Iterable[bytes] = self._app(environ, start_response)
        return served


def fields_in_json(url: str, bucket: str) -> dict[str, Any]:
    """What a REST client says of a bucket at that address."""
    return {
        "alias": unique("bucket"),
        "storage_provider": "s3_compatible",
        "region": REGION,
        "bucket_name": bucket,
        "prefix": "basejump/results",
        "endpoint": url,
        "access_key": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
    }


def refuse_other_keys(environ: dict[str, Any]) -> Answer | None:
    """What S3 says to a key that it doesn't know."""
    if f"Credential={ACCESS_KEY}/" in environ.get("HTTP_AUTHORIZATION", ""):
        return None
    return "403 Forbidden", [], b"<Error><Code>InvalidAccessKeyId</Code><Message>It does not exist.</Message></Error>"

"""Settings of auth."""

from typing import Annotated

from msgspec import Meta

from basejump_auth.domain.secret_text import ENVIRONMENT
from basejump_common.security.secret import Secret
from basejump_common.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """BASEJUMP_<FIELD> in the environment."""

    environment: Annotated[
        str,
        Meta(pattern=f"^{ENVIRONMENT}$", description="Which installation it is, e.g. live; part of client secrets."),
    ]
    secret_pepper: Annotated[
        Secret,
        Meta(description="Key under which client secrets are hashed; another one makes all of them invalid."),
    ]
    signing_key_days: Annotated[int, Meta(ge=1, le=365, description="Days after which a new signing key is used.")] = 30

"""Settings of account: those that every service has."""

from basejump_common.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """BASEJUMP_<FIELD> in the environment."""

"""Settings of chat-agent: BASEJUMP_<FIELD>."""

from typing import Annotated

from msgspec import Meta

from basejump_common.security.secret import Secret
from basejump_common.settings import ServiceSettings


class ModelSettings(ServiceSettings, frozen=True, kw_only=True):
    """Language models. Other providers take keys and addresses from the variables that langchain documents."""

    llm: Annotated[
        str, Meta(description="Language model that answers, as provider:model; empty for the built-in planner.")
    ] = ""
    fallback_llm: Annotated[str, Meta(description="Language model that answers while the first one doesn't.")] = ""
    allowed_llms: Annotated[
        str,
        Meta(description="Models that clients may choose besides these two: provider:model or openai:*, by commas."),
    ] = ""
    openai_api_key: Annotated[Secret | None, Meta(description="Key of openai models; else OPENAI_API_KEY.")] = None
    openai_base_url: Annotated[
        str, Meta(description="Address of an OpenAI-compatible server, e.g. http://llm:8080/v1; else OPENAI_BASE_URL.")
    ] = ""
    anthropic_api_key: Annotated[
        Secret | None, Meta(description="Key of anthropic models; else ANTHROPIC_API_KEY.")
    ] = None
    anthropic_base_url: Annotated[
        str, Meta(description="Address of an Anthropic-compatible server, without /v1; else ANTHROPIC_BASE_URL.")
    ] = ""
    embeddings: Annotated[
        str,
        Meta(
            description="Model that finds verified questions said in other words, as provider:model; questions then go "
            "to its provider. Empty: they are told by their words alone."
        ),
    ] = ""
    embeddings_seconds: Annotated[
        float, Meta(description="Longest that a question waits for the embeddings model.", gt=0)
    ] = 2.0
    llm_prices: Annotated[
        str, Meta(description="Path of a TOML file whose prices replace or add to those of prices.toml.")
    ] = ""
    llm_call_seconds: Annotated[float, Meta(description="Longest that one call of a model may take.", gt=0)] = 90.0
    llm_output_tokens: Annotated[int, Meta(description="Tokens that one call of a model may answer.", ge=100)] = 2_000
    llm_retries: Annotated[
        int, Meta(description="How often a model that is busy or away is asked again before its fallback.", ge=0)
    ] = 3
    question_steps: Annotated[int, Meta(description="Calls of a model for one question.", ge=1)] = 8
    question_repairs: Annotated[int, Meta(description="Refused or failed statements of one question.", ge=0)] = 3
    question_tokens: Annotated[int, Meta(description="Tokens for one question; 0 is no limit.", ge=0)] = 50_000
    question_seconds: Annotated[
        float, Meta(description="Seconds that the work on one question may take; 0 is no limit.", ge=0)
    ] = 600.0
    history_tokens: Annotated[
        int, Meta(description="Tokens that earlier questions of a chat may take in a prompt.", ge=0)
    ] = 1_500


class WebhookSettings(ModelSettings, frozen=True, kw_only=True):
    """Webhooks. Their names are their own: what is allowed to customers' databases isn't allowed to them."""

    webhook_private_hosts: Annotated[
        bool, Meta(description="Whether webhooks may go to private and loopback addresses.")
    ] = False
    webhook_plain_http: Annotated[bool, Meta(description="Whether webhooks may go to http:// addresses.")] = False
    webhook_ca_file: Annotated[
        str, Meta(description="Path of a PEM file of authorities to believe besides the well-known ones.")
    ] = ""
    webhook_seconds: Annotated[float, Meta(description="Longest that an attempt to deliver may take.", gt=0)] = 15.0
    webhook_retry_seconds: Annotated[
        float, Meta(description="Seconds until a second attempt; from there on the pause doubles, up to 4 hours.", gt=0)
    ] = 5.0
    webhook_give_up_seconds: Annotated[
        float, Meta(description="Seconds after which a webhook is not tried any more.", ge=0)
    ] = 86_400.0
    webhooks_at_once: Annotated[int, Meta(description="Webhooks that one process sends at once.", ge=1)] = 16
    webhooks_per_client: Annotated[
        int, Meta(description="Webhooks of one client sent at once, over all processes.", ge=1)
    ] = 4


class Settings(WebhookSettings, frozen=True, kw_only=True):
    """What every service with tables needs, how prompts are worked on, the language models, and webhooks."""

    prompts_at_once: Annotated[int, Meta(description="Prompts that one process answers at the same time.", ge=1)] = 128
    prompts_per_client: Annotated[
        int, Meta(description="Prompts of one client answered at the same time, over all processes.", ge=1)
    ] = 64
    index_wait_seconds: Annotated[
        float, Meta(description="How long a question waits for a database that is being indexed.", ge=0)
    ] = 600.0
    result_days: Annotated[
        int, Meta(description="Days that results are kept unless they are saved or verified; 0 is for ever.", ge=0)
    ] = 365
    patience_seconds: Annotated[
        float, Meta(description="How long a prompt tries again while a service that it needs is away.", ge=0)
    ] = 30.0

"""The streams, KV buckets and consumers of an installation. `basejump migrate` declares them, as NATS user `operator`;
services may only use them. Declaring again changes nothing that is as it should be."""

import nats.js.errors
from nats.js import JetStreamContext, api

from basejump_common.contracts import chat
from basejump_common.contracts.calls import counter_subject
from basejump_common.contracts.operation import SERVICES
from basejump_common.contracts.registry import events

EVENTS_STREAM = "EVENTS"
CHAT_STREAM = "CHAT"
CALLS_STREAM = "CALLS"
EXTERNAL_SUBJECTS = "basejump.v1.ext.>"
KEYS = "auth-keys"
REVOCATIONS = "auth-revocations"

DAY = 86_400.0
HOUR = 3_600.0
MINUTE = 60.0
MOST_COUNTERS = 1_000_000
DUPLICATES = 600.0
"""Seconds for which a repeated message id is dropped; beyond it, consumers' inboxes do."""


async def declare(jetstream: JetStreamContext, replicas: int = 1) -> None:
    """Create or update all of it. `replicas`: copies in a NATS cluster (3 in production)."""
    await _stream(jetstream, _events(replicas))
    await _stream(jetstream, _chat(replicas))
    await _stream(jetstream, _calls(replicas))
    await _bucket(jetstream, api.KeyValueConfig(bucket=KEYS, history=1, replicas=replicas))
    await _bucket(jetstream, api.KeyValueConfig(bucket=REVOCATIONS, history=1, ttl=HOUR, replicas=replicas))
    for service in SERVICES:
        await _consumer(jetstream, service)


def _events(replicas: int) -> api.StreamConfig:
    return api.StreamConfig(
        name=EVENTS_STREAM,
        description="CloudEvents of every service, and what other services of the operator publish",
        subjects=["basejump.v1.event.>", EXTERNAL_SUBJECTS],
        max_age=30 * DAY,
        duplicate_window=DUPLICATES,
        num_replicas=replicas,
    )


def _chat(replicas: int) -> api.StreamConfig:
    return api.StreamConfig(
        name=CHAT_STREAM,
        description="what a prompt says, republished for plain subscribers",
        subjects=[chat.stream_subject("*", "*", "*")],
        max_age=DAY,
        duplicate_window=DUPLICATES,
        num_replicas=replicas,
        republish=api.RePublish(
            src="basejump.v1.chat-stream.>",
            dest="basejump.v1.chat-live.>",
        ),
    )


def _calls(replicas: int) -> api.StreamConfig:
    return api.StreamConfig(
        name=CALLS_STREAM,
        description="counters of calls, one per credential, client or address and minute",
        subjects=[counter_subject("*", "*")],
        allow_msg_counter=True,
        storage=api.StorageType.MEMORY,
        max_msgs_per_subject=1,
        max_msgs=MOST_COUNTERS,
        max_age=2 * MINUTE,
        num_replicas=replicas,
    )


async def _stream(jetstream: JetStreamContext, config: api.StreamConfig) -> None:
    try:
        await jetstream.add_stream(config)
    except nats.js.errors.BadRequestError:
        await jetstream.update_stream(config)


async def _bucket(jetstream: JetStreamContext, config: api.KeyValueConfig) -> None:
    try:
        await jetstream.create_key_value(config)
    except nats.js.errors.BadRequestError:
        existing = await jetstream.stream_info(f"KV_{config.bucket}")
        existing.config.max_age = config.ttl or 0
        existing.config.num_replicas = config.replicas
        await jetstream.update_stream(existing.config)


async def _consumer(jetstream: JetStreamContext, service: str) -> None:
    subjects = [event.subject() for event in events() if service in event.consumers]
    if not subjects:
        return
    await jetstream.add_consumer(
        EVENTS_STREAM,
        api.ConsumerConfig(
            durable_name=service,
            filter_subjects=subjects,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=30.0,
            max_ack_pending=256,
        ),
    )

"""What the documents show is run as it stands there."""

import asyncio
import os
import re
import sys
from pathlib import Path

from rest import Tenant

DOCS = Path(__file__).parent.parent.parent / "docs"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str) -> list[str]:
    return _BLOCK.findall((DOCS / document).read_text())


async def test_the_consumer_of_the_events_document_prints_what_happens(
    stack: dict[str, str], tenant: Tenant, tmp_path: Path
) -> None:
    (program,) = blocks("events.md")
    script = tmp_path / "consumer.py"
    script.write_text(program)
    consumer = await asyncio.create_subprocess_exec(
        sys.executable, str(script), env={**os.environ, **stack}, stdout=asyncio.subprocess.PIPE
    )
    assert consumer.stdout is not None
    try:
        team = await asyncio.to_thread(tenant.user.post, "/account/team/", params={"team_name": "told"})
        async with asyncio.timeout(20):
            while team["team_uuid"] not in (line := (await consumer.stdout.readline()).decode()):
                assert line, "the consumer has ended"
        assert line.startswith("basejump.v1.team.created ")
    finally:
        consumer.terminate()
        await consumer.wait()

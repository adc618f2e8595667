"""Loaded by schemathesis (tests/e2e/test_fuzzing.py), which tells it in FUZZING whose calls they are.

Half of the calls name objects that are there. What would end the others isn't done: schemathesis learns UUIDs from
answers, so what it changes is either ours or nobody's, and nothing is deleted; the client isn't suspended and gets no
limit of calls.
"""

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import hypothesis
import schemathesis

FUZZING: dict[str, Any] = json.loads(os.environ.get("FUZZING", "{}"))
ENDING = frozenset(("calls_per_minute", "calls_per_minute_per_key", "quota", "suspended"))
NOBODYS = uuid4()
answers: Counter[str] = Counter()


def _untargeted(observation: float, *, label: str = "") -> float:
    """schemathesis leans towards what is accepted. hypothesis 6.170's hill climbing for that ends now and then with an
    IndexError of its own (optimiser.py takes a span that the attempt doesn't have), which counts as our failure."""
    return observation


hypothesis.target = _untargeted


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Every other case, by what it says, so that a repetition is the same."""
    label = f"{case.method} {case.operation.path}"
    for name, value in FUZZING["credentials"].get(label, FUZZING["owner"]).items():
        case.headers[name] = value
    if isinstance(case.body, dict):
        for name in ENDING & case.body.keys():
            del case.body[name]
    ours = case.method != "DELETE" and len(repr((case.body, case.query))) % 2
    for name, value in (case.path_parameters or {}).items():
        if ours and name in FUZZING["objects"]:
            case.path_parameters[name] = FUZZING["objects"][name]
        elif case.method != "GET" and _is_uuid(value):
            case.path_parameters[name] = str(uuid5(NOBODYS, value))


def _is_uuid(value: object) -> bool:
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Notes what each call was answered."""
    answers[f"{case.operation.method.upper()} {case.operation.path} {response.status_code}"] += 1


@atexit.register
def tell() -> None:
    """For the test to look at."""
    if "answers" in FUZZING:
        Path(FUZZING["answers"]).write_text(json.dumps(answers))

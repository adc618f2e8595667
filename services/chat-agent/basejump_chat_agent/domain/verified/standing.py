"""Whether a question says all that it asks, so that it means the same in another conversation."""

import re

from basejump_chat_agent.domain.choice import QUESTION, Found
from basejump_chat_agent.domain.verified.wording import words_of

LONGEST_QUESTION = 1_000
_FEWEST_WORDS = 4
_LEANING = re.compile(
    r"\b(it|its|they|them|those|these|that one|he|she|his|her|him|ones|one|previous|above|same|others|instead|again"
    r"|former|latter|now|also|too|rest)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(r"\W*(how|what|which|who|where|when|show|list|give|find|count|return|display)\b", re.IGNORECASE)


def standing_question(found: Found) -> str:
    """The question by which an answer may be found again; empty when it leans on what was said before, or on what the
    person was asked back."""
    asked_back = any(QUESTION not in clarified.asked for clarified in found.clarified)
    if asked_back or found.known_missing or len(found.question) > LONGEST_QUESTION:
        return ""
    meant = found.meant or found.question
    if not found.turns:
        return meant
    stands = _OPENING.match(meant) and not _LEANING.search(meant) and len(words_of(meant)) >= _FEWEST_WORDS
    return meant if stands and meant in found.question else ""

"""Who answers a question: the language model that the message, the client or the installation names, or none."""

from basejump_chat_agent.adapters.builtin_answerer import BuiltinAnswerer
from basejump_chat_agent.domain.answerer import Answerer
from basejump_chat_agent.domain.prompt import Prompt


class Answerers:
    """`of` a prompt."""

    def __init__(self) -> None:
        self._builtin = BuiltinAnswerer()

    def of(self, prompt: Prompt) -> Answerer:  # noqa: ARG002
        """The one that answers the prompt."""
        return self._builtin

"""The last sentence of an answer: the answerer's own where every figure in it is the result's, else a description.

describing  a sentence made of the result alone
dates       dates and times in a text, in the spellings people use
numbers     numbers in a text: digits, words, percentages, roundings
checking    whether a text states a figure that is neither in the result nor in what was asked
"""

from basejump_chat_agent.domain.words.checking import Facts, check
from basejump_chat_agent.domain.words.describing import LONGEST, describe, final_words

__all__ = ["LONGEST", "Facts", "check", "describe", "final_words"]

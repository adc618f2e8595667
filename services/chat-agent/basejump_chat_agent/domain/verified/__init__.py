"""Verified answers: which question has been answered before, and who may say that an answer is right.

wording.py    a question as the words that count
matching.py   whether two questions mean the same, or differ in one value
filters.py    a verified statement with another value in its filter
nearness.py   what is near a question, and what speaks against its meaning the same
standing.py   whether a question says all that it asks
rights.py     who may call an answer verified, and who gets others
awaiting.py   what waits for somebody to verify an answer
"""

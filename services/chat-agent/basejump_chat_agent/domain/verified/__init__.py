"""Verified answers: which question has been answered before, and who may say that an answer is right.

wording.py    a question as the words that count
matching.py   whether two questions mean the same, or differ in one value
filters.py    a verified statement with another value in its filter
"""

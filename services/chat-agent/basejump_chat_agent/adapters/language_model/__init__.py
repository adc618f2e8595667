"""Answers with a language model, by langchain. Importing this package takes seconds and 100 MB: see `answerers.py`."""

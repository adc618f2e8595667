"""Chats, messages, the agent and the meaning of results."""

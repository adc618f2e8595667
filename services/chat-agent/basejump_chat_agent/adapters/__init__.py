"""SQL, the other services, the stream of chats, and the planners."""

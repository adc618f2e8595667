-- The language model that a question asks for; none: the client's.
alter table prompt add column llm text;

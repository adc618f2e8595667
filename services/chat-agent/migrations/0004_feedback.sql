-- depends: 0001_chats
-- What a person thought of an answer; `thumbs_up` itself is in the message.
alter table prompt add column thumbs_reason text not null default '', add column thumbs_user_uuid uuid;

-- depends: 0001_chats
-- A chat whose user or team is gone; its messages stay for the client's ADMINs.
alter table chat add column orphan_type text check (orphan_type in ('user_deleted', 'team_deleted'));

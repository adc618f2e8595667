-- A chart with the answer, asked for with the question; what it shows, or why there is none, is kept with the result.
-- depends: 0001_chats
alter table prompt add column return_visual_json boolean not null default false;
alter table result add column visual_json jsonb, add column visual_explanation text;

-- depends: 0003_notes
-- What of a connection's view a grant opens: `allow` null is all of it; what is in `deny` is denied, allowed or not.
alter table team_grant add column allow jsonb, add column deny jsonb not null default '[]';

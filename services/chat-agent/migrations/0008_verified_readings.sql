-- depends: 0008_verified
-- The question as it was understood: what a person writes over a result's own words isn't told to others.
alter table result add column reading text not null default '';

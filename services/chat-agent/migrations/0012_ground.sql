-- depends: 0011_question_vectors
-- What the statement of a result rested on when its rows were fetched, and that statement as other logins may be asked it
-- (see Ground); empty: not known.
alter table result
    add column schema_print text not null default '',
    add column permissions_print text not null default '',
    add column logical_sql text not null default '';

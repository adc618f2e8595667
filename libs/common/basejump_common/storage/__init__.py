"""PostgreSQL: two doors to the tables, job rows, outbox and inbox, migrations, cursor pages."""

"""SQL. Every function takes the open transaction of one client; row-level security hides the others."""

"""SQL. Every function takes an open transaction: of one client, or of the platform where it says so."""

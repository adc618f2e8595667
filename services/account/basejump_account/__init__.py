"""Clients (tenants), users, teams, memberships."""

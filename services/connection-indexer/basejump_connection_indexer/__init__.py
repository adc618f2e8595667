"""Customers' databases: credentials, index, grants, retrieval, proof and running of SQL."""

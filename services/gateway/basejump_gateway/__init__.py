"""Maps each v1 REST path onto one request on the bus."""

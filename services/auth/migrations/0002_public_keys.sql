-- depends: 0001_secrets_sessions_keys
-- Names a secret in public (domain/secret_text.py); secrets from before have none.
alter table client_secret add column public_key text;

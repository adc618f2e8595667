"""Who is calling, how a token is verified, and how secrets are kept."""

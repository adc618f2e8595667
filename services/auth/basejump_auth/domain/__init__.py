"""Pure decisions: what a secret looks like, who may give which, when keys rotate."""

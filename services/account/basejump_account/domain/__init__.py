"""Pure decisions: who may do what to whom."""

"""From a question and a retrieved schema to SQL, without a language model; pure, no I/O."""

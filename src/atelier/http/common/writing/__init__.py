"""What all routes that write share: fields, spam guards, limits, idempotency, votes."""

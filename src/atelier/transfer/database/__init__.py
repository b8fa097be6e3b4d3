"""What imports, exports and verifications share of the database."""

-- Remove the leftovers of a killed verification.
DROP SCHEMA IF EXISTS atelier_verify CASCADE

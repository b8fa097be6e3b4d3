-- What a verification that was killed may have left.
DROP SCHEMA IF EXISTS atelier_verify CASCADE

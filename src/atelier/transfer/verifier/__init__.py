"""The verification of a database against an export."""

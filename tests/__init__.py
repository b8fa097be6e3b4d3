"""Tests: each named after the promise it keeps."""

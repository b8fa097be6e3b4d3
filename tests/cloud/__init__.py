"""Tests of what runs the service in a cloud."""

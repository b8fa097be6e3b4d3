"""Moderation: the queue of posts to look at, decisions about them, and the audit trail."""

"""The console: pages for moderators and operators, who sign in with a token."""

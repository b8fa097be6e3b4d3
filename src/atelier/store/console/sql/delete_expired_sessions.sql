SELECT delete_expired_sessions()

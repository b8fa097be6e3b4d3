SELECT replay_is_complete()

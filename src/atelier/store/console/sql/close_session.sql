SELECT close_session($1)

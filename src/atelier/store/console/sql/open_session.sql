SELECT open_session($1, $2, $3) AS opened

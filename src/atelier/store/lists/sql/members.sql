-- Totals as members of JSON, from the columns of the query around them.
'"questions":' || questions
    || ',"answers":' || coalesce(answers, 0)
    || ',"unanswered":' || unanswered
    || ',"last_activity":' || coalesce('"' || iso_date(last_activity) || '"', 'null')

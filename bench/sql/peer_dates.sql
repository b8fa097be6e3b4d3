-- The date type that the peers expect.
ALTER TABLE questions ALTER date_written TYPE timestamptz
    USING timestamptz 'epoch' + date_written * interval '1 millisecond';
ALTER TABLE answers ALTER date_written TYPE timestamptz
    USING timestamptz 'epoch' + date_written * interval '1 millisecond';

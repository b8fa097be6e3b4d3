SELECT id FROM rejected_rows WHERE table_name = $1 AND reason = $2

SELECT t.question_id, by_number.points
    FROM unnest($4::integer[], $5::integer[]) AS by_number (number, points)
    JOIN search_texts t ON t.product_id = $1 AND t.number = by_number.number

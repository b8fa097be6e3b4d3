UPDATE erasures
SET questions = questions + $2, answers = answers + $3, photos = photos + $4
WHERE id = $1

SELECT NOT EXISTS (SELECT FROM atelier.questions)
   AND NOT EXISTS (SELECT FROM atelier.answers)
   AND NOT EXISTS (SELECT FROM atelier.photos)

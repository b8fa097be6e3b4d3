"""Lists of questions and answers as /v1 shows them."""

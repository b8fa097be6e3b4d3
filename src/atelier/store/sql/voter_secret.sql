SELECT secret FROM voter_secret

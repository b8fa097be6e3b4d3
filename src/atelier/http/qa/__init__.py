"""The contract's routes, `/qa/...`: questions, answers, votes."""

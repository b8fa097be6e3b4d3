"""The contract `/qa/...`: questions, answers, votes."""

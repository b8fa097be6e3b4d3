"""The AWS commands: a CloudFormation stack, and what operates it."""

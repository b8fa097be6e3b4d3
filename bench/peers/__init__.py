"""The peers of the comparison, each written as efficiently as its stack allows."""

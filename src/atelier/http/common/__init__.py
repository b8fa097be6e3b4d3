"""What all routes share: how requests are refused, answered and logged."""

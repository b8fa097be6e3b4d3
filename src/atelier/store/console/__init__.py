"""What the console keeps: sessions, and samples of the instances' metrics."""

"""Running the service in a cloud, and how many hosts that takes."""

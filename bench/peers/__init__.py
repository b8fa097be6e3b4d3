"""What the service is measured against, each written as well as its kind allows."""

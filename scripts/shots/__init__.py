"""Takes pictures of what people see, of a service that it starts for them."""

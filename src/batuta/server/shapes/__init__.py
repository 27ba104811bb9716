"""What the API takes and gives, as structs: the one source of its OpenAPI description."""

COMMENT ON INDEX {table}_search IS 'built in {seconds} s'

DELETE FROM instance_samples WHERE at < $1

"""What deploy/ contains: containers, Kubernetes, systemd."""

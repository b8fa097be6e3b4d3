"""The units of systemd: of a single host, and of the hosts on AWS."""

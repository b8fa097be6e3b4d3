"""What runs on the hosts of a deployment on AWS, started by the units of cloud/systemd."""

"""What end-to-end tests stand on: the command as a process, simulators, and who looks for secrets."""

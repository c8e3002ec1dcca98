"""The same in the memory of this process: the twin that tests and virtual time use."""

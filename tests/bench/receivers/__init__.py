"""Who receives callbacks, other than mwbatch: each module a process, called with its port."""

"""URLs: which host they mean, which proxy leads there, how they are signed, when that expires."""

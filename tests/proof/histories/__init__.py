"""Histories: what people do with their files in a week, in any order, by hypothesis over the simulator,
in virtual time.

No request is paid twice without the user's word; and no honest work is refused without a way on that works as
printed.
"""

"""Lines woven together: canon, subject and answer, ground; each voice stated, copied, or free."""

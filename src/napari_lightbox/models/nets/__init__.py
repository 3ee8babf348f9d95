"""Networks: a plan without torch and the module built from it, one pair per network."""

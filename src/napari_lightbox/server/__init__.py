"""Serves techniques to other machines: jobs, stores and sessions over a cluster of workers."""
